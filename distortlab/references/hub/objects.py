"""Columns of a data set on the Hub: where the images are, and what is said about the objects in them.

Two layouts are common, and both are read: `objects` as a struct of lists (`{"bbox": [...], "category": [...]}`) and as
a list of structs. A box is `[x, y, width, height]` in pixels as in COCO unless something else is asked for.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from distortlab.core.errors import BadReference, UserError, describe_unknown
from distortlab.core.region import Region
from distortlab.imaging.decode import decode_image
from distortlab.references.regions.outlines import Rectangle, Runs, Shape, read_rectangle, read_shape

__all__ = ["BOXES", "Columns", "find_columns", "read_names", "read_shapes"]

_CONTAINERS = ("objects", "annotations", "instances", "labels")
_BOX = ("bbox", "bboxes", "box", "boxes")
_NAME = ("category", "categories", "label", "labels", "class", "name", "category_name", "category_id", "class_id")
_MASK = ("mask", "masks", "segmentation", "segmentations", "mask_rle", "rle")

Numbers = Sequence[float]

BOXES: Mapping[str, Callable[[Numbers], list[float]]] = {
    "xywh": lambda b: [b[0], b[1], b[2], b[3]],
    "xyxy": lambda b: [b[0], b[1], b[2] - b[0], b[3] - b[1]],
    "cxcywh": lambda b: [b[0] - b[2] / 2, b[1] - b[3] / 2, b[2], b[3]],
}
"""How a box may be written, and its way to `[x, y, width, height]`; with an `n` behind the name, in shares of the
sides.
"""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are read, and how. Part of a fingerprint, by `repr`: fields are not renamed.

    Parameters
    ----------
    image
        Column of images.
    objects
        Column of objects; `box`, `name` and `mask` are fields in it.
    names
        Of the classes, where the field `name` holds numbers.
    boxes
        How a box is written: one of `BOXES`, or one with an `n` behind it for shares of the sides.
    """

    image: str
    objects: str | None = None
    box: str | None = None
    name: str | None = None
    mask: str | None = None
    names: tuple[str, ...] = ()
    boxes: str = "xywh"

    @property
    def to_read(self) -> list[str]:
        """The columns of a row that must be fetched."""
        return [self.image, *([self.objects] if self.objects else [])]


def find_columns(schema: pa.Schema, repo: str, options: Mapping[str, str]) -> Columns:
    """Find the columns of a table that are read.

    Parameters
    ----------
    schema
        Of the table.
    repo
        Name of the data set, for sentences about errors.
    options
        `image` and `objects` are names of columns, `bbox` is one of `BOXES`, or one with an `n` behind it.

    Raises
    ------
    UserError
        For columns that do not exist, and where none holds images.
    """
    features = _features(schema)
    image = _image_column(schema, features, repo, options.get("image"))
    boxes = options.get("bbox", "xywh")
    if boxes.removesuffix("n") not in BOXES:
        raise UserError(
            describe_unknown("form of boxes", boxes, (*BOXES, *(f"{name}n" for name in BOXES)), f"hf:{repo}?bbox=")
        )
    container = options.get("objects") or next((name for name in _CONTAINERS if _fields(schema, name)), None)
    if container is None:
        return Columns(image)
    fields = _fields(schema, container)
    box, name, mask = (next((f for f in known if f in fields), None) for known in (_BOX, _NAME, _MASK))
    if box is None and mask is None:
        if "objects" not in options:
            return Columns(image)
        there = ", ".join(fields) or "nothing"
        raise UserError(f"the column {container!r} of {repo} has neither boxes nor masks; it has {there}")
    return Columns(image, container, box, name, mask, _class_names(features.get(container), name), boxes)


