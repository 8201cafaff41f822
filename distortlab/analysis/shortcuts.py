"""What can be won without looking: the predictors of `guesses` on the questions of a data set, next to chance.

Chance is what the task's own score gives to one who knows how the data set was made and nothing of this question: any
candidate is as likely, and the severity is whichever one is worth most when it is always said. Predictors learn from
other references than those they guess for (five folds). A box is guessed as one and the same for every image; its
chance is the best such box where boxes of the same sizes lie anywhere.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from distortlab.analysis.blind_boxes import box_shortcuts
from distortlab.analysis.blind_predictors import (
    FOLDS,
    METADATA,
    PIXELS,
    PROMPT,
    Predictor,
    Question,
    best_level,
    guesses,
    value,
)
from distortlab.core.seeds import stream
from distortlab.dataset.reader import Part, Stored
from distortlab.tasks import TASKS, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.terms import LEVELS

__all__ = ["Shortcut", "Shortcuts", "measured", "shortcuts"]

MOST = 6_000
"""Images whose questions are guessed: whole shards, at equal distances."""
SIZED = 600
"""Images whose files are measured: they must be read."""
_EFFECT = 0.01
_Z95, _Z = 1.96, 3.6
"""Of an interval of 95 %, and of a finding: one in 6,000, as there are some thirty predictors."""

Kind = Literal["prompt", "metadata", "pixels", "position"]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """What one predictor came to on one task: mean score, and chance with the half width of its 95 % interval.

    `kind`: it sees the prompt, the metadata, something that depends on the pixels, or where boxes lie.
    """

    task: str
    kind: Kind
    predictor: str
    sees: str
    questions: int
    score: float
    chance: float
    margin: float

    @property
    def leak(self) -> bool:
        """More than chance, beyond doubt, and by enough to matter."""
        excess = self.score - self.chance
        return excess > _EFFECT and excess > self.margin * _Z / _Z95

    @property
    def inside(self) -> bool:
        """Not above the 95 % interval of chance."""
        return self.score <= self.chance + self.margin


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """All of them, and from how many images."""

    images: int
    of: int
    rows: tuple[Shortcut, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks, each once."""
        return tuple(dict.fromkeys(row.task for row in self.rows))

    @property
    def leaks(self) -> tuple[Shortcut, ...]:
        """Those by which a model could win without looking; what follows from the pixels is none."""
        return tuple(row for row in self.rows if row.leak and row.kind in ("prompt", "metadata"))


def shortcuts(stored: Stored) -> Shortcuts:
    """Measure a data set. Reads its questions without their images, of at most `MOST` images, and `SIZED` files."""
    parts = _even(stored.parts_of("rft"), MOST, stored.count("images"))
    sizes = _file_sizes(stored, parts)
    images: set[str] = set()
    questions: dict[str, list[Question]] = defaultdict(list)
    boxes = []
    for part in parts:
        known = _images(stored, part)
        for row, values in enumerate(_rows(stored, part)):
            image = known[values["image_id"]]
            images.add(values["image_id"])
            if values["task"] == "grounding":
                boxes.append((values["bbox"], (image["width"], image["height"]), _fold(image)))
            elif (question := _question(values, image, row, sizes)) is not None:
                questions[values["task"]].append(question)
    rows = [row for task in TASKS if task in questions for row in measured(task, questions[task])]
    rows += [Shortcut("grounding", *found) for found in box_shortcuts(boxes)]
    return Shortcuts(len(images), stored.count("images"), tuple(rows))


# --- reading --------------------------------------------------------------------------------------------------------


