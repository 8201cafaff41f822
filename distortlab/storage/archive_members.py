"""The members of archives, read once, in order: zip, tar, and tar packed with gzip, in one file or in parts."""

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from isal import igzip

from distortlab.core.errors import UserError

__all__ = ["BadArchive", "Member", "list_members", "open_parts"]

_CHUNK = 1 << 20
_TAPE = 512 * tarfile.BLOCKSIZE
_MOST_HEADER = 1 << 20


class BadArchive(UserError):
    """An archive that is damaged, or holds what must not be unpacked."""


class Member(NamedTuple):
    """An entry of an archive. `what`: "file", "folder", or what it is instead; `open` gives its bytes."""

    name: str
    what: str
    size: int
    open: Callable[[], IO[bytes]]


_KINDS = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "one part of a zip in several; `zip -s 0 NAME.zip --out whole.zip` makes one file of them"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "packed with bzip2; only zip, tar and tar packed with gzip are unpacked"),
    (b"\xfd7zXZ\x00", "packed with xz; only zip, tar and tar packed with gzip are unpacked"),
    (b"Rar!", "a RAR archive; only zip, tar and tar packed with gzip are unpacked"),
    (b"7z\xbc\xaf", "a 7-Zip archive; only zip, tar and tar packed with gzip are unpacked"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file it stands for"),
)


def list_members(file: IO[bytes], progress: Callable[[int], None]) -> Iterator[Member]:
    """List the members of an archive, known by its content.

    Parameters
    ----------
    file
        The archive, at its start; it must be possible to seek in it.
    progress
        Called with the bytes of the archive that were read since the last call.

    Yields
    ------
    Member
        To be opened, or not, before the next one is asked for.

    Raises
    ------
    BadArchive
        For another kind of file; for damage, whatever the readers of the standard library raise, or `EOFError`.
    """
    head = file.read(512)
    file.seek(0)
    kind = next((kind for magic, kind in _KINDS if head.startswith(magic)), "")
    if kind == "zip":
        yield from _list_zip(file, progress)
    elif kind == "gzip":
        yield from _list_tar(cast(Any, igzip).IGzipFile(fileobj=file, mode="rb"), file, progress)
    elif head[257:262] == b"ustar":
        yield from _list_tar(file, file, progress)
    elif kind:
        raise BadArchive(f"it is {kind}")
    elif head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise BadArchive("it is a web page, not an archive")
    else:
        raise BadArchive("it is neither zip nor tar")


def _list_zip(file: IO[bytes], progress: Callable[[int], None]) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            mode = stat.S_IFMT(info.external_attr >> 16)
            what = "folder" if info.is_dir() else "file"
            if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
                what = "a link" if mode == stat.S_IFLNK else "a device"
            elif info.flag_bits & 1:
                what = "encrypted"
            yield Member(info.filename, what, info.file_size, partial(archive.open, info))
            progress(info.compress_size)


class _BoundedHeader(tarfile.TarInfo):
    """A header of a tar. Headers that hold a name or attributes are read into memory whole: they may not be large."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_BoundedHeader":
        """Read a block."""
        found = super().frombuf(buf, encoding, errors)
        is_plain = found.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
        if not is_plain and found.size > _MOST_HEADER:
            raise BadArchive(f"a header of it has {found.size:,} bytes")
        return found


class _Tape(io.RawIOBase):
    """The bytes of a tar as they come, the last of which can be looked at again."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._last = (b"", b"")
        self._end = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self._last = (self._last[1], data)
        self._end += len(data)
        return data

    def look_at(self, offset: int) -> bytes:
        """The block at a place that was read last."""
        kept = b"".join(self._last)
        start = offset - (self._end - len(kept))
        return kept[start : start + tarfile.BLOCKSIZE] if start >= 0 else b""


def _list_tar(data: IO[bytes], file: IO[bytes], progress: Callable[[int], None]) -> Iterator[Member]:
    """The members of a tar that is read once, from front to back. `file` is what `data` is unpacked from."""
    tape, at = _Tape(data), 0
    with tarfile.open(fileobj=tape, mode="r|", bufsize=_TAPE, tarinfo=_BoundedHeader) as archive:
        while (info := archive.next()) is not None:
            yield Member(info.name, _name_type(info), info.size, partial(_open_member, archive, info))
            cast(Any, archive).members = []  # tarfile keeps them all
            progress(file.tell() - at)
            at = file.tell()
        # A header that cannot be read ends the loop just as the mark at the end does.
        if tape.look_at(archive.offset) != bytes(tarfile.BLOCKSIZE):
            raise EOFError("it ends without the mark at the end of a tar")
    while tape.read(_CHUNK):  # to the checksum of what it is packed in
        pass
    progress(file.tell() - at)


def _name_type(info: tarfile.TarInfo) -> str:
    if info.isdir():
        return "folder"
    if info.issparse():
        return "a sparse file"
    if info.isreg():
        return "file"
    return "a link" if info.issym() or info.islnk() else "a device"


def _open_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    found = archive.extractfile(info)
    assert found is not None
    return found


@contextmanager
def open_parts(parts: Sequence[Path]) -> Iterator[IO[bytes]]:
    """Open a file, or several that are read as if they were one."""
    with ExitStack() as stack:
        files = [stack.enter_context(part.open("rb")) for part in parts]
        yield files[0] if len(files) == 1 else cast(IO[bytes], io.BufferedReader(_Joined(files), _CHUNK))


class _Joined(io.RawIOBase):
    """Files one after another, as one that can be read and sought in."""

    def __init__(self, files: Sequence[IO[bytes]]) -> None:
        self._files = files
        self._sizes = [os.fstat(file.fileno()).st_size for file in files]
        self._at = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: sum(self._sizes)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read up to the end of the file that it is in."""
        start = 0
        for file, size in zip(self._files, self._sizes, strict=True):
            if self._at < start + size:
                file.seek(self._at - start)
                data = file.read(len(buffer))
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)
            start += size
        return 0
