"""Files of answers from the page of a study. They come from anywhere: all is checked, what is ignored is counted."""

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distortlab.analysis.study.stimuli import TASKS, Stimuli, name_reference
from distortlab.core.errors import UserError
from distortlab.tasks.comparison import CHOICES
from distortlab.tasks.terms import FAMILIES

__all__ = [
    "FORMAT",
    "SEEN",
    "VERSION",
    "Answer",
    "Participant",
    "StudyAnswers",
    "find_answer_files",
    "find_worse",
    "read_answers",
]

FORMAT = "distortlab study answers"
VERSION = 1
SEEN = ("distorted", "untouched")
"""The two answers of detection."""
MOST_BYTES = 5_000_000
MOST_TRIALS = 10_000
_FIELDS = {"format", "version", "study", "data", "participant", "order", "started", "finished", "screen", "trials"}
_TRIAL_FIELDS = {"task", "images", "answer", "seconds", "input"}
_NAME = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a person. `answer`: one of `SEEN`, a family, one of `CHOICES`, or (x, y) in pixels of the image,
    None where the person found nothing; `seconds`: None where they are not known.
    """

    task: str
    images: tuple[str, ...]
    answer: str | tuple[float, float] | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Participant:
    """A person. `finished`: whether all trials were answered; `screen`: what the page found out about the screen."""

    name: str
    study: str
    file: str
    answers: tuple[Answer, ...]
    finished: bool
    screen: Mapping[str, float]


@dataclass(slots=True)
class StudyAnswers:
    """All answers to studies of one data set. `refused`: a sentence for each file that was left out; `ignored`: answers
    and fields of the other files that were, by reason.
    """

    people: list[Participant] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


class _Refused(Exception):
    """Why a file is left out."""


def find_answer_files(places: Iterable[Path]) -> list[Path]:
    """The files that are meant: those named, the `*.json` of folders, and what patterns match, each once.

    Raises
    ------
    UserError
        Where a place is not there.
    """
    found: dict[Path, Path] = {}
    for place in places:
        if place.is_dir():
            files = sorted(place.glob("*.json"))
        elif not place.exists() and any(sign in place.name for sign in "*?["):
            files = sorted(place.parent.glob(place.name))
        else:
            files = [place] if place.is_file() else []
        if not files:
            raise UserError(f"{place} has no answers: --score takes the .json files that the page of a study downloads")
        found |= {file.resolve(): file for file in files}
    return list(found.values())


def read_answers(files: Sequence[Path], stimuli: Stimuli) -> StudyAnswers:
    """Read the answers of several people to studies of one data set.

    Parameters
    ----------
    files
        What the page downloaded.
    stimuli
        Of the whole data set.

    Returns
    -------
    StudyAnswers
        One participant for each file. Of two files of one participant of one study, the one with more answers counts.

    Raises
    ------
    UserError
        Where no file can be used; the sentence is that of the first.
    """
    found = StudyAnswers()
    kept: dict[tuple[str, str], Participant] = {}
    for file in files:
        ignored: Counter[str] = Counter()
        try:
            person = _read_file(file, stimuli, ignored)
        except _Refused as why:
            found.refused.append(f"{file}: {why}")
            continue
        first = kept.setdefault((person.study, person.name), person)
        if first is not person:
            better = person if len(person.answers) > len(first.answers) else first
            kept[person.study, person.name] = better
            other = first.file if better is person else person.file
            found.refused.append(
                f"{other}: participant {person.name!r} answered this study twice; {better.file} has "
                f"{'more answers' if len(person.answers) != len(first.answers) else 'as many answers'} and counts"
            )
        found.ignored += ignored
    found.people = list(kept.values())
    if not found.people:
        raise UserError(found.refused[0] if found.refused else "no answers: --score takes .json files")
    return found


def _read_file(file: Path, stimuli: Stimuli, ignored: Counter[str]) -> Participant:
    data = _parse(file)
    about = data.get("data")
    sha256 = about.get("manifest_sha256") if isinstance(about, Mapping) else None
    if sha256 != stimuli.sha256:
        theirs = f"manifest {sha256[:12]}" if isinstance(sha256, str) else "no manifest named"
        raise _Refused(f"answers about another data set ({theirs}; that of {stimuli.name} is {stimuli.sha256[:12]})")
    trials = data.get("trials")
    if not isinstance(trials, list):
        raise _Refused("damaged: it has no list of trials")
    if len(trials) > MOST_TRIALS:
        raise _Refused(f"{len(trials):,} trials; a study has at most {MOST_TRIALS:,}")
    ignored["unknown fields"] += len(set(data) - _FIELDS)
    answers = tuple(_read_trials(trials, stimuli, ignored))
    if not answers:
        raise _Refused("no answer in it can be used")
    finished = data.get("finished")
    return Participant(
        name=_clean_name(data.get("participant")),
        study=_clean_name(data.get("study")),
        file=str(file),
        answers=answers,
        finished=isinstance(finished, str) and bool(finished),
        screen=_read_screen(data.get("screen")),
    )


def _parse(file: Path) -> dict[str, Any]:
    try:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise _Refused(f"{size / 1e6:,.1f} MB; answers have at most {MOST_BYTES / 1e6:g} MB")
        data = json.loads(file.read_bytes())
    except OSError as error:
        raise _Refused(f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _Refused("no JSON: download the answers from the page again") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _Refused("no answers to a study; the page of distortlab study downloads them")
    if data.get("version") != VERSION:
        raise _Refused(f"answers of version {str(data.get('version'))[:20]}; this distortlab reads version {VERSION}")
    return data


def _clean_name(value: object) -> str:
    """A name on one line, without control characters; it is shown to people."""
    text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in str(value)[:500])
    return " ".join(text.split())[:_NAME] or "without a name"


def _read_screen(value: object) -> dict[str, float]:
    items = value.items() if isinstance(value, Mapping) else ()
    return {str(name)[:_NAME]: number for name, raw in items if (number := _read_number(raw)) is not None}


def _read_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _read_trials(trials: Sequence[object], stimuli: Stimuli, ignored: Counter[str]) -> Iterable[Answer]:
    seen: set[tuple[str, frozenset[str]]] = set()
    for trial in trials:
        if not isinstance(trial, Mapping):
            ignored["trials that are no objects"] += 1
            continue
        ignored["unknown fields"] += len(set(trial) - _TRIAL_FIELDS)
        answer = _read_trial(trial, stimuli)
        if isinstance(answer, str):
            ignored[answer] += 1
            continue
        key = (answer.task, frozenset(answer.images))
        if key in seen:
            ignored["trials that were answered before"] += 1
            continue
        seen.add(key)
        yield answer


def _read_trial(trial: Mapping[str, Any], stimuli: Stimuli) -> Answer | str:
    """The answer to a trial, or why it is ignored."""
    task, images = trial.get("task"), trial.get("images")
    if task not in TASKS:
        return "trials of no known task"
    count = 2 if task == "comparison" else 1
    if not isinstance(images, list) or len(images) != count or not all(isinstance(name, str) for name in images):
        return "trials without their images"
    if not all(name in stimuli.distorted or name in stimuli.pristine for name in images):
        return "trials about images that the data set does not have or ask about"
    if not _is_asked(task, images, stimuli):
        return "trials about images that this question does not fit"
    if "answer" not in trial:
        return "trials without an answer"
    answer = _read_choice(task, trial["answer"], stimuli.sizes[images[0]])
    if answer == "":
        return "trials with an answer that is none of those allowed"
    seconds = _read_number(trial.get("seconds"))
    return Answer(task, tuple(images), answer, seconds if seconds is not None and seconds >= 0 else None)


def _is_asked(task: str, images: Sequence[str], stimuli: Stimuli) -> bool:
    distorted = [stimuli.distorted[name] for name in images if name in stimuli.distorted]
    if task == "detection":
        return True
    if task == "comparison":
        return find_worse(images, stimuli) is not None
    return len(distorted) == 1


def find_worse(images: Sequence[str], stimuli: Stimuli) -> str | None:
    """The one of two images that has the larger V; None where they are not of one reference, or are alike."""
    distorted = [stimuli.distorted[name] for name in images if name in stimuli.distorted]
    scenes = {name_reference(one.reference_id) for one in distorted}
    others = {name for name in images if name not in stimuli.distorted}
    if len(set(images)) != 2 or len(scenes) != 1 or not others <= scenes:
        return None
    ranked = sorted(distorted, key=lambda one: -one.v)
    return None if len(ranked) == 2 and ranked[0].v == ranked[1].v else ranked[0].image_id


def _read_choice(task: str, value: object, size: tuple[int, int]) -> str | tuple[float, float] | None:
    """The answer; "" for what is none."""
    if task == "grounding":
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:
            return ""
        x, y = map(_read_number, value)
        return (x, y) if x is not None and y is not None and 0 <= x <= size[0] and 0 <= y <= size[1] else ""
    allowed: Sequence[str] = {"detection": SEEN, "recognition": FAMILIES, "comparison": CHOICES}[task]
    return value if isinstance(value, str) and value in allowed else ""
