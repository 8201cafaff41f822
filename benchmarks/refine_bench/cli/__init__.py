"""The command line `refine-bench`."""

from refine_bench.cli.app import main

__all__ = ["main"]
