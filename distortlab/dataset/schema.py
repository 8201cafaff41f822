"""Records, and the tables that hold them.

Three tables: `images` (a row per distorted image), `rft` (a row per question, with its images), `samples` (rft without
image bytes). Where a recipe leaves `images` out, `labels` has its rows without the pictures. The Arrow schema carries
the `huggingface` metadata that `datasets` and the Hub's viewer read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from distortlab.core.image import Image
from distortlab.core.region import Region
from distortlab.distortions.controls import Control, render_control
from distortlab.distortions.edit import Edit, Visibility, render

__all__ = [
    "ALL_TABLES",
    "IMAGES",
    "LABELS",
    "LATER_COLUMNS",
    "RFT",
    "SAMPLES",
    "TABLES",
    "Features",
    "ImageRecord",
    "Picture",
    "Sample",
    "add_control",
    "arrow_schema",
    "arrow_type",
    "decode_control",
    "decode_edits",
    "drop_columns",
    "has_known_columns",
    "hub_metadata",
    "list_absent_columns",
    "list_feature",
    "list_possible_columns",
    "render_row",
    "value_feature",
]

# --- the tables, written as `datasets` features ---------------------------------------------------------------------

Features = Mapping[str, Any]


def value_feature(dtype: str) -> Features:
    """Return a feature for numbers or text of a type that Arrow knows by this name."""
    return {"dtype": dtype, "_type": "Value"}


def list_feature(feature: Features, length: int | None = None) -> Features:
    """Return a feature for lists, of one length if that is given."""
    return {"feature": feature, **({"length": length} if length else {}), "_type": "List"}


_IMAGE: Features = {"_type": "Image"}
_BOX = list_feature(value_feature("int32"), 4)
_VISIBILITY = {name: value_feature("float32") for name in ("v", "structure", "colour", "trend")}
_REGION = {
    "bbox": _BOX,
    "mask_rle": {"size": list_feature(value_feature("int32"), 2), "counts": value_feature("string")},
    "area": value_feature("float32"),
    "object": value_feature("string"),
    "distortion": value_feature("string"),
    "variant": value_feature("string"),
    "severity": value_feature("int8"),
    "difficulty": value_feature("string"),
    "params": value_feature("string"),
    "visibility": _VISIBILITY,
}

IMAGES: Features = {
    "image_id": value_feature("string"),
    "image": _IMAGE,
    "width": value_feature("int32"),
    "height": value_feature("int32"),
    "pixels_sha256": value_feature("string"),
    "reference_id": value_feature("string"),
    "reference": _IMAGE,
    "reference_source": value_feature("string"),
    "reference_license": value_feature("string"),
    "regions": list_feature(_REGION),
    "seed": value_feature("int64"),
    "generator_version": value_feature("string"),
}
RFT: Features = {
    "sample_id": value_feature("string"),
    "image_id": value_feature("string"),
    "prompt": list_feature({"role": value_feature("string"), "content": value_feature("string")}),
    "images": list_feature(_IMAGE),
    "solution": value_feature("string"),
    "task": value_feature("string"),
    "bbox": _BOX,
    "distortion": value_feature("string"),
    "severity": value_feature("int8"),
    "difficulty": value_feature("string"),
    "boxes": list_feature(_BOX),
    "other_image_id": value_feature("string"),
}
SAMPLES: Features = {name: feature for name, feature in RFT.items() if name != "images"}

CONTROL: Features = {
    "kind": value_feature("string"),
    "operation": value_feature("string"),
    "bbox": list_feature(value_feature("int32")),
    "mask_rle": {"size": list_feature(value_feature("int32")), "counts": value_feature("string")},
    "params": value_feature("string"),
    "v": value_feature("float32"),
}
"""The column `control`, which `images` and `labels` have where the recipe asks for controls: null for an image that is
none. Of a natural one there is the kind alone.
"""

LABELS: Features = {name: feature for name, feature in IMAGES.items() if name not in ("image", "reference")}

TABLES: Mapping[str, Features] = {"rft": RFT, "images": IMAGES, "samples": SAMPLES}
ALL_TABLES: Mapping[str, Features] = {**TABLES, "labels": LABELS}
"""With the table that takes the place of `images`."""

LATER_COLUMNS = ("difficulty", "boxes", "other_image_id", "control")
"""Columns, and fields of regions, that data sets of earlier versions lack, in the order in which they came: to be read
with `get`.
"""

_BINARY = pa.binary()


# --- records --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file in memory, as `datasets` keeps one."""

    bytes: bytes
    path: str

    def as_row(self) -> dict[str, Any]:
        """For Arrow."""
        return {"bytes": self.bytes, "path": self.path}


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A row of `images`: an image with its recipe, from which it can be made again."""

    image_id: str
    image: Picture
    width: int
    height: int
    pixels_sha256: str
    reference_id: str
    reference: Picture | None
    reference_source: str
    reference_license: str
    edits: tuple[Edit, ...]
    objects: tuple[str | None, ...]
    difficulties: tuple[str | None, ...]
    seed: int
    generator_version: str
    control: Control | None = None

    def as_row(self) -> dict[str, Any]:
        """For Arrow. `control` is no column unless the recipe asks for controls."""
        row = {name: getattr(self, name) for name in IMAGES if name not in ("image", "reference", "regions")}
        row["control"] = self.control and self.control.as_row()
        regions = [_region_row(*about) for about in zip(self.edits, self.objects, self.difficulties, strict=True)]
        reference = self.reference.as_row() if self.reference else None
        return {**row, "image": self.image.as_row(), "reference": reference, "regions": regions}


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of `rft`: a question with its images and its solution.

    A question about one region has its box, family, severity and difficulty. One about an image or a pair (`subject` of
    its task) has none of them: its `bbox` is the frame of the image, because not every reader of Parquet takes a null
    for a list of four, and its `boxes` are those of the regions it is about. Boxes are [x1, y1, x2, y2] in pixels. A
    question about two images belongs to the second one; `other_image_id` is the first.
    """

    sample_id: str
    image_id: str
    prompt: str
    images: tuple[Picture, ...]
    solution: str
    task: str
    bbox: tuple[int, int, int, int]
    distortion: str | None
    severity: int | None
    difficulty: str | None
    boxes: tuple[tuple[int, int, int, int], ...] | None = None
    other_image_id: str | None = None

    def as_row(self) -> dict[str, Any]:
        """For Arrow."""
        row = {name: getattr(self, name) for name in RFT if name not in ("prompt", "images", "bbox", "boxes")}
        prompt = [{"role": "user", "content": self.prompt}]
        boxes = None if self.boxes is None else [list(box) for box in self.boxes]
        images = [picture.as_row() for picture in self.images]
        return {**row, "prompt": prompt, "images": images, "bbox": list(self.bbox), "boxes": boxes}


