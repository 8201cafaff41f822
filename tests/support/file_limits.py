"""A disk that is full, as far as the system lets one pretend."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

__all__ = ["limited_file_size"]


@contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: writing more fails as on a full disk."""
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
