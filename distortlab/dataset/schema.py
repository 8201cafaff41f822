"""Records, and how they lie in Parquet.

Three tables: `images` (a row per distorted image), `rft` (a row per question, with its images), `samples` (rft without
image bytes). The Arrow schema carries the `huggingface` metadata that `datasets` and the Hub's viewer read. Image bytes
are dictionary-encoded and not compressed again: an image that several questions show is stored once per row group.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.core.region import Region
from distortlab.distortions.edit import Edit, Visibility

__all__ = [
    "IMAGES",
    "RFT",
    "SAMPLES",
    "Features",
    "ImageRecord",
    "Picture",
    "Sample",
    "edits_of",
    "features",
    "open_writer",
    "table",
]

# --- the tables, written as `datasets` features ---------------------------------------------------------------------

Features = Mapping[str, Any]


def _value(dtype: str) -> Features:
    return {"dtype": dtype, "_type": "Value"}


def _list(feature: Features, length: int | None = None) -> Features:
    return {"feature": feature, **({"length": length} if length else {}), "_type": "List"}


_IMAGE: Features = {"_type": "Image"}
_BOX = _list(_value("int32"), 4)
_VISIBILITY = {name: _value("float32") for name in ("v", "structure", "colour", "trend")}
_REGION = {
    "bbox": _BOX,
    "mask_rle": {"size": _list(_value("int32"), 2), "counts": _value("string")},
    "area": _value("float32"),
    "object": _value("string"),
    "distortion": _value("string"),
    "variant": _value("string"),
    "severity": _value("int8"),
    "params": _value("string"),
    "visibility": _VISIBILITY,
}

IMAGES: Features = {
    "image_id": _value("string"),
    "image": _IMAGE,
    "width": _value("int32"),
    "height": _value("int32"),
    "pixels_sha256": _value("string"),
    "reference_id": _value("string"),
    "reference": _IMAGE,
    "reference_source": _value("string"),
    "reference_license": _value("string"),
    "regions": _list(_REGION),
    "seed": _value("int64"),
    "generator_version": _value("string"),
}
RFT: Features = {
    "sample_id": _value("string"),
    "image_id": _value("string"),
    "prompt": _list({"role": _value("string"), "content": _value("string")}),
    "images": _list(_IMAGE),
    "solution": _value("string"),
    "task": _value("string"),
    "bbox": _BOX,
    "distortion": _value("string"),
    "severity": _value("int8"),
}
SAMPLES: Features = {name: feature for name, feature in RFT.items() if name != "images"}

TABLES: Mapping[str, Features] = {"rft": RFT, "images": IMAGES, "samples": SAMPLES}

_BINARY = pa.binary()
_ENCODED = pa.dictionary(pa.int32(), pa.binary())


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
    seed: int
    generator_version: str

    def as_row(self) -> dict[str, Any]:
        """For Arrow."""
        row = {name: getattr(self, name) for name in IMAGES if name not in ("image", "reference", "regions")}
        regions = [_region_row(edit, name) for edit, name in zip(self.edits, self.objects, strict=True)]
        reference = self.reference.as_row() if self.reference else None
        return {**row, "image": self.image.as_row(), "reference": reference, "regions": regions}


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of `rft`: a question with its images and its solution."""

    sample_id: str
    image_id: str
    prompt: str
    images: tuple[Picture, ...]
    solution: str
    task: str
    bbox: tuple[int, int, int, int]
    distortion: str
    severity: int

    def as_row(self) -> dict[str, Any]:
        """For Arrow."""
        row = {name: getattr(self, name) for name in RFT if name not in ("prompt", "images", "bbox")}
        prompt = [{"role": "user", "content": self.prompt}]
        return {**row, "prompt": prompt, "images": [i.as_row() for i in self.images], "bbox": list(self.bbox)}


def _region_row(edit: Edit, name: str | None) -> dict[str, Any]:
    seen = edit.visibility or Visibility(0.0, 0.0, 0.0, 0.0)
    family, _, variant = edit.distortion.partition(".")
    return {
        "bbox": list(edit.bbox),
        "mask_rle": edit.region.rle,
        "area": edit.region.area / (edit.region.size[0] * edit.region.size[1]),
        "object": name,
        "distortion": family,
        "variant": variant,
        "severity": edit.severity,
        "params": json.dumps(edit.params, sort_keys=True),
        "visibility": {field: getattr(seen, field) for field in _VISIBILITY},
    }


