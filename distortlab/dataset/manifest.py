"""The manifest of a data set: whether it is one, and whether its paths and entries can be trusted.

A manifest may come from anywhere. `find_path_fault` is the one rule for the paths in it.
"""

from collections.abc import Mapping
from typing import Any

from distortlab.core.errors import UserError
from distortlab.dataset.layout import ARCHIVE, FORMAT, PLAN_PATH, layout_of
from distortlab.storage.base import Storage

__all__ = [
    "Entries",
    "check_manifest",
    "find_entry_fault",
    "find_path_fault",
    "list_shards",
    "read_archive_manifest",
    "read_manifest",
]

Entries = Mapping[str, Mapping[str, Any]]
"""What a manifest says of files: path in the data set -> "sha256", "bytes", "rows"."""


def find_path_fault(path: object) -> str | None:
    """Say what is wrong with a path in a manifest, or return None.

    Without a fault it names, on every system, a file below the data set that is not hidden.
    """
    if not isinstance(path, str) or not path.isprintable():
        return "is not the path of a file"
    parts = path.split("/")
    if "\\" in path or ":" in path or any(part in ("", ".", "..") for part in parts):
        return "leads out of the data set"
    if any(part.startswith(".") for part in parts):
        return "is hidden, and a data set has no hidden files"
    return None


def find_entry_fault(path: object, entry: Any) -> str | None:
    """Say what is wrong with a path in a manifest or with what stands there about the file, or return None."""
    if fault := find_path_fault(path):
        return fault
    if not isinstance(entry, Mapping) or not all(_is_count(entry.get(name)) for name in ("bytes", "rows")):
        return "its entry in the manifest is damaged"
    return None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def check_manifest(manifest: Mapping[str, Any], place: object) -> None:
    """Check the format and the totals. Raises `UserError` for a newer format, and for what has no totals."""
    version = manifest.get("format")
    if not isinstance(version, int) or version > FORMAT:
        raise UserError(f"{place} has format {version!r}; this version reads up to {FORMAT}: update distortlab")
    totals = manifest.get("totals")
    if not isinstance(totals, dict) or not all(_is_count(totals.get(name)) for name in ("images", "samples")):
        raise UserError(f"{place} is damaged: the manifest has no totals")


def read_manifest(source: Storage) -> dict[str, Any]:
    """Return the manifest of a finished data set or archive, anywhere. Raises `UserError` for anything else."""
    manifest = source.read_json("MANIFEST.json")
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        begun = source.holds(PLAN_PATH)
        why = "was begun and not finished; run its generate command again" if begun else "is no data set and no archive"
        raise UserError(f"{source} {why}: it has no readable MANIFEST.json")
    check_manifest(manifest, source)
    return manifest


def list_shards(source: Storage, manifest: Mapping[str, Any]) -> dict[str, Entries]:
    """Return the entries of the three files of every shard of an archive, by the name of the shard.

    Raises `UserError` where a shard has a name that is none, or a file without an entry.
    """
    files = manifest["files"]
    shards: dict[str, Entries] = {}
    for path in sorted(files):
        table, _, name = path.partition("/")
        if table != ARCHIVE.image_table:
            continue
        if find_path_fault(path) or "/" in name or not name.endswith(".parquet"):
            raise UserError(f"{source} is damaged: {path!r} in its manifest is not the name of a shard")
        shards[name] = {f"{each}/{name}": files.get(f"{each}/{name}") for each in ARCHIVE.tables}
        for own, entry in shards[name].items():
            if find_entry_fault(own, entry):
                raise UserError(f"{source} is damaged: its manifest does not say what {own} holds")
    return shards


def read_archive_manifest(source: Storage) -> dict[str, Any]:
    """Return the manifest of a finished archive. Raises `UserError` for anything else."""
    manifest = read_manifest(source)
    if layout_of(manifest) is not ARCHIVE:
        raise UserError(f"{source} is a data set in full already: there is nothing to materialize")
    return manifest
