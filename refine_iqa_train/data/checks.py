"""Everything that can be said of data sets before training: what rows say, and that every image opens."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distortlab.core.progress import show_progress
from distortlab.dataset.reader import open_data
from refine_iqa_train.data.columns import COLUMNS
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.prompts import convert_stored_question, open_image
from refine_iqa_train.data.row_checks import check_row, check_truth
from refine_iqa_train.models.rows import ImageFile

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["check_hashes", "check_images", "check_rows", "sample_image_sizes"]


def check_hashes(data: str, splits: Sequence[str]) -> None:
    """Compare the questions of a folder with their hashes: `datasets` passes on what has changed since.

    Raises `UserError`, which names the file. Of names on the Hub, whose client compares hashes, nothing is read.
    """
    folder = Path(data)
    if not (folder / "MANIFEST.json").is_file():
        return
    stored = open_data(folder)
    parts = [part for split in splits for part in stored.parts_of("rft", split)]
    with show_progress("bytes checked", sum(map(stored.size_of, parts))) as advance:
        stored.check_hashes(parts, advance)


def check_rows(*parts: "Dataset | None") -> None:
    """Check what the rows of data sets say, without their images. Raises `UserError` for the first wrong row."""
    columns = [name for name in COLUMNS if name != "images"]
    for files in (part for part in parts if part is not None):
        for row in files.select_columns(columns):
            check_row(row)
            check_truth(row)


def check_images(*parts: "Dataset | None") -> None:
    """Open every image once, and check that boxes are inside of theirs and those of the solution.

    Raises
    ------
    UserError
        For an image that does not open, a box that is outside, and boxes that do not fit the solution.
    """
    sizes_by_path: dict[str, tuple[int, int]] = {}
    for files in (part for part in parts if part is not None):
        with show_progress("rows checked", len(files)) as advance:
            for row in files:
                check_row(row)
                sizes = [_read_size(file, row["sample_id"], sizes_by_path) for file in row["images"]]
                convert_stored_question(row, sizes[-1], ImagePolicy(None), "thousandths")
                advance(1)


def _read_size(file: ImageFile, name: str, sizes_by_path: dict[str, tuple[int, int]]) -> tuple[int, int]:
    path = file["path"]
    if path is None:
        return open_image(file, name).size
    if path not in sizes_by_path:
        sizes_by_path[path] = open_image(file, name).size
    return sizes_by_path[path]


def sample_image_sizes(files: "Dataset", most: int = 256) -> Iterator[tuple[int, int]]:
    """Read the sizes, (width, height), of about `most` images spread over a data set, the last of each row."""
    step = max(1, len(files) // most)
    for place in range(0, len(files), step):
        row = files[place]
        check_row(row)
        yield open_image(row["images"][-1], row["sample_id"]).size
