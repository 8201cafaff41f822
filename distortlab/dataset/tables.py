"""Parquet files of a data set, opened so that damage shows, whichever byte it hits.

Every page carries a checksum (CRC-32, part of the Parquet format), which Arrow compares as it reads. The checksums do
not cover the footer, which says where pages lie and what is in them: its SHA-256 stands in the manifest. Together they
cost little, and only for what is read. Files of data sets without a hash of the footer were written before pages had
checksums: they are hashed whole, once in a process.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.core.errors import UserError
from distortlab.dataset.manifest import FileEntry
from distortlab.storage.atomic import HashedFile, hash_file

__all__ = ["REMEDY", "describe_table", "hash_footer", "open_table"]

_END = 8
"""The last bytes of a file: the length of the footer, and the name of the format."""


def describe_table(file: HashedFile, rows: int) -> FileEntry:
    """Return the entry of a Parquet file in a receipt and in the manifest.

    Parameters
    ----------
    file
        Written to its end, with the footer among the bytes that it kept (`HashedFile.keep_end`).
    rows
        How many rows it has.

    Returns
    -------
    dict
        "sha256" and "bytes" of the file, "footer_sha256", "rows".
    """
    length = int.from_bytes(file.end[-_END:-4], "little") + _END
    footer = hashlib.sha256(file.end[-length:]).hexdigest()
    return {"sha256": file.sha256, "bytes": file.size, "footer_sha256": footer, "rows": rows}


def hash_footer(file: BinaryIO) -> str | None:
    """Return the SHA-256 of the footer and the eight bytes after it; None where the file has no footer."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END))
    length = int.from_bytes(file.read(4), "little") + _END
    if not _END < length <= size:
        return None
    file.seek(size - length)
    return hashlib.sha256(file.read(length)).hexdigest()


@contextmanager
def open_table(source: Path | BinaryIO, name: str, entry: Mapping[str, object]) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file of a data set; what is damaged in it is an error where it is read.

    Parameters
    ----------
    source
        A path, or a file that can be read and sought.
    name
        How errors call it.
    entry
        Its entry in the manifest: "footer_sha256", or "sha256" in data sets of earlier versions; where both are
        missing, only Arrow's own checks are made.

    Raises
    ------
    UserError
        Where the footer or a page is not as it was written, or the file is no table.
    """
    try:
        if not _is_intact(source, entry):
            raise UserError(f"{name} is damaged: {REMEDY}")
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        text = " ".join(str(error).split())[:200]
        if getattr(error, "errno", None) is not None:  # the system's word, not Arrow's
            raise UserError(f"{name} cannot be read: {text}") from error
        raise UserError(f"{name} is damaged ({text}): {REMEDY}") from error


REMEDY = "copy it again, or run its generate command again; distortlab verify says what else is wrong"
"""What to do about a damaged file."""


def _is_intact(source: Path | BinaryIO, entry: Mapping[str, object]) -> bool:
    """Whether the footer is as it was written; of a file from before there were checksums, whether all of it is."""
    footer, whole = entry.get("footer_sha256"), entry.get("sha256")
    if not isinstance(source, Path):
        return footer is None or hash_footer(source) == footer
    if footer is not None:
        with source.open("rb") as file:
            return hash_footer(file) == footer
    about = source.stat()
    return whole is None or _hash_once(source, about.st_size, about.st_mtime_ns) == whole


@cache
def _hash_once(path: Path, size: int, modified_ns: int) -> str:
    return hash_file(path)