def _region_row(edit: Edit, name: str | None, difficulty: str | None) -> dict[str, Any]:
    visibility = edit.visibility or Visibility(0.0, 0.0, 0.0, 0.0)
    family, _, variant = edit.distortion.partition(".")
    return {
        "bbox": list(edit.bbox),
        "mask_rle": edit.region.rle,
        "area": edit.region.area / (edit.region.size[0] * edit.region.size[1]),
        "object": name,
        "distortion": family,
        "variant": variant,
        "severity": edit.severity,
        "difficulty": difficulty,
        "params": json.dumps(edit.params, sort_keys=True),
        "visibility": {field: getattr(visibility, field) for field in _VISIBILITY},
    }


def decode_edits(row: Mapping[str, Any]) -> tuple[Edit, ...]:
    """Return the edits of a row of `images`, ready to be rendered again."""
    return tuple(
        Edit.from_params(
            Region.from_rle(region["mask_rle"]),
            f"{region['distortion']}.{region['variant']}",
            int(region["severity"]),
            region["params"],
        )
        for region in row["regions"]
    )


def decode_control(row: Mapping[str, Any]) -> Control | None:
    """Return the control of a row of `images`, or None."""
    return Control.from_row(row["control"]) if row.get("control") else None


def render_row(reference: Image, row: Mapping[str, Any]) -> Image:
    """Make the image of a row of `images` again, from its reference, uint8 RGB, (rows, columns, 3)."""
    control = decode_control(row)
    return render(reference if control is None else render_control(reference, control), decode_edits(row))


# --- files ----------------------------------------------------------------------------------------------------------


def arrow_type(feature: Features, bytes_type: pa.DataType = _BINARY) -> pa.DataType:
    """Return the Arrow type of a feature."""
    kind = feature.get("_type")
    if kind == "Image":
        return pa.struct([("bytes", bytes_type), ("path", pa.string())])
    if kind == "Value":
        return pa.type_for_alias(feature["dtype"])
    if kind == "List":
        inner = arrow_type(feature["feature"], bytes_type)
        return pa.list_(inner, feature["length"]) if "length" in feature else pa.list_(inner)
    return pa.struct([(name, arrow_type(inner, bytes_type)) for name, inner in feature.items()])


def arrow_schema(of: Features, bytes_type: pa.DataType = _BINARY) -> pa.Schema:
    """Return the schema of a table, with the metadata that `datasets` reads."""
    return pa.schema([(name, arrow_type(f, bytes_type)) for name, f in of.items()], metadata=hub_metadata(of))


def add_control(of: Features) -> Features:
    """The features of a table of images with the column `control`."""
    return {**of, "control": CONTROL}


def list_possible_columns(table: str) -> Features:
    """The features of a table with every column that it may have."""
    return add_control(ALL_TABLES[table]) if table in ("images", "labels") else ALL_TABLES[table]


def has_known_columns(table: str, schema: pa.Schema) -> bool:
    """Whether a schema is that of a table today, or of a version that lacked the last of `LATER_COLUMNS` or all."""
    return list_absent_columns(table, schema) is not None


def list_absent_columns(table: str, schema: pa.Schema) -> tuple[str, ...] | None:
    """Return which of `LATER_COLUMNS` a schema lacks; None where it is the schema of no version of the table."""
    whole = list_possible_columns(table)
    later = (LATER_COLUMNS[count:] for count in range(len(LATER_COLUMNS), -1, -1))
    return next((names for names in later if schema.equals(arrow_schema(drop_columns(whole, names)))), None)


def drop_columns(feature: Features, names: Sequence[str]) -> Features:
    """Return features without the columns and fields of these names."""
    kept = {name: inner for name, inner in feature.items() if name not in names}
    return {name: drop_columns(inner, names) if isinstance(inner, Mapping) else inner for name, inner in kept.items()}


def hub_metadata(of: Features) -> dict[str, str]:
    """The metadata of a Parquet file that `datasets` and the Hub's viewer read."""
    return {"huggingface": json.dumps({"info": {"features": of}})}
