"""COCO's compressed run lengths: decoded and checked, and columns taken from, or added to, a mask without decoding it.

The runs count down the columns of a mask, 0 and 1 in turn, beginning with 0: empty columns on either side of an object
lengthen the first and the last run only. Each run is a number in groups of 5 bits, the lowest first, one character
(48 + group + 32 if more follow) per group; from the fourth run on it is a difference to the run before the last, to
which a change of the last run is added all the same.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["decode_runs", "shift_ends"]


def decode_runs(counts: bytes, pixels: int) -> NDArray[np.int64] | None:
    """Decode the compressed run lengths of COCO.

    Parameters
    ----------
    counts
        The compressed string.
    pixels
        Rows times columns of the mask.

    Returns
    -------
    ndarray or None
        int64 (n,): lengths of runs of 0 and 1 in turn; None where they are not of exactly so many pixels.
    """
    codes = np.frombuffer(counts, np.uint8).astype(np.int64) - 48
    if not codes.size or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:
        return None
    last = np.flatnonzero((codes & 32) == 0)
    first = np.concatenate(([0], last[:-1] + 1))
    length = last - first + 1
    if length.max() > 6:
        return None
    place = np.arange(codes.size) - np.repeat(first, length)
    values = np.add.reduceat((codes & 31) << (5 * place), first)
    values -= np.where(codes[last] & 16, 1 << (5 * length), 0)
    runs = values.copy()
    runs[1::2] = np.cumsum(values[1::2])
    runs[2::2] = np.cumsum(values[2::2])
    return runs if runs.min() >= 0 and runs.sum() == pixels else None


def shift_ends(counts: bytes, first: int, last: int) -> bytes:
    """Lengthen the first and the last run.

    Parameters
    ----------
    counts
        The compressed runs of a mask that is not empty, so that there are two or more.
    first, last
        By how many pixels; less than 0 shortens them. It is not checked that so many are there.

    Returns
    -------
    bytes
        The compressed runs, as a mask of that width would be encoded.
    """
    head = 0
    while (counts[head] - 48) & 32:
        head += 1
    head += 1
    tail = len(counts) - 1
    while (counts[tail - 1] - 48) & 32:
        tail -= 1
    return b"".join(
        (_encode(_decode(counts[:head]) + first), counts[head:tail], _encode(_decode(counts[tail:]) + last))
    )


def _decode(code: bytes) -> int:
    value = 0
    for place, character in enumerate(code):
        value |= ((character - 48) & 31) << (5 * place)
    return value - (1 << (5 * len(code))) if (code[-1] - 48) & 16 else value


def _encode(value: int) -> bytes:
    out = bytearray()
    more = True
    while more:
        group = value & 31
        value >>= 5
        more = value != (-1 if group & 16 else 0)
        out.append(group + 48 + 32 * more)
    return bytes(out)
