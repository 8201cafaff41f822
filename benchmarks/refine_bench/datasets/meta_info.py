"""pyiqa's lists of labels, `meta_info_*Dataset.csv`: one header, then a line for each image.

They hold what the official files hold, under other names: `mos` or `dmos`, `std`, and `dist_name` with `ref_name` where
there is a reference. Here they stand in for an official file that a mirror leaves out.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from distortlab.core.errors import UserError
from refine_bench.datasets.tables import read_text

__all__ = ["LISTS", "find_meta_info", "read_meta_info"]

LISTS = "meta_info"
"""The folder in which pyiqa keeps its lists."""


def find_meta_info(root: Path, name: str) -> Path | None:
    """Return pyiqa's list of a set: in the folder of the set, or in `meta_info/` beside it, where pyiqa keeps them."""
    places = (root / name, root.resolve().parent / LISTS / name)
    return next((path for path in places if name and path.is_file()), None)


def read_meta_info(path: Path, columns: Mapping[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a list of pyiqa.

    Parameters
    ----------
    path
        The file.
    columns
        What a column is to be called, and what it is called there. Of two columns of one name the first counts: in
        SPAQ's list "Brightness" is an opinion first, and a number of the camera later on.

    Yields
    ------
    tuple
        (line, values by the new names).

    Raises
    ------
    UserError
        Where a column is missing, or a line has too few values.
    """
    reader = csv.reader(read_text(path).splitlines(keepends=True))
    header = next(reader, [])
    missing = [name for name in columns.values() if name not in header]
    if missing:
        raise UserError(f"{path} has no column {', '.join(missing)}; it has {', '.join(header) or 'none'}")
    places = {name: header.index(there) for name, there in columns.items()}
    for row in reader:
        if len(row) <= max(places.values()):
            raise UserError(f"{path}, row {reader.line_num}: fewer values than the header has columns")
        yield reader.line_num, {name: row[place] for name, place in places.items()}
