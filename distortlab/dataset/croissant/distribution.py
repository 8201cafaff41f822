"""The files of a data set in Croissant: every one with its hash and size, and the sets of files that make up tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from distortlab.dataset.croissant.record_sets import make_file_set_id
from distortlab.dataset.manifest import Entries, FileEntry, find_entry_fault
from distortlab.dataset.reader import StoredDataset
from distortlab.storage.atomic import find_seal_fault, read_json

__all__ = ["PATH", "find_croissant_faults", "list_distribution"]

PATH = "croissant.json"
"""Where it lies in the folder of a data set."""
_REPOSITORY = "repo"


def list_distribution(files: Entries, tables: Sequence[str], repository: str | None) -> list[dict[str, Any]]:
    """List the files of a data set, and the sets of files of its tables.

    Parameters
    ----------
    files
        Those of the manifest.
    tables
        Which there are.
    repository
        The address of the git repository that holds them; None where they are beside croissant.json.
    """
    inside = {"containedIn": {"@id": _REPOSITORY}} if repository else {}
    places = [_make_repository(repository)] if repository else []
    objects = [_make_file_object(path, entry, inside) for path, entry in sorted(files.items())]
    return [*places, *objects, *(_make_file_set(table, inside) for table in tables)]


def _make_repository(url: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": _REPOSITORY,
        "name": _REPOSITORY,
        "description": "The git repository with all files.",
        "contentUrl": url,
        "encodingFormat": "git+https",
        # A repository has no one hash; the specification wants one, and this is what loaders know not to compare.
        "sha256": "https://github.com/mlcommons/croissant/issues/80",
    }


def _make_file_object(path: str, entry: FileEntry, inside: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "contentSize": f"{entry['bytes']} B",
        "encodingFormat": "text/markdown" if path.endswith(".md") else "application/x-parquet",
        "sha256": entry["sha256"],
        **inside,
    }


def _make_file_set(table: str, inside: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": make_file_set_id(table),
        "name": make_file_set_id(table),
        "description": f"The Parquet files of the table {table}.",
        "encodingFormat": "application/x-parquet",
        "includes": f"{table}/*.parquet",
        **inside,
    }


# --- checking -------------------------------------------------------------------------------------------------------


def find_croissant_faults(stored: StoredDataset) -> Iterator[str]:
    """Say where croissant.json, in either form, is not as it was written, or names other files than the manifest. Where
    there is none, as in data sets of earlier versions, nothing.
    """
    path = stored.folder / PATH
    if not path.is_file():
        return
    remedy = "distortlab croissant writes it again"
    if fault := find_seal_fault(path):
        yield f"{PATH} {fault}; {remedy}"
        return
    document = read_json(path)
    if not isinstance(document, dict) or "seal" not in document:
        yield f"{PATH} is not by distortlab; {remedy}"
        return
    listed = {
        item["@id"]: (item["sha256"], item["contentSize"])
        for item in document["distribution"]
        if item["@type"] == "cr:FileObject" and item["@id"] != _REPOSITORY
    }
    files = {name: entry for name, entry in stored.manifest["files"].items() if not find_entry_fault(name, entry)}
    wanted = {name: (entry.get("sha256"), f"{entry['bytes']} B") for name, entry in files.items()}
    wrong = sorted(name for name in listed.keys() | wanted.keys() if listed.get(name) != wanted.get(name))
    if wrong:
        more = f" and {len(wrong) - 1:,} more" if wrong[1:] else ""
        yield f"{PATH} does not describe these files: {wrong[0]}{more} differ from the manifest; {remedy}"
