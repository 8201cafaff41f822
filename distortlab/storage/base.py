"""Where a data set lies: a folder, or a prefix in an object store. Everything that builds and checks goes through here.

A folder is written in place, by `files`. An object store (`object_store`) gets whole files, put once. Any fsspec URL is
one: `s3://bucket/prefix` with s3fs, `gs://` with gcsfs, `memory://` for tests.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from distortlab.core.errors import UserError
from distortlab.storage.atomic import HashedFile, create_text, hash_file, is_temporary, new_file, parse_json, write_text
from distortlab.storage.locks import Hold, SharedLock
from distortlab.storage.object_store import Bucket

__all__ = ["Folder", "Storage", "is_url", "open_storage"]


class Storage(Protocol):
    """A place for a data set. Paths are relative, with `/`. Instances are small, frozen and picklable."""

    @property
    def shared(self) -> bool:
        """Whether other processes see what is written."""
        ...

    @property
    def place(self) -> Path | str:
        """The path of a folder, or the URL."""
        ...

    def prepare(self) -> None:
        """Make the place, where that is possible. Raises `UserError`."""
        ...

    def holds(self, name: str) -> bool:
        """Whether there is a file or folder of this name."""
        ...

    def is_used(self, names: Iterable[str]) -> bool:
        """Whether there is a file of one of these names, or below one, that is no leftover of a killed run."""
        ...

    def hold(self) -> AbstractContextManager[Hold]:
        """Say that this process works here, until the context ends."""
        ...

    def sizes(self, paths: Iterable[str]) -> dict[str, int]:
        """Bytes of those of the files that are there."""
        ...

    def find_damaged(self, entries: Mapping[str, Mapping[str, object]]) -> list[str]:
        """Those of the files that are there and not as they were written, by the hashes of their entries. An object
        store is taken at its word: it compares checksums itself, and reading would be downloading.
        """
        ...

    def read(self, path: str) -> bytes | None:
        """A small file, or None where there is none."""
        ...

    def read_json(self, path: str) -> object:
        """What a JSON file holds, or None where there is no file or no JSON in it."""
        ...

    def write_text(self, path: str, text: str) -> None:
        """A text file, whole or not at all."""
        ...

    def create_text(self, path: str, text: str) -> bool:
        """As `write_text`, but False where the file is there already: of two that try, one is told so."""
        ...

    def new_file(self, path: str) -> AbstractContextManager[HashedFile]:
        """A file that appears under its name whole or not at all."""
        ...

    def local(self, path: str) -> AbstractContextManager[Path]:
        """A file as a path of this machine, for as long as the context lasts. Raises `FileNotFoundError`."""
        ...

    def table_source(
        self, path: str, columns: list[str], group: int | None = None
    ) -> AbstractContextManager[Path | BinaryIO]:
        """A Parquet file, opened to read some of its columns, of one row group or of all."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Remove files and folders; those that are not there are none."""
        ...

    def leftovers(self, folders: Iterable[str]) -> list[str]:
        """What killed runs left in these folders, and what others are about to finish there."""
        ...


def is_url(place: object) -> bool:
    """Whether this is the URL of a store and not a path."""
    return isinstance(place, str) and bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]+:(//|:)", place))


def open_storage(place: "str | Path | Storage") -> Storage:
    """The storage that a path or a URL names. Nothing is read or written yet. Raises `UserError`."""
    if isinstance(place, (Folder, Bucket)):
        return place
    if not is_url(place):
        return Folder(Path(str(place)))
    url = str(place).rstrip("/")
    scheme, _, rest = url.partition("://")
    if "::" in scheme or not rest:
        raise UserError(f"{place} is not a place for a data set; write it as s3://bucket/prefix")
    if scheme in ("file", "local"):
        return Folder(Path(rest))
    if scheme in _NOT_STORES:
        raise UserError(f"{place} is not an object store: {_NOT_STORES[scheme]}")
    bucket = Bucket(url)
    bucket.library()
    return bucket


_NOT_STORES = {
    "hf": "every file would be a commit of its own; make the data set elsewhere, then distortlab push it",
    "http": "it cannot be written; s3://, gs:// and other stores that fsspec writes can",
    "https": "it cannot be written; s3://, gs:// and other stores that fsspec writes can",
}


# --- folders --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine, or of a file system that several machines share."""

    path: Path
    shared = True

    def __str__(self) -> str:
        return str(self.path)

    @property
    def place(self) -> Path | str:
        """The path."""
        return self.path

    def prepare(self) -> None:
        """Make the folder."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} is in use and is not a folder; choose another --out")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"the folder {self.path} cannot be made: {error.strerror}") from error

    def holds(self, name: str) -> bool:
        """Whether there is a file or folder of this name."""
        return (self.path / name).exists()

    def is_used(self, names: Iterable[str]) -> bool:
        """Whether there is a file that a killed run has not left."""
        places = [self.path / name for name in names]
        files = (path for place in places for path in ([place] if not _is_folder(place) else place.rglob("*")))
        return any(os.path.lexists(path) and not _is_folder(path) and not self._is_leftover(path) for path in files)

    def _is_leftover(self, path: Path) -> bool:
        return is_temporary(path.name) or path == self.path / _LOCK

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        """A lock on a file beside the plan."""
        lock = self.path / _LOCK
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"the folder {lock.parent} cannot be made: {error.strerror}") from error
        with SharedLock(lock) as held:
            yield held

    def sizes(self, paths: Iterable[str]) -> dict[str, int]:
        """Bytes of those of the files that are there."""
        found = {}
        for path in paths:
            with contextlib.suppress(OSError):
                found[path] = (self.path / path).stat().st_size
        return found

    def find_damaged(self, entries: Mapping[str, Mapping[str, object]]) -> list[str]:
        """By reading them whole."""
        there = ((self.path / path, path, entry) for path, entry in entries.items())
        return [path for file, path, entry in there if file.is_file() and hash_file(file) != entry["sha256"]]

    def read(self, path: str) -> bytes | None:
        """A small file, or None."""
        with contextlib.suppress(OSError):
            return (self.path / path).read_bytes()
        return None

    def read_json(self, path: str) -> object:
        """What a JSON file holds, or None."""
        return parse_json(self.read(path))

    def write_text(self, path: str, text: str) -> None:
        """A text file, whole or not at all."""
        write_text(self.path / path, text)

    def create_text(self, path: str, text: str) -> bool:
        """A text file where there is none."""
        return create_text(self.path / path, text)

    def new_file(self, path: str) -> AbstractContextManager[HashedFile]:
        """Written in place, hidden until it is whole."""
        return new_file(self.path / path)

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """The file itself."""
        if not (self.path / path).is_file():
            raise FileNotFoundError(path)
        yield self.path / path

    @contextmanager
    def table_source(self, path: str, columns: list[str], group: int | None = None) -> Iterator[Path]:
        """The path of the file."""
        yield self.path / path

    def remove(self, names: Iterable[str]) -> None:
        """Remove files and folders."""
        for name in names:
            path = self.path / name
            if _is_folder(path):
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def leftovers(self, folders: Iterable[str]) -> list[str]:
        """Hidden temporary files."""
        found = (path for folder in folders for path in (self.path / folder).glob(".*.tmp"))
        return [path.relative_to(self.path).as_posix() for path in found if is_temporary(path.name)]


_LOCK = "_distortlab/lock"


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
