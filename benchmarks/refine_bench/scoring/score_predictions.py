"""Scores of predictions made elsewhere, from a file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distortlab.core.errors import UserError, describe_unknown
from refine_bench.datasets import (
    RatedImage,
    RatedSet,
    Scale,
    Spec,
    find_folder,
    load,
    locate_folder,
    parse_spec,
    to_five,
)
from refine_bench.datasets.base import Problem
from refine_bench.datasets.image_names import AmbiguousName, NameIndex, UnknownName, normalize_name, quote_name
from refine_bench.prompts.answers import MISSING, Reading
from refine_bench.prompts.protocols import Protocol, find_protocol
from refine_bench.prompts.score_reader import read_score
from refine_bench.runs.store import check_name
from refine_bench.scoring import published
from refine_bench.scoring.coverage import describe_coverage
from refine_bench.scoring.predictions import Prediction, read_predictions, unique_predictions
from refine_bench.scoring.rated import RatedPrediction, score_rated
from refine_bench.scoring.score_warnings import list_warnings
from refine_bench.scoring.scores import PredictionScore

__all__ = ["check_reader", "score_predictions"]


def score_predictions(
    file: Path,
    on: str,
    data: Path | None,
    protocol: str | None = None,
    *,
    reader: str | None = None,
    name: str | None = None,
) -> PredictionScore:
    """Score predictions made elsewhere on a set of rated images.

    Parameters
    ----------
    file
        The predictions, in one of the forms of `predictions_file`.
    on
        The set and its variant, e.g. "koniq:all".
    data
        The folder that holds the set. Its truth is used where it is found there, otherwise the file's own `gt_score`.
    protocol
        How the predictions were asked for; None where they are numbers.
    reader
        How to read them instead of the protocol's own way.
    name
        What the model is called; None for the name of the file.

    Returns
    -------
    PredictionScore
        Ready for JSON; "truth" says which truth was used, "problems" which rows were not.

    Raises
    ------
    UserError
        Where the file has no prediction for the set, or no truth is found.
    """
    spec = parse_spec(on)
    if spec.facts.kind != "rated":
        raise UserError(f"{spec.facts.name} holds questions; predictions are scored on rated images")
    asked = find_protocol(protocol) if protocol else None
    check_reader(asked, reader)
    predictions, problems = read_predictions(file, asked)
    source = _Source(file, predictions, asked, reader)
    root = _find_root(spec, data)
    pairs = _match_own_truth(source, spec, on, data) if root is None else _match_set(source, spec, root)
    found = score_rated(pairs.items, scale=_choose_scale(predictions, asked), groups=spec.facts.groups)
    coverage = describe_coverage(pairs.rows, pairs.of)
    return {
        "set": str(pairs.spec),
        "model": file.stem if name is None else check_name(name),
        "protocol": asked.name if asked else None,
        "protocol_sha256": asked.sha256 if asked else None,
        "truth": pairs.origin,
        **found,
        "ranked": found["ranked"] and coverage["complete"],
        "coverage": coverage,
        "warnings": list_warnings(found, coverage),
        "problems": [str(problem) for problem in (*problems, *pairs.problems)],
        "published": published.list_published(str(pairs.spec), asked.name if asked else "unknown", coverage),
    }


@dataclass(frozen=True, slots=True)
class _Source:
    """A file of predictions, and how they are read."""

    file: Path
    predictions: Sequence[Prediction]
    protocol: Protocol | None
    reader: str | None

    def read(self, prediction: Prediction) -> Reading:
        """The score of a prediction."""
        return _read_prediction(prediction, self.protocol, self.reader)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Predictions with their truth. `rows` of `of` rows of the set have one; `origin` says where the truth is from."""

    spec: Spec
    items: list[RatedPrediction]
    rows: int
    of: int | None
    origin: str
    problems: list[Problem]


def check_reader(protocol: Protocol | None, reader: str | None) -> None:
    """Raise `UserError` for a reader that does not exist, or that has nothing to read under this protocol."""
    if reader is None:
        return
    scores = ("text", "digits", "digits-tenths", "levels")
    if reader not in scores:
        raise UserError(describe_unknown("reader", reader, scores))
    if protocol is None or (reader != "text" and (reader == "levels") != bool(protocol.levels)):
        name = protocol.name if protocol else "no protocol"
        raise UserError(
            f"--reader {reader} does not go with {name}: levels goes with protocols that ask for level words"
        )


def _find_root(spec: Spec, data: Path | None) -> Path | None:
    """Where the labels of a set are; None where they are not found, and the file must bring its own."""
    if spec.file is not None:
        return data or spec.file.parent
    return data if data is not None and find_folder(spec.facts, data) is not None else None


def _group_by_image(
    file: Path, predictions: Sequence[Prediction], truth: RatedSet
) -> tuple[dict[str, Prediction], list[Problem]]:
    """(predictions by the row of the set that they are of, those that are of none).

    Raises `UserError` where a name may be several images, where two predictions of one image differ, and where no
    prediction is of this set.
    """
    names = _find_names(file, predictions, truth)
    rows = {row.name for row in truth.rows}
    unknown = [prediction for prediction in predictions if prediction.line not in names]
    inside = [prediction for prediction in predictions if names.get(prediction.line) in rows]
    others = [p for p in predictions if p.line in names and names[p.line] not in rows]
    if not inside:
        why = f"the first is of {quote_name(predictions[0].name)}, where the set has {quote_name(truth.rows[0].name)}"
        if others:
            why = f"{quote_name(others[0].name)} is of another variant of {truth.spec.facts.title}"
        raise UserError(f"{file}: no prediction is of an image of {truth.spec}: {why}")
    found, problems = unique_predictions(file, inside, lambda prediction: names[prediction.line])
    problems += [Problem(file.name, p.line, f"{quote_name(p.name)} is no image of {truth.spec}") for p in unknown]
    if others:
        first = others[0]
        what = f"{len(others):,} rows are of images of {truth.spec.facts.title} that are not in {truth.spec}"
        problems.append(Problem(file.name, first.line, f"{what}, such as {quote_name(first.name)}"))
    return found, problems


