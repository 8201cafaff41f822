"""A lock that everybody who works in a folder holds together, so that one can know whether others do.

The system lets go of it when a process ends, however it ends; nobody has to break it. Where a file system knows no
locks, nobody is seen.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from distortlab.core.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Hold", "NoLock", "SharedLock"]

_POLL_S = 0.05
_PATIENCE_S = 20.0


class Hold(Protocol):
    """What is held while work goes on in a place."""

    def alone(self, patience_s: float = 0.0) -> contextlib.AbstractContextManager[bool]:
        """Whether nobody else works there; if so, nobody begins before the context ends."""
        ...


class NoLock:
    """For places without locks: others are not seen."""

    @contextmanager
    def alone(self, patience_s: float = 0.0) -> Iterator[bool]:
        """Always."""
        yield True


class SharedLock:
    """A lock file, held together with others until the context ends. Raises `UserError` where one keeps all out."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "SharedLock":
        self._file = _open_lock_file(self._path)
        if not _take_lock(self._file, exclusive=False, patience_s=_PATIENCE_S):
            os.close(self._file)
            raise UserError(f"{self._path.parent.parent} is being cleared by another run; try again when it has ended")
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._file)

    @contextmanager
    def alone(self, patience_s: float = 0.0) -> Iterator[bool]:
        """Whether nobody else holds it, within `patience_s`."""
        alone = _take_lock(self._file, exclusive=True, patience_s=patience_s)
        try:
            yield alone
        finally:
            _take_lock(self._file, exclusive=False, patience_s=_PATIENCE_S)


def _open_lock_file(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        with contextlib.suppress(OSError):  # of another person with whom the folder is shared
            return os.open(path, os.O_RDONLY)
        raise UserError(f"{path} cannot be opened: permission denied") from None
    except OSError as error:
        raise UserError(f"{path} cannot be made: {(error.strerror or str(error)).lower()}") from error


def _take_lock(file: int, exclusive: bool, patience_s: float) -> bool:
    if fcntl is None:
        return True
    end = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_POLL_S)
        except OSError:  # this file system has no locks
            return True
        else:
            return True
