"""What an adapter is: facts, then rows.

An adapter is a module with `FACTS` and `rows(root, choice)`. The rows are as the label files have them, unchecked;
`checks` checks them once for all sets: numbers that are numbers, names that are there once, images that exist.
What is wrong with a row is named with its file and line, and the row is left out; what is wrong with a file stops.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from distortlab.core.errors import UserError, describe_unknown

__all__ = [
    "Adapter",
    "Axis",
    "ChoiceQuestion",
    "Facts",
    "LabelRow",
    "Problem",
    "QuestionRow",
    "RatedImage",
    "Scale",
    "check_same_length",
    "find_text",
    "parse_choice",
    "parse_finite",
    "to_five",
]


@dataclass(frozen=True, slots=True)
class Scale:
    """The range that a set declares for its scores, and which end is good.

    `firm`: a score outside of it is an error in the file. Elo ratings and realigned DMOS leave their nominal range.
    """

    low: float
    high: float
    higher_is_better: bool = True
    firm: bool = True


def to_five(mos: float, scale: Scale) -> float:
    """Map a score to 1 (bad) to 5 (excellent): 1 + 4 (mos - low) / (high - low), turned round where lower is better.

    Examples
    --------
    >>> from refine_bench.datasets.base import Scale, to_five
    >>> to_five(50.0, Scale(0, 100)), to_five(10.0, Scale(0, 100, higher_is_better=False))
    (3.0, 4.6)
    """
    share = (mos - scale.low) / (scale.high - scale.low)
    return 1.0 + 4.0 * (share if scale.higher_is_better else 1.0 - share)


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that the field does in more than one way. The first option is ours."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a set before it is opened.

    `labels`: files (relative, globs allowed) by which its folder is known; a tuple inside is "one of these".
    `folders`: names that people give the folder. `counts`: rows expected, by option of an axis ("" for the whole).
    `scales`: by option of an axis ("" where there is but one). `renamed`: what to say of options that are no more.
    `meta_info`: pyiqa's list of labels, which stands in for the official ones. `sha256`: of the names and scores of the
    default variant, as `RatedSet.sha256`, where the labels were at hand. `kinds`: what a distortion is called, by its
    number in file names; `groups`: which of them the set's authors put together.
    """

    name: str
    title: str
    kind: str
    labels: tuple[str | tuple[str, ...], ...]
    folders: tuple[str, ...]
    counts: Mapping[str, int]
    scales: Mapping[str, Scale] = field(default_factory=dict)
    axes: tuple[Axis, ...] = ()
    citation: str = ""
    url: str = ""
    notes: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    meta_info: str = ""
    sha256: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def scale(self, choice: Mapping[str, str]) -> Scale:
        """The declared scale of a variant; an axis called direction says which end is good."""
        named = [self.scales[option] for option in choice.values() if option in self.scales]
        scale = named[0] if named else self.scales[""]
        return replace(scale, higher_is_better=False) if choice.get("direction") == "down" else scale

    def count(self, choice: Mapping[str, str]) -> int | None:
        """How many rows a variant should have."""
        named = [self.counts[option] for option in choice.values() if option in self.counts]
        return min(named) if named else self.counts.get("")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A line of a label file, as it stands there. `selected`: whether the chosen split holds it; `attributes`: opinions
    on other things than quality, by their names.
    """

    file: Path
    line: int
    name: str
    mos: object
    image: Path
    sd: object = None
    n_ratings: object = None
    reference_id: str | None = None
    reference: Path | None = None
    split: str | None = None
    kind: str | None = None
    selected: bool = True
    attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RatedImage:
    """An image, and what people thought of it.

    `mos`: on the scale of the set. `sd`: of the single ratings, same unit. `reference_id`: images that show the same
    scene have the same one, and intervals are clustered by it. `reference`: the clean image. `kind`: the distortion,
    where the set names it. `attributes`: mean opinions on other things than quality, as they stand in the file.
    """

    name: str
    image: Path
    mos: float
    sd: float | None = None
    n_ratings: int | None = None
    reference_id: str | None = None
    reference: Path | None = None
    split: str | None = None
    kind: str | None = None
    attributes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question of a file, as it stands there. `answer`: the text of the right option; None where it is hidden."""

    file: Path
    line: int
    name: str
    images: tuple[Path, ...]
    question: str
    options: tuple[str, ...] = ()
    answer: object = None
    groups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ChoiceQuestion:
    """A multiple-choice question about one or two images. `answer`: the index of the right option; None where it is
    hidden.
    """

    name: str
    images: tuple[Path, ...]
    question: str
    options: tuple[str, ...]
    answer: int | None
    groups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.line}: {self.what}"


class Adapter(Protocol):
    """A module of this package."""

    FACTS: Facts

    def rows(self, root: Path, choice: Mapping[str, str]) -> Iterator[Any]:
        """The rows of the label files below `root`, in the order of the files."""
        ...


def parse_choice(facts: Facts, words: Sequence[str]) -> dict[str, str]:
    """Choose an option of every axis: those that are named, and the first of the others.

    Parameters
    ----------
    facts
        The set.
    words
        Options, in any order.

    Returns
    -------
    dict
        Options by the name of their axis.

    Raises
    ------
    UserError
        Where an option does not exist, or two are of one axis.
    """
    choice = {axis.name: axis.options[0] for axis in facts.axes}
    given: dict[str, str] = {}
    for word in words:
        if word in facts.renamed:
            raise UserError(f"{facts.name} has no variant {word}: {facts.renamed[word]}")
        axis = next((axis for axis in facts.axes if word in axis.options), None)
        if axis is None:
            raise UserError(
                describe_unknown(f"variant of {facts.name}", word, [o for a in facts.axes for o in a.options])
            )
        if axis.name in given:
            raise UserError(f"{facts.name}: {given[axis.name]!r} and {word!r} are both a {axis.name}; name one")
        given[axis.name] = word
    return choice | given


def find_text(file: Path, number: int, item: Mapping[str, Any], key: str) -> str:
    """Return the text under a key of an item. Raises `UserError` where there is none."""
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise UserError(f"{file}, item {number} has no text under {key!r}; its keys are {', '.join(map(str, item))}")
    return value


def check_same_length(file: Path, **lists: Sequence[object]) -> None:
    """Raise `UserError` where files that belong together differ in length."""
    if len({len(values) for values in lists.values()}) > 1:
        lengths = ", ".join(f"{len(values):,} {name}" for name, values in lists.items())
        raise UserError(f"{file} and the files beside it do not belong together: {lengths}")


def parse_finite(value: object, what: str) -> float:
    """Return a finite number; text that spells one is one. Raises `ValueError`, with `what` it should have been."""
    try:
        number = float(str(value).strip())
    except ValueError:
        raise ValueError(f"{what} is {str(value)[:40]!r}, not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{what} is {str(value)[:40]}, not a finite number")
    return number
