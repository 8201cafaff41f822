"""`python -m refine_bench`."""

from refine_bench.cli import main

if __name__ == "__main__":
    main()