def edits_of(row: Mapping[str, Any]) -> tuple[Edit, ...]:
    """The edits of a row of `images`, ready to be rendered again."""
    return tuple(
        Edit.from_params(
            Region.from_rle(region["mask_rle"]),
            f"{region['distortion']}.{region['variant']}",
            int(region["severity"]),
            region["params"],
        )
        for region in row["regions"]
    )


# --- files ----------------------------------------------------------------------------------------------------------


def features(feature: Features, bytes_type: pa.DataType = _BINARY) -> pa.DataType:
    """The Arrow type of a feature."""
    kind = feature.get("_type")
    if kind == "Image":
        return pa.struct([("bytes", bytes_type), ("path", pa.string())])
    if kind == "Value":
        return pa.type_for_alias(feature["dtype"])
    if kind == "List":
        inner = features(feature["feature"], bytes_type)
        return pa.list_(inner, feature["length"]) if "length" in feature else pa.list_(inner)
    return pa.struct([(name, features(inner, bytes_type)) for name, inner in feature.items()])


def arrow_schema(of: Features, bytes_type: pa.DataType = _BINARY) -> pa.Schema:
    """The schema of a table, with the metadata that `datasets` reads."""
    return pa.schema([(name, features(f, bytes_type)) for name, f in of.items()], metadata=_metadata(of))


def _metadata(of: Features) -> dict[str, str]:
    return {"huggingface": json.dumps({"info": {"features": of}})}


def table(rows: Sequence[Mapping[str, Any]], of: Features) -> pa.Table:
    """Rows as an Arrow table. Image bytes become dictionary arrays: one copy, however many rows show the image."""
    columns = [_column([row[name] for row in rows], feature) for name, feature in of.items()]
    return pa.table(columns, schema=arrow_schema(of, _ENCODED))


def _column(values: list[Any], feature: Features) -> pa.Array:
    if feature.get("_type") == "Image":
        return _pictures(values)
    if feature.get("_type") == "List" and feature["feature"].get("_type") == "Image":
        ends = np.cumsum([0, *(len(images) for images in values)], dtype=np.int32)
        return pa.ListArray.from_arrays(pa.array(ends), _pictures([i for images in values for i in images]))
    return pa.array(values, features(feature))


def _pictures(values: Sequence[Mapping[str, Any] | None]) -> pa.Array:
    # By content: Arrow writes memory that it never filled where a dictionary holds a value twice.
    distinct: dict[bytes, int] = {}
    index = [None if value is None else distinct.setdefault(value["bytes"], len(distinct)) for value in values]
    encoded = pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(list(distinct), pa.binary()))
    paths = pa.array([value["path"] if value else None for value in values], pa.string())
    absent = pa.array([value is None for value in values])
    return pa.StructArray.from_arrays([encoded, paths], ["bytes", "path"], mask=absent)


def _leaves(kind: pa.DataType, path: str) -> list[str]:
    if pa.types.is_struct(kind):
        return [leaf for f in kind for leaf in _leaves(f.type, f"{path}.{f.name}")]
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return _leaves(kind.value_type, f"{path}.list.element")
    return [path]


def open_writer(sink: Any, of: Features) -> pq.ParquetWriter:
    """A Parquet writer for one of the tables; every table written to it becomes a row group."""
    schema = arrow_schema(of, _ENCODED)
    leaves = [leaf for f in schema for leaf in _leaves(f.type, f.name)]
    blobs = [leaf for leaf in leaves if leaf.endswith(".bytes")]
    writer = pq.ParquetWriter(
        sink,
        schema,
        compression={leaf: "none" if leaf in blobs else "zstd" for leaf in leaves},
        # An image column falls back to plain encoding at 1 MiB of distinct values unless told otherwise.
        dictionary_pagesize_limit=1 << 30,
        use_dictionary=leaves,
        write_statistics=[leaf for leaf in leaves if leaf not in blobs],
        write_page_index=True,
        store_schema=False,
        write_page_checksum=True,  # compared in table_files.open_table
    )
    # Written here and not by Arrow, so that readers see plain binary: that it lies as a dictionary is our affair.
    stored = base64.b64encode(arrow_schema(of).serialize().to_pybytes()).decode()
    writer.add_key_value_metadata({**_metadata(of), "ARROW:schema": stored})
    return writer
