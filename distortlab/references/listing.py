"""What sources that know all of their entries have in common: counts by name and reason, and the order of entries."""

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Generic, TypeVar

from distortlab.references.base import Entry

__all__ = ["CountedReferences", "ListedReferences", "hash_order"]

E = TypeVar("E", bound=Entry)


def hash_order(text: str) -> str:
    """A key that sorts texts in an order that is the same everywhere and has nothing to do with what they say."""
    return hashlib.sha256(text.encode()).hexdigest()


class CountedReferences(ABC):
    """References whose entries, names and omissions are counted when they are opened."""

    def __init__(self) -> None:
        self._skipped: Counter[str] = Counter()
        self._names: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()

    def _count_names(self, names: Collection[str]) -> None:
        """Count the distinct names of one entry."""
        self._names.update(names)
        self._alone.update(names if len(names) == 1 else ())

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of entries."""

    @property
    def vocabulary(self) -> Mapping[str, float]:
        """Names with the share of entries where such an object could be distorted; empty where nobody named them."""
        return {name: count / self.count for name, count in self._names.most_common()}

    @property
    def alone(self) -> Mapping[str, float]:
        """Names with the share of entries where nothing of another name could be distorted."""
        return {name: count / self.count for name, count in self._alone.most_common()}

    @property
    def skipped(self) -> Mapping[str, int]:
        """What was left out while listing, by reason."""
        return dict(self._skipped)


class ListedReferences(CountedReferences, Generic[E]):
    """References whose entries are all listed, in the order of the hashes of their ids."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[E] = ()

    @property
    def count(self) -> int:
        """Number of entries."""
        return len(self._entries)

    def entries(self, count: int) -> Sequence[E]:
        """The first `count` entries in the order of the hashes of their ids: however many, a fair sample."""
        return self._entries[:count]
