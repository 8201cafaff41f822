"""Columns of predictions: what the name of an image, a score, an answer and a truth are called in files."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = [
    "FORMS",
    "ID_KEYS",
    "NAMES",
    "NAME_KEYS",
    "SCORES",
    "SURPLUS",
    "TEXTS",
    "TRUTHS",
    "Columns",
    "find_image_name",
    "is_known",
    "make_pair",
    "normalize_column",
]

Columns = Mapping[str, Any]
FORMS = (
    "a list of JSON objects, an object per line, {name: score}; CSV with a header such as image,score, or two columns "
    "without one; lines of 'name score'; Parquet"
)


def _split_words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _split_words(
    "img_path image_path image img image_name img_name name filename file_name file filepath path dist_img dist_image "
    "dist_name distorted_image images image_id img_id id __index_level_0__"
)
SCORES = _split_words(
    "score scores prediction pred pred_score predicted_score predicted rating mos_pred pred_mos predicted_mos "
    "quality_score quality value"
)
TEXTS = _split_words("answer response output text prediction_text completion")
TRUTHS = _split_words("gt_score gt gt_mos ground_truth mos label target")
SURPLUS = "\0surplus"
"""The key under which a row has what stands outside of its columns."""


def normalize_column(name: object) -> str:
    """Return the name of a column without case and punctuation.

    >>> from refine_bench.scoring.prediction_columns import normalize_column
    >>> normalize_column("Image Name") == normalize_column("image_name") == "imagename"
    True
    """
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


NAME_KEYS = frozenset(map(normalize_column, NAMES))
ID_KEYS = frozenset(map(normalize_column, ("name", "id", "image_id", "img_id")))
_VALUE_KEYS = frozenset(map(normalize_column, (*SCORES, *TEXTS, *TRUTHS)))


_LOGIT = re.compile(r"logits|logit[_ -][a-z ]+")


def is_known(name: object) -> bool:
    """Whether a column is one of those that are read."""
    key = normalize_column(name)
    return key in NAME_KEYS or key in _VALUE_KEYS or bool(_LOGIT.fullmatch(str(name).lower()))


def find_image_name(value: object) -> str | None:
    """Return the name that a cell holds: text, a whole number, a list of one, or an object with a path."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and len(value) == 1:
        return find_image_name(value[0])
    return find_image_name(value.get("path")) if isinstance(value, dict) else None


def make_pair(name: object, value: object) -> Columns:
    """Return the row of a name and what stands beside it."""
    return {"name": name, "value": value}
