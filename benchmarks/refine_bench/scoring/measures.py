"""What scorers return, for each kind of set: the keys of a score that are measured. "kind" tells which are there.

All of it is ready for JSON. An interval is [low, high]; what is undefined is None.
"""

from typing import Literal, NotRequired, TypedDict, final

from refine_bench.scoring.failures import FailureFacts
from refine_bench.statistics.units import UnitFacts

__all__ = [
    "AccuracyFacts",
    "Agreement",
    "AlarmCell",
    "AnswerCounts",
    "AttributeCell",
    "CeilingFacts",
    "ChoiceMeasures",
    "ComparisonTable",
    "ControlMeasures",
    "CorrelationCell",
    "DescriptionMeasures",
    "Detection",
    "DiagnosisMeasures",
    "DiagnosisTable",
    "FamilyDetection",
    "GroundingTable",
    "LocalMeasures",
    "MappedFit",
    "Measures",
    "ObjectTable",
    "RatedMeasures",
    "RatedPoint",
    "RecognitionTable",
    "RegionMetric",
    "RegionSetMeasures",
    "ScoreCell",
    "SeamCell",
    "SeverityMeasures",
    "ShuffleFacts",
    "TaskGroups",
    "TaskTable",
    "TaskTotals",
]

Bounds = list[float] | None
RegionMetric = Literal["precision", "recall", "f1", "mean_iou", "type_accuracy", "severity_accuracy", "false_alarms"]
"""What is measured of sets of regions."""
RatedPoint = tuple[str, float | None, float, float | None]
"""An image: its name, the prediction (higher is better), the opinion on 1-5, the SD between samples."""


class AnswerCounts(FailureFacts):
    """How much was asked, and how much of it was read."""

    n: int
    n_read: int


# --- rated images ---------------------------------------------------------------------------------------------------


class Agreement(TypedDict):
    """How predictions agree with opinions. `mean`: of PLCC and SRCC; `rmse` on 1-5, None without a scale."""

    plcc: float | None
    srcc: float | None
    krcc: float | None
    linear_rmse: float | None
    rmse: float | None
    mean: float | None


class MappedFit(TypedDict):
    """Agreement after a logistic. `curve`: its [x, y], absent where there is no fit."""

    plcc: float | None
    srcc: float | None
    rmse: float | None
    status: str
    curve: NotRequired[list[list[float]]]


class CeilingFacts(TypedDict):
    """What a perfect model would reach: the fields of `Ceiling`."""

    reliability: float
    plcc: float
    srcc: float | None


class CorrelationCell(TypedDict):
    """SRCC of the images of one distortion."""

    n: int
    srcc: float | None


class AttributeCell(TypedDict):
    """What people thought of one attribute, and how it goes with the predictions of quality.

    `srcc`: of predictions and attribute. `opinion`: SRCC of the opinions on quality and the attribute, over the same
    images: what a model has that weighs the attribute as people do.
    """

    n: int
    srcc: float | None
    opinion: float | None


class RatedMeasures(AnswerCounts, Agreement, UnitFacts):
    """Of rated images.

    `columns`: what failures do, by how they are filled: "drop", "midpoint", "worst". `mapped`: by the parameters of the
    logistic, "4" and "5". `mass`: the share of probability that the tokens which were read hold. `by_kind`: by
    distortion; `by_group`: by what the set's authors put together; `by_attribute`: by what else people were asked.
    """

    kind: Literal["rated"]
    scale: list[float] | None
    undefined: str | None
    intervals: dict[str, Bounds]
    clusters: int | None
    columns: dict[str, Agreement]
    mapped: dict[str, MappedFit]
    ceiling: CeilingFacts | None
    samples: int
    sample_sd: float | None
    mass: float | None
    by_kind: dict[str, CorrelationCell]
    by_group: dict[str, CorrelationCell]
    by_attribute: dict[str, AttributeCell]
    points: list[RatedPoint]


# --- multiple choice ------------------------------------------------------------------------------------------------


class AccuracyFacts(UnitFacts):
    """Of some questions. `accuracy` counts what was not read as wrong, `accuracy_read` leaves it out."""

    accuracy: float | None
    interval: Bounds
    accuracy_read: float | None
    chance: float | None
    questions: int


class ShuffleFacts(TypedDict):
    """Of questions that were asked in every order of their options."""

    questions: int
    all_right: float | None
    consistent: float | None
    chance: float | None


class ChoiceMeasures(AnswerCounts, AccuracyFacts):
    """Of multiple choice. `official`: right by Q-Bench's own rule; `rows`: (name, 1 or 0, None where nobody knows)."""

    kind: Literal["choice"]
    n_known: int
    undefined: str | None
    official: float | None
    groups: dict[str, dict[str, AccuracyFacts]]
    shuffled: ShuffleFacts | None
    rows: list[tuple[str, float | None]]


