"""Where boxes lie: what one and the same box for every image is worth, next to what it would be worth by chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distortlab.analysis.blind_questions import FOLDS, BlindBox
from distortlab.core.seeds import stream

__all__ = ["BoxScores", "box_iou", "find_best_box", "score_box_guesses"]

Boxes = NDArray[np.float64]
"""(n, 4): x1, y1, x2, y2 as shares of width and height."""
Scores = NDArray[np.float64]
"""(n,): the IoU of a guess with each true box."""

_MAX_LEARNED = 2_000
_STEPS = (0.1, 0.05, 0.02, 0.01)
_MIN_BOXES = 50


@dataclass(frozen=True, slots=True)
class BoxScores:
    """The IoU of one way to guess boxes, and that of what it is compared with, for every question.

    Parameters
    ----------
    kind
        Whether it sees metadata, or only where other boxes lie.
    predictor
        Its name.
    sees
        What it sees, in words.
    scores
        IoU of its guess, (n,) in 0 to 1.
    chance
        IoU of a guess that is no better than chance, (n,) in 0 to 1.
    """

    kind: Literal["metadata", "position"]
    predictor: str
    sees: str
    scores: Scores
    chance: Scores


def score_box_guesses(boxes: Sequence[BlindBox]) -> list[BoxScores]:
    """Score the best constant box, the box of another question, and the best box for images of a size.

    The first two are compared with the same guess where boxes of the same sizes lie anywhere; the third, which is to be
    no better, with the first.

    Parameters
    ----------
    boxes
        The boxes of all grounding questions.

    Returns
    -------
    Three sets of scores, none for fewer than 50 boxes.
    """
    if len(boxes) < _MIN_BOXES:
        return []
    sizes = np.array([one.size for one in boxes], np.float64)
    folds = np.array([one.fold for one in boxes])
    true = np.array([one.box for one in boxes], np.float64) / np.tile(sizes, 2)
    anywhere = _move_boxes(true)
    constant = _score_constant_boxes(true, folds)
    order = stream("boxes", "another").permute(range(len(true)))
    return [
        BoxScores("position", "one box", "where boxes lie", constant, _score_constant_boxes(anywhere, folds)),
        BoxScores(
            "position",
            "another's box",
            "the box of another question",
            box_iou(true[order], true),
            box_iou(anywhere[order], anywhere),
        ),
        BoxScores(
            "metadata",
            "image size",
            "width and height",
            _score_constant_boxes(true, folds, _group_by_size(sizes)),
            constant,
        ),
    ]


def box_iou(guess: Boxes, true: Boxes) -> Scores:
    """The IoU of one box (4,) with each of the true ones (n, 4), or of n boxes (n, 4) with their true ones."""
    x1, y1, x2, y2 = guess.T
    width = np.minimum(x2, true[:, 2]) - np.maximum(x1, true[:, 0])
    height = np.minimum(y2, true[:, 3]) - np.maximum(y1, true[:, 1])
    common = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (true[:, 2] - true[:, 0]) * (true[:, 3] - true[:, 1])
    return np.asarray(common / (areas + (x2 - x1) * (y2 - y1) - common))


def find_best_box(true: Boxes) -> NDArray[np.float64]:
    """The box (4,) with the greatest mean IoU, as far as a climb from the median box finds it."""
    true = true[:: max(1, len(true) // _MAX_LEARNED)]
    box = np.median(true, axis=0)
    best = float(box_iou(box, true).mean())
    for step in _STEPS:
        improved = True
        while improved:
            improved = False
            # A change that helps is kept at once: the next edge is moved from there.
            for edge, offset in ((edge, offset) for edge in range(4) for offset in (-step, step)):
                candidate = box.copy()
                candidate[edge] = min(1.0, max(0.0, candidate[edge] + offset))
                if candidate[0] >= candidate[2] or candidate[1] >= candidate[3]:
                    continue
                mean = float(box_iou(candidate, true).mean())
                if mean > best + 1e-9:
                    box, best, improved = candidate, mean, True
    return box


def _score_constant_boxes(true: Boxes, folds: NDArray[np.intp], groups: NDArray[np.intp] | None = None) -> Scores:
    """The IoU of every true box with the best box of its group (of all boxes without `groups`), learned on the other
    folds. Groups of fewer than 50 boxes have the best box of all.
    """
    scores = np.zeros(len(true))
    for fold in range(FOLDS):
        own, others = folds == fold, folds != fold
        if not others.any():
            continue
        best = find_best_box(true[others])
        scores[own] = box_iou(best, true[own])
        for group in np.unique(groups[own]) if groups is not None else ():
            learned = (groups == group) & others
            if learned.sum() >= _MIN_BOXES:
                members = (groups == group) & own
                scores[members] = box_iou(find_best_box(true[learned]), true[members])
    return scores


def _move_boxes(true: Boxes) -> Boxes:
    """The same boxes, each anywhere in its image."""
    free = 1 - (true[:, 2:] - true[:, :2])
    words = stream("boxes", "moved").words(2 * len(true)).reshape(-1, 2)
    start = free * ((words >> np.uint64(11)) / float(1 << 53))
    return np.hstack([start, start + (true[:, 2:] - true[:, :2])])


def _group_by_size(sizes: NDArray[np.float64]) -> NDArray[np.intp]:
    """A number for every image; images of like width and height (to 64 px) have the same."""
    _, groups = np.unique(sizes.astype(int) // 64, axis=0, return_inverse=True)
    return groups.reshape(-1)
