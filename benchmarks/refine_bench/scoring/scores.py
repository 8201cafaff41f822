"""What scores hold: the keys of `scores.json` and of `--json`.

A score is the measures of its kind, and what is known of the set and of the run. "kind" tells which keys are there.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from refine_bench.scoring.cost import SizeCounts
from refine_bench.scoring.measures import (
    ChoiceMeasures,
    DescriptionMeasures,
    DiagnosisMeasures,
    LocalMeasures,
    RatedMeasures,
    SeverityMeasures,
)

__all__ = [
    "ChoiceScore",
    "Coverage",
    "DescriptionScore",
    "DiagnosisScore",
    "LocalScore",
    "PredictionScore",
    "PublishedDiagnosis",
    "PublishedRow",
    "RatedScore",
    "RunPart",
    "RunScores",
    "Score",
    "SetPart",
    "SeverityScore",
]


class Coverage(TypedDict):
    """Rows of a set that have an answer, readable or not, `of` how many; None where nobody knows."""

    rows: int
    of: int | None
    complete: bool


class PublishedRow(TypedDict):
    """A published score. `differs`: what keeps it from being comparable."""

    model: str
    trained_on: str
    plcc: float
    srcc: float
    source: str
    differs: list[str]


class PublishedDiagnosis(TypedDict):
    """Published numbers on sets of distorted regions. `values`: by metric, None where the source has none."""

    model: str
    values: dict[str, float | None]
    source: str
    differs: list[str]


class SetPart(TypedDict):
    """What every score says of its set. `truth`: where it is from; `problems`: rows that were left out."""

    set: str
    model: str
    truth: str
    coverage: Coverage
    warnings: list[str]
    problems: list[str]
    published: list[PublishedRow]


class RunPart(SetPart):
    """What every score of a run says of how answers came about. `entry`: the name of the set's files in the run;
    `published_diagnoses`: beside sets of regions.
    """

    entry: str
    protocol: str
    protocol_sha256: str
    reader: str
    reader_note: str
    sha256: str
    facts: Mapping[str, object]
    cost: Mapping[str, float | None]
    sizes: SizeCounts
    published_diagnoses: NotRequired[list[PublishedDiagnosis]]


class RatedScore(RatedMeasures, RunPart):
    """A run on rated images."""


class ChoiceScore(ChoiceMeasures, RunPart):
    """A run on multiple choice."""


class LocalScore(LocalMeasures, RunPart):
    """A run on the questions of a data set made by `distortlab`."""


class SeverityScore(SeverityMeasures, RunPart):
    """A measure of quality on the images of a data set made by `distortlab`."""


class DiagnosisScore(DiagnosisMeasures, RunPart):
    """A run on sets of regions."""


class DescriptionScore(DescriptionMeasures, RunPart):
    """A run on descriptions."""


Score = RatedScore | ChoiceScore | LocalScore | SeverityScore | DiagnosisScore | DescriptionScore


class RunScores(TypedDict):
    """The scores of a run, one for each set. `model`: what it says of itself."""

    run: str
    model: Mapping[str, object]
    sets: Sequence[Score]


class PredictionScore(RatedMeasures, SetPart):
    """Predictions made elsewhere. `protocol`: None where they came as numbers."""

    protocol: str | None
    protocol_sha256: str | None
