"""Tables and lists in Markdown."""

from collections.abc import Mapping, Sequence

__all__ = ["escape_cell", "format_columns", "format_counts", "format_table"]


def format_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; whole numbers get commas between their thousands."""
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_format_cell(cell) for cell in row) + " |" for row in cells)


def _format_cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def escape_cell(text: str) -> str:
    """Return text from elsewhere, so that it cannot end a cell or a table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")


def format_counts(counts: Mapping[str, int]) -> str:
    """Return `blurred 3, small 1,200`, in the order of the names; "none" where there are none."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def format_columns(names: Sequence[str]) -> str:
    """Return the names as code, with commas."""
    return ", ".join(f"`{name}`" for name in names)
