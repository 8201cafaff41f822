"""Colors, fonts and empty figures: matplotlib (extra `plots`), off screen and without global state."""

from typing import Any

from distortlab.core.errors import UserError

__all__ = ["BLUE", "FAINT", "INK", "LEVEL_COLORS", "LINE", "STYLE", "WARM", "Figure", "import_matplotlib", "new_figure"]

INK, FAINT, LINE = "#1f2933", "#8a94a0", "#d9dee4"
BLUE, WARM = "#2f6fab", "#d1603d"
LEVEL_COLORS = ("#c6dbef", "#8fbfe0", "#4f93c7", "#22639f", "#0b3160")
STYLE: Any = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "figure.dpi": 110,
    "savefig.facecolor": "white",
}
Figure = Any
"""matplotlib.figure.Figure; the library may be absent."""


def import_matplotlib() -> Any:
    """matplotlib, or a `UserError` that says how to get it."""
    try:
        import matplotlib
    except ImportError:
        raise UserError(
            "pictures need matplotlib: pip install 'refine-iqa[plots]'; --no-plots prints the tables alone"
        ) from None
    return matplotlib


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure of width x height inches, and its axes in an array as `Figure.subplots` makes it."""
    from matplotlib.figure import Figure as New

    figure = New(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)
