"""Predictions made elsewhere: a score, an answer, or a logit for each level word, with the name of an image.

`predictions_file` has the forms of files. A row names its image (`image`, `img_name`, ...), and holds a score
(`score`, `prediction`, ...), an answer (`answer`, `response`, ...), or a logit for each level word (`logit_good`, or
a table under `logits`). `gt_score` (`mos`, `gt`, `label`) is the file's own truth.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Problem, parse_finite
from refine_bench.datasets.image_names import quote_name
from refine_bench.prompts.answers import Answer
from refine_bench.prompts.protocols import Protocol
from refine_bench.scoring.prediction_columns import (
    FORMS,
    NAMES,
    SCORES,
    SURPLUS,
    TEXTS,
    TRUTHS,
    Columns,
    find_image_name,
    is_known,
    normalize_column,
)
from refine_bench.scoring.predictions_file import read_rows

__all__ = ["Prediction", "read_predictions", "unique_predictions"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """A row of a file. `name`: the image as the file names it. `truth`: the file's own, where it has one."""

    line: int
    name: str
    answer: Answer
    truth: float | None


def read_predictions(path: Path, protocol: Protocol | None) -> tuple[list[Prediction], list[Problem]]:
    """Return (predictions, rows that could not be used).

    Raises
    ------
    UserError
        Where the file is none of the forms, or has no row that can be used.
    """
    predictions: list[Prediction] = []
    problems: list[Problem] = []
    as_text = _is_text_read(protocol)
    for line, row in read_rows(path, as_text=as_text):
        try:
            predictions.append(_parse_prediction(line, _key_columns(row), protocol))
        except ValueError as error:
            problems.append(Problem(path.name, line, str(error)))
    if not predictions:
        first = problems[0] if problems else "it has no rows"
        raise UserError(f"{path} holds no prediction that can be used: {first}; allowed: {FORMS}")
    return predictions, problems


def unique_predictions(
    file: Path, predictions: Iterable[Prediction], key: Callable[[Prediction], str]
) -> tuple[dict[str, Prediction], list[Problem]]:
    """Return (predictions by the image that `key` says they are of, rows that repeat an earlier one).

    Raises
    ------
    UserError
        Where two predictions of one image differ: which one counts is not known.
    """
    found: dict[str, Prediction] = {}
    problems: list[Problem] = []
    for prediction in predictions:
        name = key(prediction)
        first = found.setdefault(name, prediction)
        if first is prediction:
            continue
        shown = quote_name(name)
        if (first.answer, first.truth) != (prediction.answer, prediction.truth):
            raise UserError(f"{file}: rows {first.line} and {prediction.line} are both of {shown} and differ; keep one")
        problems.append(Problem(file.name, prediction.line, f"{shown} is there twice, first in row {first.line}"))
    return found, problems


def _is_text_read(protocol: Protocol | None) -> bool:
    return protocol is not None and protocol.reader in ("text", "digits", "choice")


def _key_columns(row: Columns) -> dict[str, Any]:
    """The cells of a row that hold something, by `normalize_column`."""
    if row.get(SURPLUS):
        raise ValueError(f"more values than columns: {str(row[SURPLUS])[:80]}")
    found: dict[str, Any] = {}
    for name, value in row.items():
        if value in (None, "") or not is_known(name):
            continue
        key = normalize_column(name)
        if key in found and found[key] != value:
            raise ValueError(f"two columns are called {name!r} but for case and punctuation, and differ")
        found[key] = value
    if not found:
        raise ValueError(f"none of the columns is known: {_list_keys(row)}")
    return found


def _parse_prediction(line: int, row: Mapping[str, Any], protocol: Protocol | None) -> Prediction:
    name = next((found for key in NAMES if (found := find_image_name(row.get(normalize_column(key))))), None)
    if name is None:
        raise ValueError(f"no image name under {', '.join(NAMES[:7])}, ...; its keys are {_list_keys(row)}")
    truth = _find_first(row, TRUTHS)
    return Prediction(
        line=line,
        name=name,
        answer=_parse_answer(row, protocol),
        truth=None if truth is None else parse_finite(truth, "the truth"),
    )


def _parse_answer(row: Mapping[str, Any], protocol: Protocol | None) -> Answer:
    """Logits where the protocol reads level words and the row has them; a score; or a text."""
    if protocol is not None and protocol.levels:
        words = [word for word, _ in protocol.levels]
        table = row.get("logits")
        given = table if isinstance(table, Mapping) else {w: row.get(normalize_column(f"logit_{w}")) for w in words}
        if all(given.get(word) not in (None, "") for word in words):
            return Answer(logits={word: parse_finite(given[word], f"the logit of {word}") for word in words})
    text, score = _find_first(row, TEXTS), _find_first(row, SCORES)
    if not isinstance(text, str):  # a number under "answer" is a score
        text, score = None, text if score is None else score
    value = row.get("value")  # the second of two columns
    if text is None and _is_text_read(protocol) and isinstance(value, str) and not _is_score(value):
        text = value
    if text is not None and (score is None or _is_text_read(protocol)):
        return Answer(text=text)
    if score is not None:
        return Answer(value=parse_finite(score, "the score"))
    logits = ", ".join(f"logit_{word}" for word, _ in protocol.levels) if protocol and protocol.levels else "logits"
    raise ValueError(f"no score, answer or {logits}; its keys are {_list_keys(row)}")


def _find_first(row: Mapping[str, Any], columns: Iterable[str]) -> Any:
    return next((row[normalize_column(name)] for name in columns if normalize_column(name) in row), None)


def _is_score(text: str) -> bool:
    try:
        parse_finite(text, "")
    except ValueError:
        return False
    return True


def _list_keys(row: Mapping[str, Any]) -> str:
    return ", ".join(repr(str(key)) for key in row)[:200] or "none"
