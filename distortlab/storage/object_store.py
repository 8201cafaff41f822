"""A prefix in an object store, through fsspec: whole files, put once, and faults that pass tried again.

A stream opened for writing would publish what it has when an exception closes it, a Parquet writer even as a valid file
of fewer rows. So every file is made in a temporary file of this machine (`TMPDIR`) first.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from distortlab.core.errors import BuildFailed, UserError
from distortlab.storage.atomic import HashedFile, parse_json
from distortlab.storage.locks import Hold, NoLock

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["Bucket"]

T = TypeVar("T")
_WAITS_S = (1.0, 2.0, 4.0, 8.0)
"""Between tries, beyond the retries that the library of the store makes by itself."""
_FEW = 8
"""Up to so many files are looked at one by one; more are found by listing the prefix."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A prefix in an object store, by its fsspec URL without a final slash."""

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def shared(self) -> bool:
        """All but `memory://`."""
        return not self.url.startswith("memory:")

    @property
    def place(self) -> Path | str:
        """The URL."""
        return self.url

    def library(self) -> "AbstractFileSystem":
        """The fsspec file system. Raises `UserError` where the library for this kind of URL is not installed."""
        return _file_system(self.url)

    def prepare(self) -> None:
        """Nothing to make: prefixes are names."""

    def holds(self, name: str) -> bool:
        """Whether there is an object of this name, or one below it."""
        return bool(self._do(name, lambda fs, at: fs.exists(at)))

    def is_used(self, names: Iterable[str]) -> bool:
        """Whether there is any: files appear whole, and nothing is left of a killed run."""
        return any(self.holds(name) for name in names)

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        """Stores have no locks."""
        yield NoLock()

    def sizes(self, paths: Iterable[str]) -> dict[str, int]:
        """By one look at each, or one listing of the prefix where that is less work."""
        wanted = list(paths)
        if len(wanted) <= _FEW:
            sizes = {path: self._do(path, _size) for path in wanted}
            return {path: size for path, size in sizes.items() if size is not None}
        entries = self._do("", lambda fs, at: fs.find(at, detail=True)) or {}
        start = len(self.library()._strip_protocol(self.url)) + 1
        found = {name[start:]: int(info["size"]) for name, info in entries.items()}
        return {path: found[path] for path in wanted if path in found}

    def find_damaged(self, entries: Mapping[str, Mapping[str, object]]) -> list[str]:
        """None: the store compares checksums itself."""
        return []

    def read(self, path: str) -> bytes | None:
        """A small object, or None."""
        return self._do(path, lambda fs, at: bytes(fs.cat_file(at)))

    def read_json(self, path: str) -> object:
        """What a JSON object holds, or None."""
        return parse_json(self.read(path))

    def write_text(self, path: str, text: str) -> None:
        """One put."""
        self._put(path, lambda fs, at: fs.pipe_file(at, text.encode()))

    def create_text(self, path: str, text: str) -> bool:
        """One conditional put (`If-None-Match` on S3); stores without one are asked first."""
        try:
            self._put(path, lambda fs, at: fs.pipe_file(at, text.encode(), mode="create"))
        except FileExistsError:
            return False
        return True

    @contextmanager
    def new_file(self, path: str) -> Iterator[HashedFile]:
        """Written to a temporary file of this machine, put when it is whole."""
        with _temporary() as here:
            with here.open("wb") as file:
                hashed = HashedFile(file)
                try:
                    yield hashed
                finally:
                    hashed.stop()
            self._put(path, lambda fs, at: fs.put_file(str(here), at))
            arrived = self._do(path, _size)
            if arrived != hashed.size:
                raise BuildFailed(f"{self.url}/{path} has {arrived} bytes there and {hashed.size} here; run again")

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """A copy that is removed afterwards."""
        with _temporary() as here:
            if self._do(path, lambda fs, at: fs.get_file(at, str(here)) or True) is None:
                raise FileNotFoundError(path)
            yield here

    @contextmanager
    def table_source(self, path: str, columns: list[str], group: int | None = None) -> Iterator[BinaryIO]:
        """Only the bytes of these columns are fetched, side by side."""
        from fsspec.parquet import open_parquet_file

        groups = None if group is None else [group]
        options = {"columns": columns, "row_groups": groups, "engine": "pyarrow"}
        opened = self._do(path, lambda fs, at: open_parquet_file(at, fs=fs, **options))
        if opened is None:
            raise FileNotFoundError(path)
        with opened as file:
            yield file

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects and all below them."""
        for name in names:
            self._do(name, lambda fs, at: fs.rm(at, recursive=True))

    def leftovers(self, folders: Iterable[str]) -> list[str]:
        """None: files appear whole."""
        return []

    def _put(self, path: str, action: Callable[["AbstractFileSystem", str], object]) -> None:
        def put(fs: "AbstractFileSystem", at: str) -> bool:
            action(fs, at)
            return True

        if self._do(path, put) is None:
            raise UserError(f"{self.url} cannot be written: there is no such bucket; make it first, or check its name")

    def _do(self, path: str, action: Callable[["AbstractFileSystem", str], T]) -> T | None:
        """What the action returns, or None where there is no such object. Faults that may pass are tried again."""
        where = f"{self.url}/{path}".rstrip("/")
        for wait in (*_WAITS_S, None):
            try:
                fs = self.library()
                fs.invalidate_cache()  # other machines write here too
                return action(fs, fs._strip_protocol(where))
            except FileNotFoundError:
                return None
            except (FileExistsError, UserError):
                raise
            except Exception as error:  # every library has a tree of its own
                final = _final(error)
                if final:
                    raise UserError(f"{self.url}: {final}") from error
                if wait is None:
                    why = " ".join(str(error).split()) or type(error).__name__
                    raise BuildFailed(f"{where}: {why} (tried {len(_WAITS_S) + 1} times); run again later") from error
                time.sleep(wait)
        raise AssertionError("unreachable")


def _size(fs: "AbstractFileSystem", at: str) -> int:
    return int(fs.info(at)["size"])


@contextmanager
def _temporary() -> Iterator[Path]:
    try:
        handle, name = tempfile.mkstemp(prefix="distortlab-")
    except OSError as error:
        raise UserError(f"no temporary file can be made ({error.strerror}); point TMPDIR to a folder") from error
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@lru_cache(maxsize=16)
def _file_system(url: str) -> "AbstractFileSystem":
    scheme = url.partition("://")[0]
    try:
        import fsspec
    except ImportError as error:
        raise UserError(f"{url} needs fsspec: pip install 'refine-iqa[remote]'{_library(scheme)}") from error
    try:
        return fsspec.core.url_to_fs(url)[0]
    except ImportError as error:
        raise UserError(f"{url} cannot be opened: {error}{_library(scheme)}") from error
    except ValueError as error:
        raise UserError(f"{url} cannot be opened: {str(error)[:1].lower()}{str(error)[1:]}") from error


def _library(scheme: str) -> str:
    names = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
    return f" (pip install {names[scheme]})" if scheme in names else ""


def _final(error: Exception) -> str | None:
    """The sentence for a fault that trying again does not mend, or None."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    reason = " ".join(str(error).split())
    if kinds & {"NoCredentialsError", "DefaultCredentialsError", "NoAuthTokenError"}:
        return "no credentials were found (for S3: aws configure, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"
    if kinds & {"PartialCredentialsError", "ProfileNotFound", "CredentialRetrievalError", "TokenRetrievalError"}:
        return f"the credentials cannot be used: {reason}"
    if isinstance(error, PermissionError):
        return f"these credentials have no right to do this ({reason})"
    if isinstance(error, (TypeError, ValueError, NotImplementedError)):
        return reason or type(error).__name__
    return None