def _features(schema: pa.Schema) -> Mapping[str, Any]:
    """What `datasets` noted about the columns; it may be anything."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def _image_column(schema: pa.Schema, features: Mapping[str, Any], repo: str, asked: str | None) -> str:
    images = [name for name in schema.names if _holds_images(schema.field(name).type, features.get(name))]
    if asked is not None and asked not in images:
        raise UserError(f"{repo} has no column of images called {asked!r}; it has {', '.join(images) or 'none'}")
    if not images:
        raise UserError(f"{repo} has no column of images; its columns are {', '.join(schema.names)}")
    return asked or ("image" if "image" in images else images[0])


def _holds_images(kind: pa.DataType, feature: Any) -> bool:
    if isinstance(feature, dict) and feature.get("_type") not in (None, "Image"):
        return False
    return pa.types.is_struct(kind) and {"bytes", "path"} == {field.name for field in kind}


def _fields(schema: pa.Schema, name: str) -> list[str]:
    """The names inside a column that is a struct, or a list of structs."""
    kind = schema.field(name).type if name in schema.names else pa.null()
    kind = kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else kind
    return [field.name for field in kind] if pa.types.is_struct(kind) else []


def _class_names(feature: Any, name: str | None) -> tuple[str, ...]:
    """The names of a ClassLabel, however deep it is: a struct of lists, a list of structs, in old and new spelling."""
    while isinstance(feature, list) or (isinstance(feature, dict) and "feature" in feature):
        feature = feature[0] if isinstance(feature, list) and feature else feature.get("feature") if feature else None
    inner = feature.get(name) if isinstance(feature, dict) and name else None
    while isinstance(inner, list) or (isinstance(inner, dict) and "feature" in inner):
        inner = inner[0] if isinstance(inner, list) and inner else inner.get("feature") if inner else None
    names = inner.get("names") if isinstance(inner, dict) else None
    return tuple(map(str, names)) if isinstance(names, list) else ()


# --- rows -----------------------------------------------------------------------------------------------------------


def read_names(columns: Columns, values: Sequence[Any]) -> list[str | None]:
    """What the values of the class column stand for; None where there is no name for it."""
    return [_name(columns, value) for value in values]


def _name(columns: Columns, value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(columns.names):
        value = columns.names[value]
    text = "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) else ""
    return " ".join(text.split())[:200] or None


def read_shapes(columns: Columns, objects: Any, size: tuple[int, int]) -> Iterator[tuple[str | None, Shape | str]]:
    """Read the objects of a row.

    Parameters
    ----------
    columns
        Of the table.
    objects
        The value of the column of objects.
    size
        (rows, columns) of the image.

    Yields
    ------
    tuple
        A name or None, and a shape, or in a few words why there is none.

    Raises
    ------
    BadReference
        Where the lists of a row do not belong together.
    """
    for item in _list_objects(columns, objects):
        name = _name(columns, item.get(columns.name)) if columns.name else None
        yield name, _read_object_shape(columns, item, size)


def _list_objects(columns: Columns, objects: Any) -> list[Mapping[str, Any]]:
    if isinstance(objects, list):
        return [item for item in objects if isinstance(item, dict)]
    if not isinstance(objects, dict):
        return []
    lists = {key: objects.get(key) or [] for key in (columns.box, columns.name, columns.mask) if key}
    if len({len(values) for values in lists.values()}) > 1:
        counts = ", ".join(f"{len(values)} {key}" for key, values in lists.items())
        raise BadReference(f"its objects do not belong together: {counts}")
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _read_object_shape(columns: Columns, item: Mapping[str, Any], size: tuple[int, int]) -> Shape | str:
    box = _read_box(columns, item.get(columns.box), size) if columns.box else None
    outline = item.get(columns.mask) if columns.mask else None
    if isinstance(outline, dict) and "bytes" in outline:
        return _read_mask(outline["bytes"], size)
    if isinstance(box, str):
        return box
    return read_shape({"segmentation": outline}, box)


def _read_box(columns: Columns, value: Any, size: tuple[int, int]) -> Rectangle | str:
    if not isinstance(value, list) or len(value) != 4 or not all(isinstance(v, int | float) for v in value):
        return "box that is not four numbers"
    if columns.boxes.endswith("n"):
        value = [v * side for v, side in zip(value, (size[1], size[0]) * 2, strict=True)]
    return read_rectangle(BOXES[columns.boxes.removesuffix("n")](value))


def _read_mask(data: Any, size: tuple[int, int]) -> Shape | str:
    """A mask that is a picture; all but black belongs to the object."""
    try:
        mask = decode_image(data if isinstance(data, bytes) else b"").image.any(axis=2)
    except BadReference:
        return "mask that cannot be read"
    if mask.shape != size:
        return "mask of another size than the picture"
    region = Region.from_mask(mask)
    return Runs(region.size, region.counts) if region.area else "empty"
