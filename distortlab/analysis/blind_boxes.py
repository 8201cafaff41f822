"""Where boxes lie: what one and the same box for every image is worth, next to what it would be worth by chance."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortlab.analysis.blind_predictors import FOLDS
from distortlab.core.seeds import stream

__all__ = ["BoxShortcut", "box_shortcuts", "mean_iou"]

Boxes = NDArray[np.float64]
"""(n, 4): x1, y1, x2, y2 as shares of width and height."""

_LEARNED = 2_000
_STEPS = (0.1, 0.05, 0.02, 0.01)
_FEWEST = 50
_Z95 = 1.96


class BoxShortcut(NamedTuple):
    """The values of a `Shortcut` after its task."""

    kind: Literal["metadata", "position"]
    predictor: str
    sees: str
    questions: int
    score: float
    chance: float
    margin: float


def box_shortcuts(questions: Sequence[tuple[Sequence[int], tuple[int, int], int]]) -> list[BoxShortcut]:
    """From (box in pixels, (width, height), fold) of every question: the best constant box, the box of another, and the
    best box for images of this size, which is to be no better. Nothing for fewer than 50 questions.
    """
    if len(questions) < _FEWEST:
        return []
    pixels = np.array([box for box, _, _ in questions], np.float64)
    sizes = np.array([size for _, size, _ in questions], np.float64)
    folds = np.array([fold for _, _, fold in questions])
    true = pixels / np.tile(sizes, 2)
    everywhere = _moved(true)
    one, other = _constant(true, folds, folds * 0), _constant(everywhere, folds, folds * 0)
    shapes = _by_shape(sizes)
    order = stream("boxes", "another").shuffled(range(len(true)))
    another, chance = _ious(true, order), _ious(everywhere, order)
    shaped = _constant(true, folds, shapes)
    return [
        _result("position", "one box", "where boxes lie", one, float(other.mean()), one - other),
        _result(
            "position", "another's box", "the box of another question", another, float(chance.mean()), another - chance
        ),
        _result("metadata", "image size", "width and height", shaped, float(one.mean()), shaped - one),
    ]


def _result(
    kind: Literal["metadata", "position"],
    name: str,
    sees: str,
    scores: NDArray[np.float64],
    chance: float,
    excess: NDArray[np.float64],
) -> BoxShortcut:
    margin = _Z95 * float(excess.std(ddof=1)) / len(scores) ** 0.5
    return BoxShortcut(kind, name, sees, len(scores), float(scores.mean()), chance, margin)


def mean_iou(guess: Sequence[float], true: Boxes) -> NDArray[np.float64]:
    """The IoU of a box with each of the true ones."""
    x1, y1, x2, y2 = guess
    wide = np.minimum(x2, true[:, 2]) - np.maximum(x1, true[:, 0])
    high = np.minimum(y2, true[:, 3]) - np.maximum(y1, true[:, 1])
    common = np.maximum(wide, 0) * np.maximum(high, 0)
    areas = (true[:, 2] - true[:, 0]) * (true[:, 3] - true[:, 1])
    return common / (areas + (x2 - x1) * (y2 - y1) - common)


def _ious(true: Boxes, order: Sequence[int]) -> NDArray[np.float64]:
    return np.concatenate([mean_iou(true[at], row[None]) for at, row in zip(order, true, strict=True)])


def best_box(true: Boxes) -> tuple[float, ...]:
    """The box with the greatest mean IoU, as far as a climb from the median box finds it."""
    true = true[:: max(1, len(true) // _LEARNED)]
    box = [float(edge) for edge in np.median(true, axis=0)]
    best = float(mean_iou(box, true).mean())
    for step in _STEPS:
        better = True
        while better:
            better = False
            for edge in range(4):
                for way in (-step, step):
                    tried = list(box)
                    tried[edge] = min(1.0, max(0.0, tried[edge] + way))
                    if tried[0] >= tried[2] or tried[1] >= tried[3]:
                        continue
                    worth = float(mean_iou(tried, true).mean())
                    if worth > best + 1e-9:
                        box, best, better = tried, worth, True
    return tuple(box)


def _constant(true: Boxes, folds: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """The IoU of every true box with the best box of its group, learned on the other folds."""
    scores = np.zeros(len(true))
    for fold in range(FOLDS):
        others = folds != fold
        if not others.any():
            continue
        common = best_box(true[others])
        for group in np.unique(groups):
            own, learned = (groups == group) & ~others, (groups == group) & others
            if own.any():
                guess = best_box(true[learned]) if learned.sum() >= _FEWEST and len(set(groups)) > 1 else common
                scores[own] = mean_iou(guess, true[own])
    return scores


def _moved(true: Boxes) -> Boxes:
    """The same boxes, each anywhere in its image."""
    free = 1 - (true[:, 2:] - true[:, :2])
    words = stream("boxes", "moved").words(2 * len(true)).reshape(-1, 2)
    start = free * ((words >> np.uint64(11)) / float(1 << 53))
    return np.hstack([start, start + (true[:, 2:] - true[:, :2])])


def _by_shape(sizes: NDArray[np.float64]) -> NDArray[np.intp]:
    """Images in groups of like width and height."""
    known: Mapping[Any, int] = defaultdict(lambda: len(known))
    return np.array([known[int(w) // 64, int(h) // 64] for w, h in sizes], np.intp)
