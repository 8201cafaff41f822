"""Unpacking archives of others: zip, tar, and tar packed with gzip, in one file or in parts.

An archive is data of a stranger. Nothing is written outside of the folder, and nothing but plain files and folders is
made: links, devices and sparse files are refused, and so are names that occur twice, encrypted members, archives that
end early, and those that unpack to far more than they weigh.
"""

import errno
import os
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from isal import isal_zlib

from distortlab.storage.archive_members import BadArchive, Member, list_members, open_parts
from distortlab.storage.atomic import explain_os_errors

__all__ = ["BadArchive", "Limits", "UnpackedCounts", "unpack_archive"]

_CHUNK = 1 << 20
_DEEPEST = 32
_JUNK = re.compile(r"(?:^|/)(?:__MACOSX(?:/|$)|\._[^/]*$|\.DS_Store$)")
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    cast(type[Exception], isal_zlib.IsalError),
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    LookupError,
    OverflowError,
    struct.error,
)
"""What readers raise for damage and for what they do not know; `OSError` besides, where it has no errno."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may come out of an archive.

    Attributes
    ----------
    files
        Files and folders at most.
    total
        Bytes at most.
    ratio
        Bytes for each byte of the archive at most; images hardly shrink when packed.
    slack
        Bytes that are allowed whatever the ratio.
    """

    files: int = 2_000_000
    total: int = 1 << 40
    ratio: float = 50.0
    slack: int = 64 << 20

    def find_excess(self, counts: "UnpackedCounts", packed: int) -> str | None:
        """In what way an archive of `packed` bytes is too large, or None."""
        if counts.files > self.files:
            return f"it holds more than {self.files:,} files"
        if counts.bytes > min(self.total, self.slack + self.ratio * packed):
            return f"its {packed:,} bytes unpack to more than {counts.bytes - 1:,}, which no set of images does"
        return None


class UnpackedCounts(NamedTuple):
    """Files and folders that were unpacked, and their bytes."""

    files: int = 0
    bytes: int = 0


def unpack_archive(
    archive: Path | Sequence[Path],
    folder: Path,
    *,
    limits: Limits | None = None,
    progress: Callable[[int], None] = lambda step: None,
) -> UnpackedCounts:
    """Unpack an archive into a folder, which should be a new one that nobody else knows of yet.

    Parameters
    ----------
    archive
        A file: zip, tar, or tar packed with gzip, known by its content; or the parts into which such a
        file was cut, in order.
    folder
        Where its files go; made if it is not there. Owners, times and rights are not taken over.
    limits
        How much may come out of it; None for what no set of images exceeds.
    progress
        Called with the bytes of the archive that were read since the last call.

    Returns
    -------
    UnpackedCounts
        What was written.

    Raises
    ------
    BadArchive
        For an archive that is damaged, of another kind, or holds what must not be unpacked; the folder then has a part
        of it, and is to be thrown away.
    BuildFailed
        Where the disk is full.
    """
    parts = [archive] if isinstance(archive, Path) else list(archive)
    packed = sum(part.stat().st_size for part in parts)
    shown = f"{parts[0]}" + (f" and {len(parts) - 1} more parts" if len(parts) > 1 else "")
    writer = _Writer(folder, packed, limits or Limits())
    with explain_os_errors(folder, full_only=True):
        try:
            with open_parts(parts) as file:
                for member in list_members(file, progress):
                    writer.add(member)
        except BadArchive as error:
            raise BadArchive(f"{shown} cannot be unpacked: {error}") from None
        except _BROKEN as error:
            raise BadArchive(f"{shown} is damaged, or was not downloaded whole: {_say(error)}") from error
        except OSError as error:
            if error.errno in (None, errno.EINVAL):  # of a reader: packed data, a place before the start of the file
                raise BadArchive(f"{shown} is damaged, or was not downloaded whole: {_say(error)}") from error
            raise
    return writer.counts


def _say(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__


class _Writer:
    """Writes members below a folder, and refuses those that must not be written."""

    def __init__(self, folder: Path, packed: int, limits: Limits) -> None:
        self.counts = UnpackedCounts()
        self._folder, self._packed, self._limits = folder, packed, limits
        self._made: set[Path] = set()

    def add(self, member: Member) -> None:
        """Write one; junk that some systems add is left out."""
        self._count(files=1)
        parts = _split_name(member.name)
        if member.what not in ("file", "folder"):
            raise BadArchive(f"{_quote(member.name)} is {member.what}, and only files and folders are unpacked")
        if member.what == "file" and not parts:
            raise BadArchive(f"{_quote(member.name)} is no name of a file")
        if _JUNK.search("/".join(parts)):
            return
        path = self._folder.joinpath(*parts)
        try:
            self._make_folder(path if member.what == "folder" else path.parent)
            if member.what == "file":
                self._write(member, path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise BadArchive(f"{_quote(member.name)} is there twice") from None

    def _make_folder(self, path: Path) -> None:
        if path not in self._made:
            path.mkdir(parents=True, exist_ok=True)
            self._made.add(path)

    def _write(self, member: Member, path: Path) -> None:
        written = 0
        with member.open() as source, path.open("xb") as file:
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                self._count(size=len(chunk))
                file.write(chunk)
        if written != member.size:
            raise EOFError(f"{_quote(member.name)} has {written:,} bytes instead of {member.size:,}")

    def _count(self, files: int = 0, size: int = 0) -> None:
        self.counts = UnpackedCounts(self.counts.files + files, self.counts.bytes + size)
        excess = self._limits.find_excess(self.counts, self._packed)
        if excess:
            raise BadArchive(excess)


def _split_name(name: str) -> tuple[str, ...]:
    """The parts of the path of a member; none for the folder itself. Raises `BadArchive` for what leads elsewhere."""
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise BadArchive(f"{_quote(name)} leads out of its folder")
    if any(not character.isprintable() and not "\udc80" <= character <= "\udcff" for character in name):
        raise BadArchive(f"{_quote(name)} has a control character in its name")
    longest = max((len(part.encode(errors="surrogateescape")) for part in parts), default=0)
    if longest > 255 or len(parts) > _DEEPEST:
        raise BadArchive(f"{_quote(name)} is too long a name")
    if os.name == "nt" and any(set(part) & set('<>:"|?*') or part[-1] in " ." for part in parts):
        raise BadArchive(f"{_quote(name)} is no name of a file on Windows")
    return parts


def _quote(name: str) -> str:
    return ascii(name if len(name) <= 120 else f"{name[:60]}...{name[-50:]}")
