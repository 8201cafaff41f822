"""croissant.json: a data set in Croissant 1.1 with the properties for responsible AI, made from its manifest.

Beside the data, files are named by their paths in the folder. On the Hub they are in a repository that loaders clone;
there the page, the owner and the date of publication are known as well. Either way every file has the SHA-256 and the
size that the manifest says. The file is not in the manifest: it follows from it, and can be written again at any time.
"""

import datetime
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from distortlab.dataset.croissant.context import CONTEXT
from distortlab.dataset.croissant.distribution import PATH, list_distribution
from distortlab.dataset.croissant.record_sets import make_record_set, make_split_record_set
from distortlab.dataset.croissant.responsible_ai import describe_responsibly
from distortlab.dataset.reader import StoredDataset, open_data
from distortlab.dataset.schema import ALL_TABLES, Features, drop_columns, list_absent_columns, list_possible_columns
from distortlab.storage.atomic import add_seal, format_json, write_text

__all__ = ["Publication", "render_croissant", "write_croissant"]

_CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_CITATION = (
    "@article{refineiqa2025, title = {Refine-IQA: Multi-Stage Reinforcement Finetuning for Perceptual Image Quality "
    "Assessment}, journal = {arXiv preprint arXiv:2508.03763}, year = {2025}}"
)
_KEYWORDS = ["image quality assessment", "image distortions", "synthetic", "vision-language models", "distortlab"]


@dataclass(frozen=True, slots=True)
class Publication:
    """Who publishes a data set, and where.

    Attributes
    ----------
    url
        Its page.
    name
        What it is called; the title of its card unless given.
    creator
        Who published it.
    date
        When: YYYY-MM-DD. None where it is not published.
    repository
        The git repository that holds the files; None where they are beside croissant.json.
    """

    url: str = "README.md"
    name: str | None = None
    creator: str = "distortlab"
    date: str | None = None
    repository: str | None = None


_HERE = Publication()


def render_croissant(stored: StoredDataset, publication: Publication = _HERE, card: str | None = None) -> str:
    """Return the text of croissant.json.

    Parameters
    ----------
    stored
        A finished data set, or one whose manifest is about to be written. The ends of its first files are read.
    publication
        Where it is published; in its folder only, unless given.
    card
        The text of README.md; read from the folder unless given.

    Returns
    -------
    str
        JSON; the same for the same manifest, card and publication.

    Raises
    ------
    UserError
        Where a file cannot be read.
    """
    document = _make_document(stored, publication, _read_card(stored) if card is None else card)
    return format_json(add_seal(document))


def write_croissant(
    folder: str | Path, *, url: str | None = None, creator: str | None = None, date: str | None = None
) -> Path:
    """Write croissant.json into the folder of a data set, and return its path.

    Parameters
    ----------
    folder
        A finished data set.
    url
        The page on which it is published.
    creator
        Who publishes it.
    date
        When, as YYYY-MM-DD.

    Raises
    ------
    UserError
        For what is no data set, a URL that is none, and a date that is none.
    """
    stored = open_data(folder)
    if url is not None and not re.match(r"https?://\S+$", url):
        raise UserError(f"--url {url!r} is no address: one begins with https://")
    if date is not None and not _is_date(date):
        raise UserError(f"--date {date!r} is no day: give one as 2026-11-29")
    given = {"url": url, "creator": creator, "date": date}
    publication = replace(_HERE, **{key: value for key, value in given.items() if value})
    path = stored.folder / PATH
    write_text(path, render_croissant(stored, publication))
    return path


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _make_document(stored: StoredDataset, publication: Publication, card: str) -> dict[str, Any]:
    manifest = stored.manifest
    tables = [table for table in ALL_TABLES if any(part.table == table for part in stored.parts)]
    totals = manifest["totals"]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": publication.name or _find_title(card),
        "description": (
            f"{totals['images']:,} images with known distortions and {totals['samples']:,} questions about them: what "
            "is distorted, how severely, of what, where. For teaching and testing vision-language models."
        ),
        "license": _list_licenses(stored),
        "url": publication.url,
        "creator": {"@type": "sc:Organization", "name": publication.creator},
        **({"datePublished": publication.date} if publication.date else {}),
        "version": f"1.0.0+{str(manifest.get('plan_sha256') or 'unknown')[:12]}",
        "inLanguage": "en",
        "keywords": _KEYWORDS,
        "citeAs": _CITATION,
        **describe_responsibly(manifest),
        "distribution": list_distribution(manifest["files"], tables, publication.repository),
        "recordSet": [
            make_split_record_set(stored.splits),
            *(make_record_set(table, find_features(stored, table), stored.splits) for table in tables),
        ],
    }


def find_features(stored: StoredDataset, table: str) -> Features:
    """Return the columns that the files of a table have: those of earlier versions lack some."""
    part = next(part for part in stored.parts if part.table == table)
    absent = list_absent_columns(table, stored.read_schema(part))
    if absent is None:
        raise UserError(f"{stored.folder / part.path} is damaged: its columns are not those of {table}")
    return drop_columns(list_possible_columns(table), absent)


def _find_title(card: str) -> str:
    found = re.search(r"^# +(.+?) *$", card.partition("\n---\n")[2], re.MULTILINE)
    return found[1] if found else "distortlab data set"


def _read_card(stored: StoredDataset) -> str:
    path = stored.folder / "README.md"
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error


def _list_licenses(stored: StoredDataset) -> list[str]:
    """Addresses of licenses where the references have them, else their texts. A manifest from before they were counted
    has them in its rows only.
    """
    counts = (stored.manifest.get("counts") or {}).get("licenses")
    texts = counts or {row["reference_license"] or "" for row in stored.rows("images", ["reference_license"])}
    found = (re.search(r"https?://[^\s()<>\"]+", text) for text in sorted(texts))
    return list(dict.fromkeys(match[0] if match else text for match, text in zip(found, sorted(texts), strict=True)))
