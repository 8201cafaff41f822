"""Answers held against the labels, and what there is to say of the person who gave them."""

from dataclasses import dataclass
from statistics import median
from typing import TypedDict

from distortlab.analysis.study.answers import SEEN, Answer, Participant, find_worse
from distortlab.analysis.study.stimuli import Stimuli, Stimulus
from distortlab.core.region import Box

__all__ = ["FALSE_ALARMS", "LEAST_CATCHES", "Marked", "PersonFacts", "describe_person", "find_chosen", "mark_answer"]

FALSE_ALARMS = 0.4
"""Share of the trials without a distortion above which a person's answers are left out: one who looks away reaches it,
one who looks closely does not.
"""
LEAST_CATCHES = 4


class PersonFacts(TypedDict):
    """A person. `catches`: trials without a distortion, `false_alarms` of which a distortion was seen in; `excluded`:
    why the answers do not count, None where they do. `seconds`: median of a trial.
    """

    name: str
    file: str
    study: str
    finished: bool
    answers: int
    catches: int
    false_alarms: int
    right: float | None
    seconds: float | None
    pixels_per_degree: float | None
    scale: float | None
    excluded: str | None


@dataclass(frozen=True, slots=True)
class Marked:
    """An answer with the number of the person who gave it, the image it is about, and whether it is right. `stimulus`
    is None where nothing is distorted.
    """

    person: int
    answer: Answer
    stimulus: Stimulus | None
    right: bool


def describe_person(person: Participant, stimuli: Stimuli, most_false_alarms: float) -> PersonFacts:
    """Describe a person, and say why the answers do not count where they do not.

    Parameters
    ----------
    person
        With all answers that can be used.
    stimuli
        Of the data set.
    most_false_alarms
        Share of the trials without a distortion, 0 to 1, above which the answers do not count.
    """
    marked = [mark_answer(0, answer, stimuli) for answer in person.answers]
    catches = [one for one in marked if one.answer.task == "detection" and one.stimulus is None]
    alarms = sum(not one.right for one in catches)
    times = [answer.seconds for answer in person.answers if answer.seconds is not None]
    is_excluded = len(catches) >= LEAST_CATCHES and alarms > most_false_alarms * len(catches)
    return {
        "name": person.name,
        "file": person.file,
        "study": person.study,
        "finished": person.finished,
        "answers": len(marked),
        "catches": len(catches),
        "false_alarms": alarms,
        "right": sum(one.right for one in marked) / len(marked) if marked else None,
        "seconds": round(median(times), 3) if times else None,
        "pixels_per_degree": person.screen.get("pixels_per_degree"),
        "scale": person.screen.get("scale"),
        "excluded": f"saw a distortion in {alarms} of {len(catches)} untouched images" if is_excluded else None,
    }


def mark_answer(number: int, answer: Answer, stimuli: Stimuli) -> Marked:
    """Hold an answer of a person, given by number, against the labels."""
    stimulus = next((stimuli.distorted[name] for name in answer.images if name in stimuli.distorted), None)
    if answer.task == "detection":
        right = answer.answer == SEEN[stimulus is None]
    elif answer.task == "comparison":
        worse = str(find_worse(answer.images, stimuli))
        stimulus = stimuli.distorted[worse]
        right = find_chosen(answer) == worse
    elif answer.task == "recognition":
        right = stimulus is not None and answer.answer == stimulus.family
    else:
        right = stimulus is not None and isinstance(answer.answer, tuple) and _is_inside(answer.answer, stimulus.box)
    return Marked(number, answer, stimulus, right)


def find_chosen(answer: Answer) -> str:
    """The name of the image that a comparison chose."""
    return answer.images[answer.answer == "Second"]


def _is_inside(point: tuple[float, float], box: Box) -> bool:
    return box.x1 <= point[0] <= box.x2 and box.y1 <= point[1] <= box.y2
