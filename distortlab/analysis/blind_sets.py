"""What an answer to the diagnosis question is worth that does not depend on the image, and what one is that sees only
metadata.

Chance is the best of a few constant answers, chosen on other references: the empty list, the whole frame and one box,
each with the type and severity that are most often right. Predictors choose one of them by what they see.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distortlab.analysis.blind_boxes import find_best_box
from distortlab.analysis.blind_questions import FOLDS, BlindSet
from distortlab.tasks.diagnosis import GRADING, Comparison
from distortlab.tasks.matching import match_regions
from distortlab.tasks.region_lists import DistortedRegion
from distortlab.tasks.terms import LEVELS

__all__ = ["CONSTANTS", "SetScores", "list_constants", "score_constants", "score_set_guesses"]

Answer = tuple[DistortedRegion, ...]
Scores = NDArray[np.float64]

CONSTANTS = ("the empty list", "the whole frame", "one box")
"""What `list_constants` returns, in words."""
_FRAME = (0.0, 0.0, 1.0, 1.0)
_MIDDLE = (0.25, 0.25, 0.75, 0.75)
_LEAST = 30
"""Questions of which something is learned."""


@dataclass(frozen=True, slots=True)
class SetScores:
    """The score of one way to guess, and that of the best constant answer, for every question: both (n,) in 0 to 1."""

    kind: Literal["prompt", "metadata", "pixels", "position"]
    predictor: str
    sees: str
    questions: Sequence[BlindSet]
    scores: Scores
    chance: Scores


def score_set_guesses(questions: Sequence[BlindSet]) -> list[SetScores]:
    """Score every constant answer, and every predictor that chooses one of them.

    Parameters
    ----------
    questions
        Those of the task diagnosis.

    Returns
    -------
    A row for each; none for fewer than 30 questions.
    """
    if len(questions) < _LEAST:
        return []
    table = score_constants(questions)
    folds = np.array([question.fold for question in questions])
    chance = _choose(table, folds, [0] * len(questions))
    rows = [
        SetScores("position", name, f"nothing: always {name}", questions, table[:, column], chance)
        for column, name in enumerate(CONSTANTS)
    ]
    rows.append(SetScores("prompt", "order", "which type stands first", questions, _guess_by_order(questions), chance))
    for kind, name, sees, find_group in _GROUPS:
        groups = [find_group(question) for question in questions]
        known = [at for at, group in enumerate(groups) if group is not None]
        if len(known) >= _LEAST:
            part = table[known], folds[known]
            scores = _choose(*part, [groups[at] for at in known])
            own = [questions[at] for at in known]
            rows.append(SetScores(kind, name, sees, own, scores, _choose(*part, [0] * len(known))))
    return rows


def list_constants(questions: Sequence[BlindSet]) -> tuple[Answer, ...]:
    """The constant answers for some questions: the empty list, and two boxes with what is most often right."""
    whole = [question.regions[0] for question in questions if question.is_whole]
    local = [region for question in questions if not question.is_whole for region in question.regions]
    boxes = np.array([region.box for region in local], np.float64).reshape(-1, 4)
    best = tuple(float(edge) for edge in find_best_box(boxes)) if len(boxes) else _MIDDLE
    return (), (_make_region(_FRAME, whole or local),), (_make_region(best, local or whole),)


def _make_region(box: Sequence[float], regions: Sequence[DistortedRegion]) -> DistortedRegion:
    """A region with the most frequent type, and the severity that is worth most beside it."""
    families = Counter(region.family for region in regions)
    family = max(families, key=lambda name: (families[name], name or ""), default="blur")
    levels = Counter(region.severity for region in regions if region.family == family)

    def total_grade(severity: int) -> float:
        return sum(n * GRADING.severity_grades[abs(severity - (level or 1))] for level, n in levels.items())

    x1, y1, x2, y2 = box
    return DistortedRegion((x1, y1, x2, y2), family, max(range(1, len(LEVELS) + 1), key=total_grade))


def score_constants(questions: Sequence[BlindSet]) -> Scores:
    """The score of every constant answer, learned on other folds, for every question: (n, 3)."""
    table = np.zeros((len(questions), len(CONSTANTS)))
    for fold in range(FOLDS):
        answers = list_constants([question for question in questions if question.fold != fold])
        for row, question in enumerate(questions):
            if question.fold == fold:
                table[row] = [_score(answer, question) for answer in answers]
    return table


def _score(answer: Answer, question: BlindSet) -> float:
    return GRADING.value(Comparison(True, len(answer), match_regions(answer, question.regions)))


def _choose(table: Scores, folds: NDArray[np.int_], groups: Sequence[Hashable]) -> Scores:
    """What the constant answer is worth that is best for the group of a question on other folds; where too little is
    learned of a group, that which is best for all.
    """
    members: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    scores = np.zeros(len(table))
    for fold in range(FOLDS):
        others = table[folds != fold]
        best = int(others.mean(axis=0).argmax()) if len(others) else 0
        for rows in (np.array(rows) for rows in members.values()):
            own, learned = rows[folds[rows] == fold], table[rows[folds[rows] != fold]]
            scores[own] = table[own, int(learned.mean(axis=0).argmax()) if len(learned) >= _LEAST else best]
    return scores


def _guess_by_order(questions: Sequence[BlindSet]) -> Scores:
    """The whole frame with the type that stands where true types most often stand on other folds."""
    hits: Mapping[int, Counter[int]] = {fold: Counter() for fold in range(FOLDS)}
    for question in questions:
        hits[question.fold].update(map(question.types.index, question.families))
    scores = np.zeros(len(questions))
    for row, question in enumerate(questions):
        others = sum((hits[fold] for fold in range(FOLDS) if fold != question.fold), Counter[int]())
        place = max(range(len(question.types)), key=lambda at: others[at])
        scores[row] = _score((DistortedRegion(_FRAME, question.types[place], 3),), question)
    return scores


def _find_size(question: BlindSet) -> Hashable:
    return question.size[0] // 64, question.size[1] // 64


def _find_file_size(question: BlindSet) -> Hashable | None:
    return None if question.bytes_per_pixel is None else round(6 * float(np.log2(question.bytes_per_pixel)))


_GROUPS: Sequence[tuple[Literal["metadata", "pixels"], str, str, Callable[[BlindSet], Hashable | None]]] = (
    ("metadata", "image size", "width and height", _find_size),
    ("metadata", "row", "image number", lambda question: question.image_number % 12),
    ("pixels", "file size", "bytes per pixel of the image's file", _find_file_size),
)
