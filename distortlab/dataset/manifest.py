"""The manifest of a data set: whether it is one, and whether its paths and entries can be trusted.

A manifest may come from anywhere. `find_path_fault` is the one rule for the paths in it.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, TypeGuard

from distortlab.core.errors import UserError
from distortlab.dataset.layout import ARCHIVE, FORMAT, PLAN_PATH, get_layout
from distortlab.storage.base import Storage

__all__ = [
    "Entries",
    "FileEntry",
    "Manifest",
    "Totals",
    "check_manifest",
    "find_entry_fault",
    "find_path_fault",
    "has_files",
    "list_shards",
    "read_archive_manifest",
    "read_manifest",
]


class FileEntry(TypedDict):
    """What a manifest and a receipt say of a file: SHA-256 in hexadecimal digits, size in bytes, rows."""

    sha256: str
    bytes: int
    footer_sha256: NotRequired[str | None]
    rows: int


Entries = Mapping[str, FileEntry]
"""What a manifest says of files, by their paths in the data set."""


class Totals(TypedDict):
    """How much there is: distorted images, questions about them, images of each split."""

    images: int
    samples: int
    splits: NotRequired[dict[str, int]]


class Manifest(TypedDict):
    """What a finished data set or archive says of itself. Only `files`, a mapping, and `totals` are sure to be there.

    It may come from anywhere: `find_entry_fault` says whether an entry of `files` is one.
    """

    files: dict[str, FileEntry]
    totals: Totals
    format: NotRequired[int]
    plan_sha256: NotRequired[str]
    generator_version: NotRequired[str]
    failures: NotRequired[dict[str, int]]
    counts: NotRequired[dict[str, dict[str, int]]]
    store: NotRequired[str]
    plan: NotRequired[dict[str, Any]]
    seal: NotRequired[str]


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


def find_entry_fault(path: object, entry: object) -> str | None:
    """Say what is wrong with a path in a manifest or with what stands there about the file, or return None."""
    if fault := find_path_fault(path):
        return fault
    if not isinstance(entry, Mapping) or not all(_is_count(entry.get(name)) for name in ("bytes", "rows")):
        return "its entry in the manifest is damaged"
    return None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def has_files(value: object) -> TypeGuard[Manifest]:
    """Whether a value of JSON is a manifest that names files; `check_manifest` looks at the rest."""
    return isinstance(value, dict) and isinstance(value.get("files"), dict)


def check_manifest(manifest: Manifest, place: object) -> None:
    """Check the format and the totals. Raises `UserError` for a newer format, and for what has no totals."""
    version = manifest.get("format")
    if not isinstance(version, int) or version > FORMAT:
        raise UserError(f"{place} has format {version!r}; this version reads up to {FORMAT}: update distortlab")
    totals = manifest.get("totals")
    if not isinstance(totals, dict) or not all(_is_count(totals.get(name)) for name in ("images", "samples")):
        raise UserError(f"{place} is damaged: the manifest has no totals")


def read_manifest(source: Storage) -> Manifest:
    """Return the manifest of a finished data set or archive, anywhere. Raises `UserError` for anything else."""
    manifest = source.read_json("MANIFEST.json")
    if not has_files(manifest):
        begun = source.holds(PLAN_PATH)
        why = "was begun and not finished; run its generate command again" if begun else "is no data set and no archive"
        raise UserError(f"{source} {why}: it has no readable MANIFEST.json")
    check_manifest(manifest, source)
    return manifest


def list_shards(source: Storage, manifest: Manifest) -> dict[str, Entries]:
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
        shards[name] = {own: _get_entry(source, files, own) for own in (f"{each}/{name}" for each in ARCHIVE.tables)}
    return shards


def _get_entry(source: Storage, files: Entries, path: str) -> FileEntry:
    entry = files.get(path)
    if entry is None or find_entry_fault(path, entry):
        raise UserError(f"{source} is damaged: its manifest does not say what {path} holds")
    return entry


def read_archive_manifest(source: Storage) -> Manifest:
    """Return the manifest of a finished archive. Raises `UserError` for anything else."""
    manifest = read_manifest(source)
    if get_layout(manifest) is not ARCHIVE:
        raise UserError(f"{source} is a data set in full already: there is nothing to materialize")
    return manifest
