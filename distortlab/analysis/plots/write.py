"""Write the pictures of the statistics of a data set."""

import io
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from distortlab.analysis.plots.counts import draw_composition, draw_counts, draw_objects
from distortlab.analysis.plots.questions import draw_places, draw_shortcuts
from distortlab.analysis.plots.regions import draw_areas, draw_boxes, draw_visibility
from distortlab.analysis.plots.rejections import draw_rejections
from distortlab.analysis.plots.style import STYLE, Figure, import_matplotlib
from distortlab.analysis.statistics import Statistics
from distortlab.storage.atomic import new_file

__all__ = ["write_plots"]

_PLOTS: Mapping[str, Callable[[Statistics], Figure | None]] = {
    "composition": draw_composition,
    "counts": draw_counts,
    "objects": draw_objects,
    "areas": draw_areas,
    "boxes": draw_boxes,
    "visibility": draw_visibility,
    "places": draw_places,
    "shortcuts": draw_shortcuts,
    "rejected": draw_rejections,
}


def write_plots(statistics: Statistics, out: Path, only: Collection[str] = ()) -> list[Path]:
    """Write pictures of statistics as PNG files.

    Parameters
    ----------
    statistics
        Of a data set.
    out
        Folder for the pictures, made where it is missing.
    only
        Names of pictures, of `composition`, `counts`, `objects`, `areas`, `boxes`, `visibility`, `places`, `shortcuts`,
        `rejected`; empty for all.

    Returns
    -------
    list of Path
        Of the files written; pictures in which there would be nothing to see are left out.

    Raises
    ------
    UserError
        Without matplotlib, or where nothing can be written.
    """
    matplotlib = import_matplotlib()
    written = []
    with matplotlib.rc_context(STYLE):
        for name, draw in _PLOTS.items():
            figure = None if only and name not in only else draw(statistics)
            if figure is None:
                continue
            picture = io.BytesIO()
            figure.savefig(picture, format="png", bbox_inches="tight", pad_inches=0.2, metadata={"Software": None})
            path = out / f"{name}.png"
            with new_file(path) as file:
                file.write(picture.getvalue())
            written.append(path)
    return written
