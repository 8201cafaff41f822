"""Pages with tables of what was measured: each is made from a result that a benchmark kept in benchmarks/results/."""

import json
import runpy
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

__all__ = ["PAGES", "replace_table"]

DOCS = Path(__file__).parent
BENCHMARKS = DOCS.parent / "benchmarks"
RESULTS = "benchmarks/results"


def replace_table(text: str, page: str, origin: str, table: str) -> str:
    """The text of a page with another table between the marks that name its origin."""
    before, begin, rest = text.partition(f"<!-- from {origin}, by make docs -->\n")
    _, end, after = rest.partition("<!-- end -->")
    if not (begin and end):
        raise SystemExit(f"docs/{page} has lost the marks around the table of {origin}")
    return f"{before}{begin}{table}\n{end}{after}"


def load_result(name: str) -> Any:
    """A kept result, by the name of its file."""
    return json.loads((BENCHMARKS / "results" / f"{name}.json").read_text(encoding="utf-8"))


@lru_cache
def load_functions(script: str) -> dict[str, Any]:
    """What a script below benchmarks/ defines."""
    return runpy.run_path(str(BENCHMARKS / script))


def make_table(script: str, function: str, result: str) -> str:
    """The table that a function of a script makes of a result."""
    return str(load_functions(script)[function](load_result(result)))


def make_speed_tables() -> dict[str, str]:
    """The tables of benchmarks/speed/bench.py, by their origin and the part of its result that they show."""
    make, measured, origin = load_functions(SPEED), load_result("speed"), f"{RESULTS}/speed.json"
    sources = {name: about for name, about in measured.items() if name != "about"}
    return {
        f"{origin}: about": make["format_about"](measured),
        **{f"{origin}: {name}": make["format_times"](about["ms"], name) for name, about in sources.items()},
        f"{origin}: aims": make["format_aims"](sources),
        f"{origin}: stages": make["format_stages"](sources),
    }


SPEED, SENSITIVITY = "speed/speed_tables.py", "sensitivity/sensitivity_tables.py"
TABLES: dict[str, Callable[[], dict[str, str]]] = {
    "bench.md": lambda: {f"{RESULTS}/harness.json": make_table(SPEED, "format_harness", "harness")},
    "performance.md": lambda: {
        **make_speed_tables(),
        f"{RESULTS}/sets.json": make_table(SPEED, "format_sets", "sets"),
    },
    "sensitivity.md": lambda: {
        f"{RESULTS}/sensitivity.json: about": load_functions(SPEED)["describe_source"](
            load_result("sensitivity")["about"]
        ),
        **{
            f"{RESULTS}/sensitivity.json: {part}": make_table(SENSITIVITY, f"format_{part}", "sensitivity")
            for part in ("overview", "families")
        },
    },
    "stream.md": lambda: {
        f"{RESULTS}/{name}.json": make_table(SPEED, "format_stream", name) for name in ("stream", "stream-diagnosis")
    },
}
"""The tables of a page, by the origin that stands in their marks."""


def fill_page(name: str) -> str:
    """A page as it is, with its tables made anew."""
    text = (DOCS / name).read_text(encoding="utf-8")
    for origin, table in TABLES[name]().items():
        text = replace_table(text, name, origin, table)
    return text


PAGES: dict[str, Callable[[], str]] = {name: partial(fill_page, name) for name in TABLES}
