"""What people's answers say about the labels of a data set."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from distortlab import __version__
from distortlab.analysis.study.agreement import Alpha, compute_alpha
from distortlab.analysis.study.answers import (
    SEEN,
    Answer,
    Participant,
    StudyAnswers,
    find_answer_files,
    read_answers,
)
from distortlab.analysis.study.marking import (
    FALSE_ALARMS,
    LEAST_CATCHES,
    Marked,
    PersonFacts,
    describe_person,
    find_chosen,
    mark_answer,
)
from distortlab.analysis.study.psychometric import Threshold, estimate_threshold, make_trials
from distortlab.analysis.study.resampling import Share, compute_share
from distortlab.analysis.study.stimuli import TASKS, Stimuli, Stimulus, read_stimuli
from distortlab.core.errors import UserError
from distortlab.dataset.reader import open_data

__all__ = [
    "FALSE_ALARMS",
    "FORMAT",
    "PersonFacts",
    "StudyScores",
    "TaskScore",
    "score_answers",
    "score_study",
]

FORMAT = "distortlab study scores"
VERSION = 1
_RATIOS = ((1.0, 2.1), (2.1, 3.0), (3.0, 6.0), (6.0, float("inf")))
_ALONE = "beside the untouched one"
_LEAST_TRIALS = 8
"""Fewer distorted images of a family than this have no curve of their own."""


class TaskScore(TypedDict):
    """A task. `right`: the share of answers that agree with the labels; `by`: the same in groups; `chance`: what
    guessing gives; `more`: what a task has besides; `agreement` between people, where a task has a choice.
    """

    right: Share
    chance: float | None
    by: dict[str, dict[str, Share]]
    more: dict[str, Share]
    confusion: dict[str, dict[str, int]]
    agreement: Alpha | None


class StudyScores(TypedDict):
    """What a study found. `people`: also those excluded; `n`: those that count. `thresholds`: by family, and "all"."""

    format: str
    version: int
    made_by: str
    data: dict[str, str]
    n: int
    answers: int
    rule: str
    people: list[PersonFacts]
    tasks: dict[str, TaskScore]
    thresholds: dict[str, Threshold]
    refused: list[str]
    ignored: dict[str, int]


def score_study(folder: str | Path, places: Sequence[Path], *, most_false_alarms: float = FALSE_ALARMS) -> StudyScores:
    """Score the answers of people to studies of a data set.

    Parameters
    ----------
    folder
        The data set that the studies were made of.
    places
        Files that the page downloaded, folders of them, or patterns.
    most_false_alarms
        Share of trials without a distortion, 0 to 1, above which a person's answers do not count.

    Returns
    -------
    StudyScores
        Ready for JSON.

    Raises
    ------
    UserError
        For what is no data set, where no file can be used, and where everybody is excluded.
    """
    return score_answers(read_stimuli(open_data(folder)), find_answer_files(places), most_false_alarms)


def score_answers(stimuli: Stimuli, files: Sequence[Path], most_false_alarms: float = FALSE_ALARMS) -> StudyScores:
    """Score files of answers against the labels of a data set that was read; see `score_study`."""
    found = read_answers(files, stimuli)
    facts = [describe_person(person, stimuli, most_false_alarms) for person in found.people]
    counted = [person for person, about in zip(found.people, facts, strict=True) if about["excluded"] is None]
    if not counted:
        first = facts[0]
        raise UserError(f"nobody's answers count: {first['name']} {first['excluded']}; --max-false-alarms allows more")
    return _score_people(counted, facts, found, stimuli, most_false_alarms)


def _score_people(
    counted: Sequence[Participant],
    facts: list[PersonFacts],
    found: StudyAnswers,
    stimuli: Stimuli,
    most_false_alarms: float,
) -> StudyScores:
    marked = [
        mark_answer(number, answer, stimuli) for number, person in enumerate(counted) for answer in person.answers
    ]
    tasks = {task: [one for one in marked if one.answer.task == task] for task in TASKS}
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_by": f"distortlab {__version__}",
        "data": {"name": stimuli.name, "manifest_sha256": stimuli.sha256},
        "n": len(counted),
        "answers": len(marked),
        "rule": f"left out: who saw a distortion in more than {most_false_alarms:.0%} of {LEAST_CATCHES} or more "
        "untouched images",
        "people": facts,
        "tasks": {task: _SCORERS[task](group, stimuli) for task, group in tasks.items() if group},
        "thresholds": _fit_thresholds(tasks["detection"]),
        "refused": found.refused,
        "ignored": {reason: count for reason, count in found.ignored.items() if count},
    }


# --- by task --------------------------------------------------------------------------------------------------------


def _share(marked: Sequence[Marked]) -> Share:
    return compute_share([float(one.right) for one in marked], [one.person for one in marked])


def _group(marked: Sequence[Marked], key: Callable[[Marked], str]) -> dict[str, Share]:
    groups: dict[str, list[Marked]] = defaultdict(list)
    for one in marked:
        groups[key(one)].append(one)
    return {name: _share(groups[name]) for name in sorted(groups)}


def _find_family(one: Marked) -> str:
    return "untouched" if one.stimulus is None else one.stimulus.family


def _find_severity(one: Marked) -> str:
    return "untouched" if one.stimulus is None else str(one.stimulus.severity)


def _group_by_label(marked: Sequence[Marked]) -> dict[str, dict[str, Share]]:
    return {
        "family": _group(marked, _find_family),
        "severity": _group(marked, _find_severity),
        "family x severity": _group(marked, lambda one: f"{_find_family(one)} {_find_severity(one)}".strip()),
    }


def _score_task(
    marked: Sequence[Marked],
    chance: float | None,
    *,
    by: dict[str, dict[str, Share]] | None = None,
    more: dict[str, Share] | None = None,
    confusion: dict[str, dict[str, int]] | None = None,
    value: Callable[[Answer], str] | None = None,
) -> TaskScore:
    """A task; `value` is what must be equal for two people to agree."""
    given: dict[Hashable, list[str]] = defaultdict(list)
    for one in marked if value is not None else ():
        given[frozenset(one.answer.images)].append(value(one.answer) if value else "")
    return {
        "right": _share(marked),
        "chance": chance,
        "by": _group_by_label(marked) if by is None else by,
        "more": more or {},
        "confusion": confusion or {},
        "agreement": compute_alpha(given) if value is not None else None,
    }


def _score_detection(marked: Sequence[Marked], stimuli: Stimuli) -> TaskScore:
    distorted = [one for one in marked if one.stimulus is not None]
    untouched = [one for one in marked if one.stimulus is None]
    alarms = compute_share([float(not one.right) for one in untouched], [one.person for one in untouched])
    more = {"seen": _share(distorted), "false alarms": alarms}
    return _score_task(marked, 0.5, by=_group_by_label(distorted), more=more, value=lambda answer: str(answer.answer))


def _score_recognition(marked: Sequence[Marked], stimuli: Stimuli) -> TaskScore:
    from distortlab.tasks.terms import FAMILIES

    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    for one in marked:
        confusion[_find_family(one)][str(one.answer.answer)] += 1
    table = {family: dict(counts) for family, counts in sorted(confusion.items())}
    return _score_task(marked, 1 / len(FAMILIES), confusion=table, value=lambda answer: str(answer.answer))


def _score_comparison(marked: Sequence[Marked], stimuli: Stimuli) -> TaskScore:
    """By how far the labels of the two are apart."""
    by = {
        "times V": _group(marked, lambda one: _name_ratio(one.answer, stimuli)),
        "severities apart": _group(marked, lambda one: _name_distance(one.answer, stimuli)),
        "families": _group(marked, lambda one: _name_families(one.answer, stimuli)),
    }
    first = compute_share([float(one.answer.answer == "First") for one in marked], [one.person for one in marked])
    return _score_task(marked, 0.5, by=by, more={"said First": first}, value=find_chosen)


def _list_both(answer: Answer, stimuli: Stimuli) -> list[Stimulus]:
    return [stimuli.distorted[name] for name in answer.images if name in stimuli.distorted]


def _name_ratio(answer: Answer, stimuli: Stimuli) -> str:
    values = sorted(one.v for one in _list_both(answer, stimuli))
    if len(values) < 2:
        return _ALONE
    ratio = values[1] / values[0]
    low, high = next(ends for ends in _RATIOS if ends[0] <= ratio < ends[1])
    return f"{low:g} to {high:g}" if high < float("inf") else f"{low:g} or more"


def _name_distance(answer: Answer, stimuli: Stimuli) -> str:
    """By severity, that of the larger V first: below 0 where severities say the opposite of V."""
    both = sorted(_list_both(answer, stimuli), key=lambda one: -one.v)
    return str(both[0].severity - both[1].severity) if len(both) > 1 else _ALONE


def _name_families(answer: Answer, stimuli: Stimuli) -> str:
    both = _list_both(answer, stimuli)
    if len(both) < 2:
        return _ALONE
    return "one" if both[0].family == both[1].family else "two"


def _score_grounding(marked: Sequence[Marked], stimuli: Stimuli) -> TaskScore:
    shares = []
    for one in marked:
        assert one.stimulus is not None
        width, height = stimuli.sizes[one.stimulus.image_id]
        shares.append(one.stimulus.box.width * one.stimulus.box.height / (width * height))
    given = compute_share([float(one.answer.answer is not None) for one in marked], [one.person for one in marked])
    return _score_task(marked, sum(shares) / len(shares), more={"pointed somewhere": given})


_SCORERS: Mapping[str, Callable[[Sequence[Marked], Stimuli], TaskScore]] = {
    "detection": _score_detection,
    "recognition": _score_recognition,
    "comparison": _score_comparison,
    "grounding": _score_grounding,
}


def _fit_thresholds(marked: Sequence[Marked]) -> dict[str, Threshold]:
    """The curve of all images, and those of families with enough of them; all share the trials without a distortion."""
    groups: dict[str, list[Marked]] = defaultdict(list)
    for one in marked:
        if one.stimulus is not None:
            groups[one.stimulus.family].append(one)
    untouched = [one for one in marked if one.stimulus is None]
    kept = {"all": [one for group in groups.values() for one in group], **dict(sorted(groups.items()))}
    return {name: _fit_threshold([*group, *untouched]) for name, group in kept.items() if len(group) >= _LEAST_TRIALS}


def _fit_threshold(marked: Sequence[Marked]) -> Threshold:
    v = [0.0 if one.stimulus is None else one.stimulus.v for one in marked]
    return estimate_threshold(
        make_trials(v, [one.answer.answer == SEEN[0] for one in marked], [one.person for one in marked])
    )
