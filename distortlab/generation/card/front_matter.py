"""The YAML at the head of a card, which the Hub and `datasets` read."""

import re
from collections.abc import Mapping
from typing import Any

from distortlab.dataset.manifest import Entries
from distortlab.dataset.schema import ALL_TABLES, Features, add_control
from distortlab.generation.report import Account
from distortlab.references import licenses

__all__ = ["list_features", "render_front_matter"]

_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M")


def render_front_matter(account: Account, files: Entries, source: str) -> str:
    """Return the YAML without the lines around it. `datasets` compares its counts with `files`, the manifest's.
    `source`: that of the references.
    """
    tables = [name for name in ALL_TABLES if any(path.startswith(f"{name}/") for path in files)]
    return (
        f"{licenses.front_matter(account.counts.get('licenses', {}))}language:\n- en\n"
        f"pretty_name: {_describe_images(account)} ({account.images:,})\nsize_categories:\n- {_size(account.samples)}\n"
        "task_categories:\n- image-text-to-text\n- visual-question-answering\n"
        "task_ids:\n- visual-question-answering\n"
        "tags:\n- image-quality-assessment\n- image-distortions\n- synthetic\n- grpo\n- distortlab\n"
        "annotations_creators:\n- machine-generated\nlanguage_creators:\n- machine-generated\n"
        f"source_datasets:\n- {_describe_source(source)}\n"
        f"configs:\n{''.join(_config(name, account) for name in tables)}"
        f"dataset_info:\n{''.join(_dataset_info(name, account, files) for name in tables)}"
    )


def list_features(table: str, account: Account) -> Features:
    """The features of a table of a finished data set."""
    has_controls = "controls" in account.counts and table in ("images", "labels")
    return add_control(ALL_TABLES[table]) if has_controls else ALL_TABLES[table]


def _describe_images(account: Account) -> str:
    return "Distorted images" if account.counts.get("kinds") else "Locally distorted images"


def _describe_source(source: str) -> str:
    """The Hub's word for where the references are from: a data set there, our own, or something else."""
    if match := re.match(r"hf:([\w.-]+/[\w.-]+)", source):
        return match[1]
    return "original" if source.startswith("scenes") else "extended|other"


def _size(rows: int) -> str:
    """The Hub's category of a number of rows."""
    thousands = len(str(rows // 1000)) if rows >= 1000 else 0
    return _SIZES[min(thousands, len(_SIZES) - 1)]


def _config(table: str, account: Account) -> str:
    default = "  default: true\n" if table == "rft" else ""
    paths = (f"  - split: {split}\n    path: {table}/{split}-*.parquet\n" for split in account.splits)
    return f"- config_name: {table}\n{default}  data_files:\n{''.join(paths)}"


def _dataset_info(table: str, account: Account, files: Entries) -> str:
    splits, total = "", 0
    for split in account.splits:
        entries = [entry for path, entry in files.items() if path.startswith(f"{table}/{split}-")]
        size, rows = sum(entry["bytes"] for entry in entries), sum(entry["rows"] for entry in entries)
        splits += f"  - name: {split}\n    num_bytes: {size}\n    num_examples: {rows}\n"
        total += size
    return (
        f"- config_name: {table}\n  features:\n{_feature_list(list_features(table, account), 2)}  splits:\n{splits}"
        f"  download_size: {total}\n  dataset_size: {total}\n"
    )


def _feature_list(of: Mapping[str, Any], indent: int) -> str:
    pad = " " * indent
    return "".join(f"{pad}- name: {name}\n{_feature(feature, indent + 2)}" for name, feature in of.items())


def _feature(feature: Mapping[str, Any], indent: int) -> str:
    """A feature as the card spells it: `dtype: string`, `list: image`, `struct:` with a list of fields."""
    pad = " " * indent
    kind = feature.get("_type")
    if kind == "Image":
        return f"{pad}dtype: image\n"
    if kind == "Value":
        return f"{pad}dtype: {feature['dtype']}\n"
    if kind == "List":
        inner = feature["feature"]
        length = f"{pad}length: {feature['length']}\n" if "length" in feature else ""
        if inner.get("_type") in ("Value", "Image"):
            return f"{pad}list: {inner.get('dtype', 'image')}\n{length}"
        if inner.get("_type") == "List":
            return f"{pad}list:\n{_feature(inner, indent + 2)}{length}"
        return f"{pad}list:\n{_feature_list(inner, indent)}{length}"
    return f"{pad}struct:\n{_feature_list(feature, indent)}"
