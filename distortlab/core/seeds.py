"""Randomness by address: the same words give the same numbers, whoever asks, in whatever order.

Only the raw 64-bit output of PCG64DXSM is used. NumPy promises that stream for good; it does not promise the
methods of `Generator` (NEP 19), and a data set must come out the same under next year's NumPy. Where a handful of
numbers is wanted, to choose or shuffle with, they are taken from the digest of the address: seeding costs more.
"""

import hashlib
import json
import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from operator import index
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Source", "Stream", "short_stream", "stream"]

T = TypeVar("T")


class Source(ABC):
    """A source of random choices for one address."""

    @abstractmethod
    def draw_integers(self, count: int) -> Sequence[int]:
        """The next `count` uniform integers in [0, 2**64)."""

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A float in [low, high), with 53 random bits."""
        return low + (high - low) * ((self.draw_integers(1)[0] >> 11) / (1 << 53))

    def below(self, bound: int) -> int:
        """An integer in [0, bound)."""
        return (self.draw_integers(1)[0] * bound) >> 64

    def permute(self, items: Sequence[T]) -> list[T]:
        """The items in random order (Fisher-Yates)."""
        out = list(items)
        words = self.draw_integers(max(len(out) - 1, 0))
        for i, word in zip(range(len(out) - 1, 0, -1), words, strict=True):
            j = (word * (i + 1)) >> 64
            out[i], out[j] = out[j], out[i]
        return out

    def choose_index(self, weights: Sequence[float]) -> int:
        """A place in the list, drawn in proportion to its weight."""
        total = float(sum(weights))
        point = self.uniform(0.0, total)
        for place, weight in enumerate(weights):
            point -= weight
            if point < 0:
                return place
        return max(i for i, w in enumerate(weights) if w > 0)


class Stream(Source):
    """A source of any amount of random numbers for one address. `seed` holds the 32-bit words of a whole number, the
    lowest first: NumPy takes them in half the time that the number would take.
    """

    def __init__(self, seed: NDArray[np.uint32]) -> None:
        self._bits = np.random.PCG64DXSM(seed)

    def draw_integers(self, count: int) -> list[int]:
        """The next `count` words as integers."""
        # One word comes as an integer, in a fifth of the time of an array.
        return [self._bits.random_raw()] if count == 1 else self.words(count).tolist()

    def words(self, count: int) -> NDArray[np.uint64]:
        """`count` uniform 64-bit words."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)

    def skip(self, count: int) -> None:
        """Leave out the next `count` words, in no time."""
        self._bits.advance(count)

    def uint16(self, shape: tuple[int, ...]) -> NDArray[np.uint16]:
        """Uniform 16-bit integers, the same ones on every byte order."""
        size = int(np.prod(shape))
        words = self.words(-(-size // 4)).astype("<u8", copy=False)
        return words.view("<u2")[:size].reshape(shape).astype(np.uint16, copy=False)


class _ShortStream(Source):
    """The output of SHAKE-128 in words of 64 bits. Where it runs out it is made again, twice as long."""

    def __init__(self, address: bytes) -> None:
        self._hash, self._output, self._used = hashlib.shake_128(address), b"", 0

    def draw_integers(self, count: int) -> tuple[int, ...]:
        """The next `count` words."""
        start, self._used = self._used, self._used + count
        if 8 * self._used > len(self._output):
            self._output = self._hash.digest(max(self._hash.block_size, 16 * self._used))
        return struct.unpack_from(f"<{count}Q", self._output, 8 * start)


def stream(*address: str | int) -> Stream:
    """The random numbers of an address: the same address gives the same numbers, on every machine, in any order.

    Parameters
    ----------
    address
        Texts and whole numbers, e.g. `stream(seed, image_id, "noise.gaussian_rgb")`. Its parts are kept apart, so
        ("a", "bc") and ("ab", "c") differ, and so do 1 and "1". It takes the place of `seed + i`, with which
        neighbouring seeds would share most of their items.

    Returns
    -------
    Stream
        A new stream, at its beginning.

    Raises
    ------
    TypeError
        For a part that is neither a text nor a whole number.

    Examples
    --------
    >>> from distortlab.core.seeds import stream
    >>> stream(0, "image 17", "angle").below(360)
    271
    >>> stream(0, "image 17", "angle").below(360)
    271
    >>> stream(0, "image 18", "angle").below(360)
    265
    """
    return Stream(np.frombuffer(hashlib.sha256(_spell_address(address)).digest(), "<u4", 4).astype(np.uint32))


def short_stream(*address: str | int) -> Source:
    """A handful of random numbers of an address, at a quarter of the cost of those of `stream`, which are others.

    Parameters and errors are those of `stream`.

    Examples
    --------
    >>> from distortlab.core.seeds import short_stream
    >>> short_stream(0, "image 17", "variant").permute("abcd")
    ['c', 'a', 'b', 'd']
    """
    return _ShortStream(_spell_address(address))


def _spell_address(address: Sequence[str | int]) -> bytes:
    """An address in bytes that no other has."""
    # JSON keeps the parts apart, whatever is in them, and spells what is not text as escapes.
    return json.dumps([part if isinstance(part, str) else index(part) for part in address]).encode()
