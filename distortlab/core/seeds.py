"""Randomness by address: the same words give the same numbers, whoever asks, in whatever order.

Only the raw 64-bit output of PCG64DXSM is used. NumPy promises that stream for good; it does not promise the
methods of `Generator` (NEP 19), and a data set must come out the same under next year's NumPy.
"""

import hashlib
import json
from collections.abc import Sequence
from operator import index
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stream", "stream"]

T = TypeVar("T")


class Stream:
    """A source of random numbers for one address. `seed` holds the 32-bit words of a whole number, the lowest first:
    NumPy takes them in half the time that the number would take.
    """

    def __init__(self, seed: NDArray[np.uint32]) -> None:
        self._bits = np.random.PCG64DXSM(seed)

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

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A float in [low, high), with 53 random bits."""
        return low + (high - low) * ((int(self.words(1)[0]) >> 11) / (1 << 53))

    def below(self, bound: int) -> int:
        """An integer in [0, bound)."""
        return (int(self.words(1)[0]) * bound) >> 64

    def permute(self, items: Sequence[T]) -> list[T]:
        """The items in random order (Fisher-Yates)."""
        out = list(items)
        words = self.words(max(len(out) - 1, 0)).tolist()
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
    # JSON keeps the parts apart, whatever is in them, and spells what is not text as escapes.
    text = json.dumps([part if isinstance(part, str) else index(part) for part in address])
    return Stream(np.frombuffer(hashlib.sha256(text.encode()).digest(), "<u4", 4).astype(np.uint32))
