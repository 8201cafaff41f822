"""The columns that a question has before it is prepared, and the data sets that hold them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from distortlab.dataset.schema import RFT

if TYPE_CHECKING:
    from datasets import Dataset, Features, IterableDataset

__all__ = ["COLUMNS", "REQUIRED_COLUMNS", "SplitRole", "is_stream", "make_features", "order_columns"]

REQUIRED_COLUMNS = ("sample_id", "image_id", "prompt", "images", "solution", "task", "bbox", "distortion", "severity")
"""What a perception data set must have: columns of `rft` as distortlab writes them."""
COLUMNS = (*REQUIRED_COLUMNS, "boxes")
"""What is read. Data sets of earlier versions have no `boxes`, and no question that needs them."""

SplitRole = Literal["train", "validation"]
"""What a split is used for; its name is another matter."""


def make_features() -> "Features":
    """Build the features of the columns that are read, as in the generator's table of questions, images not decoded."""
    from datasets import Features, Image, List

    features = Features.from_dict({name: RFT[name] for name in COLUMNS})
    return Features({**features, "images": List(Image(decode=False))})


def order_columns(row: Mapping[str, object]) -> dict[str, object]:
    """Put columns into one order: the tables of the two kinds of data have them in different ones."""
    return {name: row[name] for name in COLUMNS}


def is_stream(files: "Dataset | IterableDataset") -> bool:
    """Whether rows come one after the other, and nobody knows how many."""
    from datasets import IterableDataset

    return isinstance(files, IterableDataset)
