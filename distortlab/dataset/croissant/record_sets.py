"""Record sets of Croissant: a table as fields with types, sources and descriptions, from its features."""

from collections.abc import Mapping, Sequence
from typing import Any

from distortlab.dataset.columns import ROWS, describe_column, walk_features
from distortlab.dataset.schema import Features

__all__ = ["SPLITS", "make_file_set_id", "make_record_set", "make_split_record_set"]

SPLITS = "splits"
"""The record set with the names of the splits."""

_DATA_TYPES: Mapping[str, str] = {
    "string": "sc:Text",
    "int8": "cr:Int8",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "float32": "cr:Float32",
}
_KEYS: Mapping[str, str] = {"images": "image_id", "labels": "image_id", "rft": "sample_id", "samples": "sample_id"}


def make_file_set_id(table: str) -> str:
    """Return the name of the files of a table."""
    return f"{table}-files"


def make_split_record_set(splits: Sequence[str]) -> dict[str, Any]:
    """Make the record set with the names of the splits."""
    field = f"{SPLITS}/name"
    return {
        "@type": "cr:RecordSet",
        "@id": SPLITS,
        "name": SPLITS,
        "description": "The splits. They share no reference.",
        "dataType": "cr:Split",
        "key": {"@id": field},
        "field": [_describe_field(field, "name", "Name of the split.", {"dataType": "sc:Text"})],
        "data": [{field: split} for split in splits],
    }


def make_record_set(table: str, features: Features, splits: Sequence[str]) -> dict[str, Any]:
    """Make the record set of a table.

    Parameters
    ----------
    table
        "images", "labels", "rft" or "samples".
    features
        The columns that its files have.
    splits
        Those that there are.

    Returns
    -------
    dict
        A `cr:RecordSet`: a field for the split, one for each column; a list of structs has its fields as sub-fields.
    """
    fields: dict[str, dict[str, Any]] = {}
    for path, feature in walk_features(features):
        column, _, rest = path.partition(".")
        field = _make_field(table, path, feature)
        if rest and column in fields:
            fields[column].pop("source", None)
            fields[column].setdefault("subField", []).append(field)
        else:
            fields[path] = field
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": ROWS[table],
        "key": {"@id": f"{table}/{_KEYS[table]}"},
        "field": [_make_split_field(table, splits), *fields.values()],
    }


def _make_split_field(table: str, splits: Sequence[str]) -> dict[str, Any]:
    source = {
        "fileSet": {"@id": make_file_set_id(table)},
        "extract": {"fileProperty": "fullpath"},
        # Joined with the names of splits, mlcroissant 1.1 reads what was found once more: that has to match as well.
        "transform": {"regex": f"(?:{table}/)?({'|'.join(splits)})(?:-.+\\.parquet)?$"},
    }
    about = {"dataType": "sc:Text", "source": source, "references": {"field": {"@id": f"{SPLITS}/name"}}}
    return _describe_field(f"{table}/split", "split", "The split of the row, by the name of its file.", about)


def _make_field(table: str, path: str, feature: Mapping[str, Any]) -> dict[str, Any]:
    column, _, inner = path.partition(".")
    json_path = inner or ("bytes" if _find_item(feature).get("_type") == "Image" else "")
    source: dict[str, Any] = {
        "fileSet": {"@id": make_file_set_id(table)},
        "extract": {"column": column},
        **({"transform": {"jsonPath": json_path}} if json_path else {}),
    }
    identifier = f"{table}/{path.replace('.', '/')}"
    about = {**_describe_type(path, feature), "source": source}
    return _describe_field(identifier, inner or column, describe_column(table, path), about)


def _describe_field(identifier: str, name: str, description: str, about: Mapping[str, Any]) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": identifier, "name": name, "description": description, **about}


def _find_item(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    """The feature of what a list, or a list of lists, holds."""
    while feature.get("_type") == "List":
        feature = feature["feature"]
    return feature


def _describe_type(path: str, feature: Mapping[str, Any]) -> dict[str, Any]:
    """The data type and, of lists, the shape; a list of structs has neither, its sub-fields have."""
    item = _find_item(feature)
    shape = _find_shape(feature)
    if "_type" not in item:
        return {"isArray": True}
    if item["_type"] == "Image":
        # mlcroissant 1.1 decodes several images of a record only where the field is `repeated`, the older word.
        return {"dataType": "sc:ImageObject", **({"repeated": True} if shape else {})}
    is_box = path.rpartition(".")[2] in ("bbox", "boxes")
    data_type = _DATA_TYPES[item["dtype"]]
    about: dict[str, Any] = {"dataType": [data_type, "cr:BoundingBox"] if is_box else data_type}
    return {**about, "isArray": True, "arrayShape": ",".join(map(str, shape))} if shape else about


def _find_shape(feature: Mapping[str, Any]) -> list[int]:
    shape = []
    while feature.get("_type") == "List":
        shape.append(int(feature.get("length", -1)))
        feature = feature["feature"]
    return shape
