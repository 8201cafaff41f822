"""Shortcut controls: false alarms on pristine images by what they are, and what a seam that nobody sees does.

An image with a seam is asked about beside its untouched reference, in the same words. The share of answers that differ
says whether a model reacts to the mask, to resampling or to a codec, where there is no distortion.
"""

from collections.abc import Mapping, Sequence

from distortlab.tasks import TASKS, Unread, diagnosis, grounding, read_answer, recognition
from refine_bench.scoring.measures import AlarmCell, ControlMeasures, SeamCell
from refine_bench.scoring.task_answers import TaskAnswer
from refine_bench.statistics.correlation import mean
from refine_bench.statistics.intervals import estimate_mean_difference, estimate_mean_interval, list_bounds
from refine_bench.statistics.units import describe_units

__all__ = ["UNTOUCHED", "measure_controls", "read_claim"]

UNTOUCHED = "untouched"
"""References that are asked about beside an image with a seam."""
PRISTINE = "pristine"
"""Images without a distortion that are no control."""


def measure_controls(items: Sequence[TaskAnswer], twins: Mapping[str, TaskAnswer]) -> ControlMeasures | None:
    """Measure false alarms on controls, and answers that a seam changes.

    Parameters
    ----------
    items
        All questions of a set but `twins`.
    twins
        Of questions about images with a seam, by their names: the same question about the untouched reference.

    Returns
    -------
    ControlMeasures or None
        Ready for JSON. None where no image is a control.
    """
    pristine = [item for item in items if not item.truth["regions"] and _is_about_distortion(item)]
    if not any(item.truth.get("control") for item in pristine):
        return None
    groups: dict[str, list[TaskAnswer]] = {}
    for item in pristine:
        kind = item.truth.get("control") or PRISTINE
        for name in dict.fromkeys((kind.partition(".")[0], kind)):
            groups.setdefault(name, []).append(item)
    asked = [twins[item.name] for item in pristine if item.name in twins]
    if asked:
        groups[UNTOUCHED] = list({twin.name: twin for twin in asked}.values())
    pairs = [(item, twins[item.name]) for item in pristine if item.name in twins]
    names = {str(item.truth.get("task", "diagnosis")) for item, _ in pairs}
    return {
        "alarms": {name: _count_alarms(group) for name, group in sorted(groups.items())},
        "seam": _compare_pairs(pairs) if pairs else None,
        "seam_by_task": {
            name: _compare_pairs([pair for pair in pairs if pair[0].truth.get("task", "diagnosis") == name])
            for name in sorted(names)
        },
    }


def _is_about_distortion(item: TaskAnswer) -> bool:
    return TASKS[item.truth.get("task", "diagnosis")].subject != "pair"


def read_claim(item: TaskAnswer) -> tuple[object, ...] | None:
    """What an answer says is distorted, to be compared with another one's: empty where nothing is, None where it was
    not read.
    """
    if item.failure is not None:
        return None
    task = item.truth.get("task", "diagnosis")
    if task == "grounding":
        text = read_answer(item.text)
        if not isinstance(text, Unread) and grounding.is_none(text):
            return ()
        box = grounding.read(item.text)
        return None if isinstance(box, Unread) else tuple(box)
    if task.startswith("recognition"):
        answer = recognition.read(item.text)
        if isinstance(answer, Unread):
            return None
        return (answer.family, answer.severity) if answer.severity else ()
    found = diagnosis.read(item.text)
    if isinstance(found, Unread):
        return None
    regions: list[diagnosis.DistortedRegion] = sorted(found.regions, key=lambda region: region.sort_key)
    return tuple(regions)


def _count_alarms(items: Sequence[TaskAnswer]) -> AlarmCell:
    """The share of answers that were read and name a distortion, where there is none."""
    claims = [(claim, item.truth["reference_id"]) for item in items if (claim := read_claim(item)) is not None]
    alarms, clusters = [float(bool(claim)) for claim, _ in claims], [cluster for _, cluster in claims]
    return {
        "n": len(items),
        "n_read": len(claims),
        "false_alarms": mean(alarms),
        "interval": list_bounds(estimate_mean_interval(alarms, clusters)) if alarms else None,
        **describe_units(len(claims), clusters),
    }


def _compare_pairs(pairs: Sequence[tuple[TaskAnswer, TaskAnswer]]) -> SeamCell:
    """Answers to images with a seam beside those to their untouched references; pairs of which one was not read are
    left out.
    """
    claims = [(read_claim(item), read_claim(twin), item.truth["reference_id"]) for item, twin in pairs]
    read = [(one, other, cluster) for one, other, cluster in claims if one is not None and other is not None]
    clusters = [cluster for _, _, cluster in read]
    changed = [float(one != other) for one, other, _ in read]
    more = [float(bool(one)) - float(bool(other)) for one, other, _ in read]
    interval, p = estimate_mean_difference(more, clusters) if any(more) else (None, None)
    return {
        "n": len(pairs),
        "n_read": len(read),
        "changed": mean(changed),
        "changed_interval": list_bounds(estimate_mean_interval(changed, clusters)) if read else None,
        "alarms_more": mean(more),
        "alarms_more_interval": list_bounds(interval),
        "p": p,
        **describe_units(len(read), clusters),
    }
