"""Tables of a data set as pandas data frames: everything but the pictures."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distortlab.core.errors import UserError, describe_unknown
from distortlab.core.extras import import_extra
from distortlab.dataset.schema import IMAGES, LABELS, SAMPLES, Features

if TYPE_CHECKING:
    import pandas as pd

    from distortlab.dataset.reader import StoredDataset

__all__ = ["FRAMES", "make_frame"]

_REGION: Features = IMAGES["regions"]["feature"]
_OF_IMAGE = ("image_id", "width", "height", "reference_id")
"""What a row of `regions` says of its image."""
FRAMES = ("images", "regions", "questions")

_INTEGERS: Mapping[str, str] = {"int8": "Int8", "int32": "Int32", "int64": "Int64"}
"""pandas types of integers that may be missing."""


def make_frame(stored: "StoredDataset", table: str, split: str | None) -> "pd.DataFrame":
    """Make a data frame; see `StoredDataset.to_pandas`."""
    if table not in FRAMES:
        raise UserError(describe_unknown("table", table, FRAMES))
    if split is not None and split not in stored.splits:
        raise UserError(describe_unknown("split", split, stored.splits))
    pandas = import_extra("pandas", "pandas", "to_pandas")
    rows, features = _READERS[table]
    splits = stored.splits if split is None else (split,)
    found = [{"split": name, **row} for name in splits for row in rows(stored, name)]
    frame = pandas.DataFrame(found, columns=["split", *features])
    types = {name: _INTEGERS[kind] for name, feature in features.items() if (kind := feature.get("dtype")) in _INTEGERS}
    return frame.astype(types)


def _read_images(stored: "StoredDataset", split: str) -> Iterator[Mapping[str, Any]]:
    return stored.rows("images", list(LABELS), split)


def _read_regions(stored: "StoredDataset", split: str) -> Iterator[Mapping[str, Any]]:
    for row in stored.rows("images", [*_OF_IMAGE, "regions"], split):
        about = {name: row[name] for name in _OF_IMAGE}
        for number, region in enumerate(row["regions"]):
            visibility = region.get("visibility") or {}
            yield {**about, "region": number, **region, **visibility}


def _read_questions(stored: "StoredDataset", split: str) -> Iterator[Mapping[str, Any]]:
    for row in stored.rows("samples", None, split):
        yield {**row, "prompt": _join_messages(row["prompt"])}


def _join_messages(prompt: Sequence[Mapping[str, str]]) -> str:
    return "\n".join(message["content"] for message in prompt)


def _list_region_features() -> Features:
    about = {name: IMAGES[name] for name in _OF_IMAGE}
    own = {name: feature for name, feature in _REGION.items() if name != "visibility"}
    return {**about, "region": {"dtype": "int32", "_type": "Value"}, **own, **_REGION["visibility"]}


_READERS: Mapping[str, tuple[Any, Features]] = {
    "images": (_read_images, LABELS),
    "regions": (_read_regions, _list_region_features()),
    "questions": (_read_questions, SAMPLES),
}
"""By name: the rows of a split, and the columns."""
