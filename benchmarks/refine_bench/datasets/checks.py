"""Checks of rows, the same for all sets: numbers that are numbers, names that are there once, images that exist.

What is wrong with a row is named with its file and line, and the row is left out.
"""

from collections import Counter
from collections.abc import Iterable

from refine_bench.datasets.base import (
    ChoiceQuestion,
    LabelRow,
    Problem,
    QuestionRow,
    RatedImage,
    Scale,
    parse_finite,
)

__all__ = ["check_questions", "check_rows"]


def check_rows(
    rows: Iterable[LabelRow], scale: Scale, images: bool
) -> tuple[list[RatedImage], list[RatedImage], list[Problem]]:
    """Check the rows of a label file.

    Parameters
    ----------
    rows
        As they stand in the file.
    scale
        The range of the scores.
    images
        Whether a row of the split whose image is missing is a problem.

    Returns
    -------
    tuple
        Rows of the split; all good rows, whatever their split; what is wrong with the others.
    """
    chosen: list[RatedImage] = []
    whole: list[RatedImage] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for row in rows:
        try:
            rated = _check_row(row, scale, seen)
            whole.append(rated)
            if not row.selected:
                continue
            if images and not row.image.is_file():
                raise ValueError(f"no image {row.image}")
            chosen.append(rated)
        except ValueError as error:
            problems.append(Problem(row.file.name, row.line, str(error)))
    return chosen, whole, problems


def _check_row(row: LabelRow, scale: Scale, seen: dict[str, int]) -> RatedImage:
    if not row.name:
        raise ValueError("no image name")
    if row.name in seen:
        raise ValueError(f"{row.name} is there twice, first in row {seen[row.name]}")
    mos = parse_finite(row.mos, "the score")
    if scale.firm and not scale.low <= mos <= scale.high:
        raise ValueError(f"the score {mos:g} of {row.name} is outside of {scale.low:g} to {scale.high:g}")
    seen[row.name] = row.line
    sd = None if row.sd is None else parse_finite(row.sd, "the standard deviation")
    n = None if row.n_ratings is None else round(parse_finite(row.n_ratings, "the number of ratings"))
    return RatedImage(
        name=row.name,
        image=row.image,
        mos=mos,
        sd=sd,
        n_ratings=n,
        reference_id=row.reference_id,
        reference=row.reference,
        split=row.split,
        kind=row.kind,
        attributes={name: parse_finite(value, f"the {name}") for name, value in row.attributes.items()},
    )


def check_questions(rows: Iterable[QuestionRow], images: bool) -> tuple[list[ChoiceQuestion], list[Problem]]:
    """Check the questions of a file.

    Parameters
    ----------
    rows
        As they stand in the file.
    images
        Whether a question whose image is missing is a problem.

    Returns
    -------
    tuple
        The good questions, several about one image told apart by a number behind its name; what is wrong with the
        others.
    """
    good: list[ChoiceQuestion] = []
    problems: list[Problem] = []
    times: Counter[str] = Counter()
    for row in rows:
        try:
            times[row.name] += 1
            name = row.name if times[row.name] == 1 else f"{row.name}#{times[row.name]}"
            missing = [path for path in row.images if images and not path.is_file()]
            if missing:
                raise ValueError(f"no image {missing[0]}")
            good.append(ChoiceQuestion(name, row.images, row.question, row.options, _find_answer(row), row.groups))
        except ValueError as error:
            problems.append(Problem(row.file.name, row.line, str(error)))
    return good, problems


def _find_answer(row: QuestionRow) -> int | None:
    """The place of the right option. A letter, or the text of the option."""
    if row.options and len(set(row.options)) < max(2, len(row.options)):
        raise ValueError(f"options {list(row.options)!r}: at least two, no two alike")
    if row.answer is None or not row.options:
        return None
    answer = str(row.answer)
    if answer in row.options:
        return row.options.index(answer)
    raise ValueError(f"the answer {answer[:60]!r} is none of the options {list(row.options)!r}")