def _even(parts: Sequence[Part], most: int, images: int) -> list[Part]:
    """Files at equal distances that hold about `most` images."""
    count = max(1, min(len(parts), round(len(parts) * most / max(images, 1))))
    return [parts[i * len(parts) // count] for i in range(count)] if parts else []


def _rows(stored: Stored, part: Part) -> Iterator[dict[str, Any]]:
    columns = ["image_id", "prompt", "solution", "task", "bbox", "distortion", "severity"]
    for group in stored.groups_of(part):
        yield from stored.read(group, columns).to_pylist()


def _images(stored: Stored, part: Part) -> dict[str, dict[str, Any]]:
    """By id, the metadata of the images of a shard."""
    columns = ["image_id", "width", "height", "reference_id"]
    own = stored.sister(part, "images")
    return {row["image_id"]: row for group in stored.groups_of(own) for row in stored.read(group, columns).to_pylist()}


def _file_sizes(stored: Stored, parts: Sequence[Part]) -> dict[str, tuple[int, int | None]]:
    """By image id, the length of the file and of its reference's, for row groups at equal distances."""
    groups = [group for part in parts for group in stored.groups_of(stored.sister(part, "images"))]
    wanted = SIZED * len(groups) / max(sum(group.rows for group in groups), 1)
    count = max(1, min(len(groups), round(wanted)))
    found = {}
    for i in range(count if groups else 0):
        group = stored.read(groups[i * len(groups) // count], ["image_id", "image.bytes", "reference.bytes"])
        for row in group.to_pylist():
            reference = (row["reference"] or {}).get("bytes")
            found[row["image_id"]] = (len(row["image"]["bytes"]), len(reference) if reference else None)
    return found


def _fold(image: Mapping[str, Any]) -> int:
    return stream("fold", image["reference_id"]).below(FOLDS)


def _question(
    values: Mapping[str, Any], image: Mapping[str, Any], row: int, sizes: Mapping[str, tuple[int, int | None]]
) -> Question | None:
    task, prompt = values["task"], values["prompt"][0]["content"]
    if task == "object":
        choices, level = object_task.candidates(prompt), 0
        keys = [object_task.key(name) for name in choices]
        true = object_task.key(values["solution"])
    else:
        choices, level = recognition.candidates(prompt), values["severity"]
        keys, true = choices, values["distortion"]
    if true not in keys:
        return None
    size, reference = sizes.get(values["image_id"], (None, None))
    pixels = image["width"] * image["height"]
    return Question(
        task=task,
        prompt=prompt,
        solution=values["solution"],
        choices=tuple(choices),
        right=keys.index(true),
        level=level,
        fold=_fold(image),
        reference=image["reference_id"],
        size=(image["width"], image["height"]),
        number=int("".join(filter(str.isdigit, values["image_id"]))[-9:] or 0),
        row=row,
        bytes=size and size / pixels,
        shrunk=reference and reference / pixels,
    )


# --- measuring ------------------------------------------------------------------------------------------------------


def measured(task: str, questions: Sequence[Question]) -> list[Shortcut]:
    """Every predictor of candidates on the questions of a task."""
    rows = [_row(task, "prompt", predictor, questions) for predictor in PROMPT]
    rows += [_row(task, "metadata", predictor, questions) for predictor in METADATA]
    sized = [q for q in questions if q.bytes is not None]
    if task != "recognition_reference":  # where no reference is shown, its file is not there to be weighed
        sized = [replace(q, shrunk=None) for q in sized]
    return rows + [_row(task, "pixels", predictor, sized) for predictor in PIXELS if sized]


def _row(task: str, kind: Kind, predictor: Predictor, questions: Sequence[Question]) -> Shortcut:
    scores = [value(task, given, q.solution) for q, given in zip(questions, guesses(predictor, questions), strict=True)]
    means, variances = _chance(questions)
    spread = max(sum(variances), _clustered(questions, [s - m for s, m in zip(scores, means, strict=True)]))
    n = len(questions)
    chance, margin = sum(means) / n, _Z95 * math.sqrt(spread) / n
    return Shortcut(task, kind, predictor.name, predictor.sees, n, sum(scores) / n, chance, margin)


def _chance(questions: Sequence[Question]) -> tuple[list[float], list[float]]:
    """Mean and variance of the score of a blind guess, for every question."""
    worth, square = 1.0, 1.0
    if level := best_level(questions):
        levels = Counter(q.level for q in questions)
        said = f"Blur, {LEVELS[level - 1]}"
        paid = [(n / len(questions), value("recognition", said, f"Blur, {LEVELS[k - 1]}")) for k, n in levels.items()]
        worth, square = sum(share * v for share, v in paid), sum(share * v * v for share, v in paid)
    means = [worth / len(q.choices) for q in questions]
    return means, [square / len(q.choices) - m * m for q, m in zip(questions, means, strict=True)]


def _clustered(questions: Iterable[Question], excess: Iterable[float]) -> float:
    """The variance of a sum when questions about one reference are not independent."""
    sums: dict[str, float] = defaultdict(float)
    for q, more in zip(questions, excess, strict=True):
        sums[q.reference] += more
    return sum(total * total for total in sums.values())
