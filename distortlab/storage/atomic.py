"""Writing so that nothing half-written is ever taken for whole: temp file, fsync, rename."""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from distortlab.core.errors import BuildFailed, UserError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "HashedFile",
    "add_seal",
    "create_text",
    "explain_os_errors",
    "find_seal_fault",
    "find_seal_fault_in",
    "format_json",
    "hash_file",
    "hidden_folder",
    "is_disk_full",
    "is_temporary",
    "new_file",
    "parse_json",
    "read_json",
    "write_json",
    "write_text",
]


_DRAIN_BYTES = 32 << 20


class HashedFile:
    """A binary file that is hashed as it is written. Enough of a file for pyarrow.

    While a large file grows, a thread brings it to the disk piece by piece and lets the system forget the pages: a
    build writes far more than fits in memory, keeping it would push out everything else, and the writing itself gets
    cheaper (docs/performance.md).
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._drained = 0
        self._drain: ThreadPoolExecutor | None = None
        self._end: bytearray | None = None
        self.size = 0
        self.closed = False

    def write(self, data: "Buffer") -> int:
        """Write and hash."""
        view = memoryview(data)
        self._file.write(view)
        self._hash.update(view)
        if self._end is not None:
            self._end += view
        self.size += view.nbytes
        if self.size - self._drained > _DRAIN_BYTES:
            self._drain = self._drain or ThreadPoolExecutor(1)
            self._drain.submit(_to_disk, self._file.fileno(), self._drained, self.size)
            self._drained = self.size
        return view.nbytes

    def keep_end(self) -> None:
        """Keep what is written from now on, as `end`: the footer of a table, whose hash is wanted by itself."""
        self._end = bytearray()

    @property
    def end(self) -> bytes:
        """What was written since `keep_end`."""
        return bytes(self._end or b"")

    def stop(self) -> None:
        """Wait for the thread."""
        if self._drain:
            self._drain.shutdown()

    def tell(self) -> int:
        """Bytes so far."""
        return self.size

    def flush(self) -> None:
        """Hand everything to the system."""
        self._file.flush()

    def close(self) -> None:
        """The file is closed by whoever opened it."""

    def writable(self) -> bool:
        """True."""
        return True

    def readable(self) -> bool:
        """False."""
        return False

    def seekable(self) -> bool:
        """False: what is hashed is written once, in order."""
        return False

    @property
    def sha256(self) -> str:
        """Of everything written."""
        return self._hash.hexdigest()


@contextmanager
def new_file(path: Path) -> Iterator[HashedFile]:
    """Open a file that appears under its name whole or not at all, when the context ends; until then it is hidden.

    Parameters
    ----------
    path
        Its name; folders are made. Until the file is whole it is `.name.*.tmp` beside it.

    Yields
    ------
    HashedFile
        To be written to, in order.

    Raises
    ------
    UserError
        Where no file can be made there.
    BuildFailed
        Where the disk is full.
    """
    hidden = _temporary_name(path)
    try:
        with explain_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = hidden.open("wb")
        with explain_os_errors(path, full_only=True), file:
            hashed = HashedFile(file)
            try:
                yield hashed
            finally:
                hashed.stop()
            file.flush()
            os.fsync(file.fileno())
        with explain_os_errors(path):
            hidden.replace(path)
            _sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            hidden.unlink(missing_ok=True)


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")


def is_temporary(name: str) -> bool:
    """Whether a file name is one of those that a killed run leaves behind."""
    return re.fullmatch(r"\..+\.[0-9a-f]{8}\.tmp", name) is not None


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def explain_os_errors(path: Path, full_only: bool = False) -> Iterator[None]:
    """One sentence for what the system refuses.

    Parameters
    ----------
    path
        What is written.
    full_only
        Only for a full disk, as other errors may be of another file.

    Raises
    ------
    UserError
        Where it cannot be written; `BuildFailed` where the disk is full.
    """
    try:
        yield
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        if is_disk_full(error):
            raise BuildFailed(
                f"{path} could not be written: {why}; make room and run the same command again"
            ) from error
        if not full_only:
            raise UserError(f"{path} cannot be written: {why}") from error
        raise


def is_disk_full(error: OSError) -> bool:
    """Whether an error says that the disk, a quota or the allowed size of a file is used up."""
    return error.errno in _FULL


@contextmanager
def hidden_folder(path: Path) -> Iterator[Path]:
    """A new hidden folder beside a path, `.name.*.tmp`; it is removed at the end with what was not moved out of it.

    Parameters
    ----------
    path
        What will stand there; folders above it are made.

    Yields
    ------
    Path
        The folder.

    Raises
    ------
    UserError
        Where it cannot be made.
    """
    hidden = _temporary_name(path)
    with explain_os_errors(path):
        hidden.mkdir(parents=True)
    try:
        yield hidden
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _to_disk(handle: int, start: int, stop: int) -> None:
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):  # what is really wrong, the last fsync says
            os.fdatasync(handle)
            os.posix_fadvise(handle, start, stop - start, os.POSIX_FADV_DONTNEED)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # folders cannot be opened on Windows
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with new_file(path) as file:
        file.write(text.encode())


def create_text(path: Path, text: str) -> bool:
    """Write a text file where there is none; return False where there is one.

    Of two that try at once, one gets False.
    """
    whole = _temporary_name(path)
    write_text(whole, text)
    try:
        with explain_os_errors(path):
            return _give_name(whole, path)
    finally:
        whole.unlink(missing_ok=True)


def _give_name(whole: Path, path: Path) -> bool:
    try:
        os.link(whole, path)  # unlike a rename, never over another file
    except FileExistsError:
        return False
    except (OSError, AttributeError):  # a file system without hard links
        if path.exists():
            return False
        whole.replace(path)
    return True


def format_json(value: object) -> str:
    """Return a value as this package writes JSON: sorted, so that the same value is the same file."""
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def write_json(path: Path, value: object) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, format_json(value))


def read_json(path: Path) -> object:
    """Return what a JSON file holds, or None where there is no file or no JSON in it."""
    try:
        return parse_json(path.read_bytes())
    except OSError:
        return None


def parse_json(data: bytes | None) -> object:
    """Return the value of a JSON text, or None where it is none or nested too deeply."""
    try:
        return None if data is None else json.loads(data)
    except (ValueError, RecursionError):
        return None


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def add_seal(value: Mapping[str, object]) -> dict[str, object]:
    """Return a JSON object with a hash of itself: damage shows, whichever byte it hits."""
    return {**value, "seal": _seal(value)}


def _seal(value: Mapping[str, object]) -> str:
    return hashlib.sha256(format_json(value).encode()).hexdigest()


def find_seal_fault(path: Path) -> str | None:
    """Say what is wrong with a file with a seal, or return None. One that never had a seal is right."""
    try:
        return find_seal_fault_in(path.read_bytes())
    except OSError:
        return "cannot be read"


def find_seal_fault_in(data: bytes) -> str | None:
    """Say what is wrong with the bytes of a file with a seal, or return None."""
    value = parse_json(data)
    if not isinstance(value, dict):
        return "cannot be read"
    content = {key: part for key, part in value.items() if key != "seal"}
    if "seal" in value and value["seal"] != _seal(content):
        return "is not as it was written: it does not fit its seal"
    if data != format_json(value).encode():
        return "is not as it was written: the text around the values has changed"
    return None
