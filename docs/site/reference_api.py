"""Pages of functions and classes: directives that Sphinx fills from docstrings, and the same as plain Markdown."""

import inspect
import re
from importlib import import_module
from typing import Any, NamedTuple

__all__ = ["PACKAGES", "Group", "Package", "escape_markup", "write_copy", "write_directives"]


_MARKUP = re.compile(r"(``.*?``|`[^`]*`)|[*|]|(?<=\w)_(?!\w)")


class Group(NamedTuple):
    """Public names of a module under a heading; without names, all that its `__all__` has and no group before it."""

    title: str
    module: str
    names: tuple[str, ...] = ()


class Package(NamedTuple):
    """A page."""

    page: str
    title: str
    about: str
    text: str
    groups: tuple[Group, ...]


PACKAGES = (
    Package(
        "distortlab",
        "`distortlab` in Python",
        "the functions and classes of distortlab",
        "`import distortlab` is cheap: names are imported when they are first used. `distortlab.CATALOG` is the tuple "
        "of all distortions ([the table](../distortions.md)).",
        (
            Group("Distort", "distortlab", ("distort", "Distorted", "read_image", "Region", "find", "render", "Edit")),
            Group(
                "Make data sets",
                "distortlab",
                ("generate", "Account", "load_recipe", "default_recipe", "Recipe", "open_references"),
            ),
            Group("Read data sets", "distortlab", ("open_dataset",)),
            Group("An opened data set", "distortlab.dataset.reader", ("StoredDataset",)),
            Group("Without files", "distortlab", ("stream", "SampleStream", "StreamSample")),
            Group("More", "distortlab"),
        ),
    ),
    Package(
        "tasks",
        "`distortlab.tasks`",
        "questions, truths and scores of the tasks",
        "Question, truth and score of each task, on the standard library alone. `distortlab.tasks.TASKS` has them by "
        "name.",
        (
            Group("All tasks", "distortlab.tasks"),
            *(
                Group(name.capitalize(), f"distortlab.tasks.{name}", ("question", "truth", "score"))
                for name in ("recognition", "object", "grounding", "diagnosis", "comparison", "quality")
            ),
        ),
    ),
    Package(
        "refine_bench",
        "`refine_bench` in Python",
        "the functions of the harness",
        "What the harness calls can be called: adapters of rated sets, readers of answers, statistics.",
        (
            Group("Runs", "refine_bench"),
            Group("Sets", "refine_bench.datasets"),
            Group("Reading answers", "refine_bench.prompts.score_reader"),
            Group("Reading choices", "refine_bench.prompts.choice_reader"),
            Group("Correlation", "refine_bench.statistics.correlation"),
            Group("The logistic fit", "refine_bench.statistics.logistic"),
            Group("Intervals", "refine_bench.statistics.intervals"),
            Group("Paired tests", "refine_bench.statistics.paired"),
        ),
    ),
)


class _Entry(NamedTuple):
    """A function or a class under its public name."""

    name: str
    value: Any


def _find_entries(package: Package) -> list[tuple[str, list[_Entry]]]:
    """Return the entries under each heading that has any."""
    found, seen = [], set[str]()
    for group in package.groups:
        module = import_module(group.module)
        names = group.names or tuple(name for name in module.__all__ if f"{group.module}.{name}" not in seen)
        entries = [_Entry(f"{group.module}.{name}", getattr(module, name)) for name in names if hasattr(module, name)]
        entries = [entry for entry in entries if inspect.isfunction(entry.value) or inspect.isclass(entry.value)]
        seen.update(entry.name for entry in entries)
        if entries:
            found.append((group.title, entries))
    return found


def write_directives(package: Package) -> str:
    """Return a page as MyST, whose functions and classes Sphinx writes."""
    lines = [f"# {package.title}", "", package.text, ""]
    for title, entries in _find_entries(package):
        lines += [f"## {title}", "", "```{eval-rst}"]
        for entry in entries:
            kind = "autoclass" if inspect.isclass(entry.value) else "autofunction"
            lines += [f".. {kind}:: {entry.name}", *(["   :members:"] if kind == "autoclass" else []), ""]
        lines += ["```", ""]
    return "\n".join(lines)


def write_copy(package: Package) -> str:
    """Return the same page as Markdown: signatures, and docstrings as they stand in the code."""
    lines = [f"# {package.title}", "", package.text, ""]
    for title, entries in _find_entries(package):
        lines += [f"## {title}", ""]
        for entry in entries:
            lines += [
                f"### {entry.name}",
                "",
                "```text",
                _format_signature(entry),
                "",
                inspect.getdoc(entry.value) or "",
                "```",
                "",
            ]
    return "\n".join(lines)


def escape_markup(lines: list[str]) -> list[str]:
    """Return the lines of a docstring with * | and a closing _ escaped, but in code and in examples."""
    escaped, in_example = [], False
    for line in lines:
        in_example = bool(line.strip()) and (in_example or line.lstrip().startswith(">>> "))
        escaped.append(line if in_example else _MARKUP.sub(lambda found: found[1] or f"\\{found[0]}", line))
    return escaped


def _format_signature(entry: _Entry) -> str:
    try:
        return f"{entry.name}{inspect.signature(entry.value)}"
    except (TypeError, ValueError):
        return entry.name
