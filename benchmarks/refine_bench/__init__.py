"""refine-bench: answers, scores and reports of image-quality models.

    import refine_bench

    refine_bench.load_runs("runs/*")      # the numbers of a report as a pandas data frame

`refine_bench.datasets` is the one place of data-set adapters; it needs neither torch nor transformers. Everything
else is imported where it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from refine_bench.report.measure_rows import load_runs

__all__ = ["load_runs"]

_HOME_OF = {"load_runs": "refine_bench.report.measure_rows"}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'refine_bench' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value