def _find_names(file: Path, predictions: Sequence[Prediction], truth: RatedSet) -> dict[int, str]:
    """The name in the set of each prediction, by its row in the file."""
    index = NameIndex(truth.names)
    found: dict[int, str] = {}
    for prediction in predictions:
        try:
            found[prediction.line] = index.find(prediction.name)
        except UnknownName:
            continue
        except AmbiguousName as error:
            raise UserError(
                f"{file}, row {prediction.line}: {error}; name images by their path in {truth.spec.facts.title}"
            ) from None
    return found


def _match_set(source: _Source, spec: Spec, root: Path) -> _Pairs:
    """The images of the set, each with its prediction; what is missing is a failure."""
    truth = load(spec, root, images=False, strict=False)
    given, problems = _group_by_image(source.file, source.predictions, truth)
    items = []
    for row in truth.rows:
        prediction = given.get(row.name)
        reading = source.read(prediction) if prediction else Reading(None, MISSING)
        items.append(make_prediction(row, (reading,), truth.five(row.mos), truth.scale))
    of = truth.expected or len(truth.rows) + len(truth.problems)
    return _Pairs(spec, items, len(given), of, f"{spec}, from {root}", [*truth.problems, *problems])


def _match_own_truth(source: _Source, spec: Spec, on: str, data: Path | None) -> _Pairs:
    """The predictions, each with the truth that stands beside it in the file."""
    own, problems = unique_predictions(
        source.file, source.predictions, lambda prediction: normalize_name(prediction.name)
    )
    if data is not None and any(prediction.truth is None for prediction in own.values()):
        locate_folder(spec, data)  # says what was looked for
    spec = _fit_split(spec, on, len(own))
    items = _pair_own_truth(source, list(own.values()), spec.facts.scale(spec.choice))
    origin = f"gt_score in {source.file.name}" + (f"; {spec.facts.title} is not in {data}" if data else "")
    return _Pairs(spec, items, len(own), spec.facts.count(spec.choice), origin, problems)


def _fit_split(spec: Spec, on: str, n: int) -> Spec:
    """Where the file brings its own truth and no split was named: the split that has as many images as the file."""
    if spec.facts.count(spec.choice) == n:
        return spec
    named = on.partition(":")[2].split("+")
    for axis in spec.facts.axes:
        for option in axis.options:
            if spec.facts.counts.get(option) == n and not set(axis.options) & set(named):
                return replace(spec, choice={**spec.choice, axis.name: option})
    return spec


def _pair_own_truth(source: _Source, predictions: Sequence[Prediction], scale: Scale) -> list[RatedPrediction]:
    without = [prediction for prediction in predictions if prediction.truth is None]
    if without:
        raise UserError(
            f"{source.file}, row {without[0].line}: no gt_score ({len(without):,} rows have none); "
            "name the folder of the set with --data"
        )
    # The file may be on another of the set's scales (KonIQ's two): then its own range is what is declared.
    truths = [prediction.truth for prediction in predictions if prediction.truth is not None]
    if not (scale.low <= min(truths) and max(truths) <= scale.high):
        scale = Scale(min(truths), max(truths), scale.higher_is_better, firm=False)
    return [
        RatedPrediction(prediction.name, (source.read(prediction),), to_five(prediction.truth, scale))
        for prediction in predictions
        if prediction.truth is not None
    ]


def make_prediction(row: RatedImage, readings: tuple[Reading, ...], truth: float, scale: Scale) -> RatedPrediction:
    """A rated image with readings; its SD on the same 1-5 as its score."""
    return RatedPrediction(
        name=row.name,
        readings=readings,
        truth=truth,
        cluster=row.reference_id,
        sd=None if row.sd is None else row.sd * 4.0 / (scale.high - scale.low),
        n_ratings=row.n_ratings,
        kind=row.kind,
        source=str(row.image),
        attributes=row.attributes,
    )


def _read_prediction(prediction: Prediction, protocol: Protocol | None, reader: str | None) -> Reading:
    if protocol is None or prediction.answer.value is not None:
        return read_score(prediction.answer, find_protocol("metric"))
    chosen = reader or protocol.reader
    # A file has no alternatives to its tokens: a text can only be read as text.
    if chosen.startswith("digits") and not prediction.answer.tokens:
        chosen = "text"
    return read_score(prediction.answer, protocol, chosen)


def _choose_scale(predictions: Sequence[Prediction], protocol: Protocol | None) -> tuple[float, float] | None:
    """That of the protocol; numbers that came as they are have one only if all lie on 1-5."""
    values = [prediction.answer.value for prediction in predictions if prediction.answer.value is not None]
    if not values and protocol is not None:
        return protocol.scale
    return (1.0, 5.0) if all(1.0 <= value <= 5.0 for value in values) else None