# --- questions of data sets made by distortlab ----------------------------------------------------------------------


class ScoreCell(TypedDict):
    """The mean score of some questions."""

    n: int
    score: float | None


class TaskTotals(UnitFacts):
    """What the answers to one task come to; what was not read scores 0."""

    n: int
    failures: dict[str, int]
    score: float | None
    interval: Bounds


class TaskGroups(TypedDict):
    """The scores of one task in groups, and one by one: (name, score, status)."""

    by: dict[str, dict[str, ScoreCell]]
    rows: list[tuple[str, float | None, str]]


@final
class RecognitionTable(TaskTotals, TaskGroups):
    """Of recognition. `confusion`: true family -> answered family."""

    type_accuracy: float
    severity_accuracy: float
    severity_mae: float | None
    severity_kappa: float | None
    confusion: dict[str, dict[str, int]]
    floor: dict[str, float | None]


@final
class ObjectTable(TaskTotals, TaskGroups):
    """Of the object that is distorted."""

    accuracy: float | None
    floor: dict[str, float | None]


@final
class GroundingTable(TaskTotals, TaskGroups):
    """Of the box of the distorted region."""

    mean_iou: float | None
    iou_50: float | None
    iou_75: float | None
    floor: dict[str, float | None]


class Detection(TypedDict):
    """Regions found at IoU 0.5."""

    precision: float | None
    recall: float | None
    f1: float | None


class FamilyDetection(TypedDict):
    """Regions of one family that were found."""

    n: int
    recall: float
    type_accuracy: float | None
    severity_accuracy: float | None


class RegionSetMeasures(Detection):
    """Of sets of regions. `false_alarms`: the share of `pristine` images with a region; `floors`: every metric where
    nothing is said to be distorted, "constant", and where the whole image is, "whole".
    """

    mean_iou: float | None
    type_accuracy: float | None
    severity_accuracy: float | None
    pristine: int
    false_alarms: float | None
    intervals: dict[str, Bounds]
    floors: dict[str, dict[str, float | None]]
    by_family: dict[str, FamilyDetection]


@final
class DiagnosisTable(TaskTotals, TaskGroups, RegionSetMeasures):
    """Of questions about all distortions of an image. `floor`: the better one of `floors`, metric by metric."""

    floor: dict[str, float | None]


@final
class ComparisonTable(TaskTotals, TaskGroups):
    """Of which one is more degraded. `first`: the share of answers that name the first one."""

    accuracy: float | None
    first: float | None
    floor: dict[str, float | None]


TaskTable = RecognitionTable | ObjectTable | GroundingTable | DiagnosisTable | ComparisonTable


class AlarmCell(UnitFacts):
    """Of questions about images without a distortion. `false_alarms`: the share of those read that name one."""

    n: int
    n_read: int
    false_alarms: float | None
    interval: Bounds


class SeamCell(UnitFacts):
    """Of pairs of an image with a seam and its untouched reference. `n_read`: pairs of which both answers were read.

    `changed`: the share of them whose answers differ. `alarms_more`: false alarms on the images with a seam minus those
    on their references; `p`: two-sided, that there is no difference. There is no `p` and no interval where no pair
    differs.
    """

    n: int
    n_read: int
    changed: float | None
    changed_interval: Bounds
    alarms_more: float | None
    alarms_more_interval: Bounds
    p: float | None


class ControlMeasures(TypedDict):
    """Of controls. `alarms`: by what an image without distortions is: "pristine", "seam" and "seam.OPERATION", "bokeh",
    "low_light", "motion", and "untouched" for the references beside seams.
    """

    alarms: dict[str, AlarmCell]
    seam: SeamCell | None
    seam_by_task: dict[str, SeamCell]


class LocalMeasures(AnswerCounts, UnitFacts):
    """Of the questions of a data set, by task. `controls`: None where no image is one."""

    kind: Literal["local"]
    tasks: dict[str, TaskTable]
    controls: ControlMeasures | None


# --- measures of quality on them, sets of regions, descriptions -----------------------------------------------------


class SeverityMeasures(AnswerCounts, UnitFacts):
    """Of a measure of quality that should fall as severity rises. `srcc_within`: the mean over families."""

    kind: Literal["severity"]
    srcc: float | None
    interval: Bounds
    srcc_within: float | None
    by_family: dict[str, CorrelationCell]


class DiagnosisMeasures(AnswerCounts, RegionSetMeasures, UnitFacts):
    """Of sets of regions. `controls`: None where no image is one."""

    kind: Literal["diagnosis"]
    controls: ControlMeasures | None


class DescriptionMeasures(AnswerCounts):
    """Of descriptions, which are counted and not scored."""

    kind: Literal["describe"]
    undefined: str


Measures = RatedMeasures | ChoiceMeasures | LocalMeasures | SeverityMeasures | DiagnosisMeasures | DescriptionMeasures
