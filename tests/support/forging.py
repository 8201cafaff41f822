"""Changed tables whose hashes fit, as whoever makes up a data set can write them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from distortlab.core.errors import UserError
from distortlab.dataset.croissant.document import render_croissant
from distortlab.dataset.reader import open_data
from distortlab.dataset.schema import TABLES
from distortlab.dataset.writer import make_table, open_writer
from distortlab.storage.atomic import add_seal, hash_file, write_json

Rows = list[dict[str, Any]]


def forge(folder: Path) -> None:
    """Make the hashes of manifest, receipts and description fit whatever the tables hold now."""

    def entry(path: Path, rows: int) -> dict[str, Any]:
        return {"sha256": hash_file(path), "bytes": path.stat().st_size, "rows": rows}

    manifest = json.loads((folder / "MANIFEST.json").read_text())
    for name in manifest["files"]:
        path = folder / name
        rows = pq.read_metadata(path).num_rows if path.suffix == ".parquet" else 0
        manifest["files"][name] = entry(path, rows)
    for path in (folder / "_distortlab" / "done").glob("*.json"):
        receipt = json.loads(path.read_text())
        receipt["files"] = {name: manifest["files"][name] for name in receipt["files"]}
        write_json(path, add_seal({key: value for key, value in receipt.items() if key != "seal"}))
    seal(folder, manifest)


def seal(folder: Path, manifest: dict[str, Any]) -> None:
    write_json(folder / "MANIFEST.json", add_seal({key: value for key, value in manifest.items() if key != "seal"}))
    path = folder / "croissant.json"
    try:
        path.write_text(render_croissant(open_data(folder, whole=False)), encoding="utf-8", newline="\n")
    except UserError:  # tables that cannot be described: without a description, as earlier versions
        path.unlink()


def rewrite(folder: Path, kind: str, change: Callable[[Rows], Any], split: str = "train") -> None:
    """Change the rows of the first file of a table and write it as the generator would."""
    path = sorted((folder / kind).glob(f"{split}-*.parquet"))[0]
    rows = pq.read_table(path).to_pylist()
    change(rows)
    with open_writer(path, TABLES[kind]) as writer:
        writer.write_table(make_table(rows, TABLES[kind]), row_group_size=len(rows))
    forge(folder)
