"""What an engine runs: a piece of a data set that can be made in any process."""

from collections.abc import Callable
from typing import Protocol

from distortlab.generation.receipt import Receipt
from distortlab.storage.base import Storage

__all__ = ["Job", "Progress"]

Progress = Callable[[int], None]
"""Called with the number of images that were made since the last call."""


class Job(Protocol):
    """A shard to make. Instances can be pickled."""

    @property
    def images(self) -> int:
        """How many images it makes."""
        ...

    @property
    def out(self) -> Storage:
        """Where it writes."""
        ...

    def run(self, progress: Progress) -> Receipt:
        """Make the shard and return its receipt; where there is a receipt already, only return that."""
        ...
