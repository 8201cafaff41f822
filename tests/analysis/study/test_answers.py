"""Files of answers: what is wrong with one is a sentence, what is wrong in one is counted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from study_samples import make_stimuli

from distortlab.analysis.study.answers import FORMAT, find_answer_files, read_answers
from distortlab.analysis.study.stimuli import Stimuli
from distortlab.core.errors import UserError

SEEN = {"task": "detection", "images": ["train-000000"], "answer": "distorted", "seconds": 1.0, "input": "key"}


@pytest.fixture(scope="module")
def stimuli() -> Stimuli:
    return make_stimuli(4)


def make_answers(**changes: Any) -> dict[str, Any]:
    about = {"format": FORMAT, "version": 1, "study": "s", "data": {"manifest_sha256": "a" * 64}, "participant": "P"}
    return {**about, "finished": "now", "screen": {"scale": 1}, "trials": [SEEN], **changes}


def save(folder: Path, *contents: Any) -> list[Path]:
    paths = [folder / f"{number}.json" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return paths


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("not JSON", "no JSON: download the answers"),
        ("[" * 100_000, "no JSON: download the answers"),
        ('{"n": ' + "9" * 5000 + "}", "no JSON: download the answers"),
        ("[]", "no answers to a study"),
        ({"format": "another"}, "no answers to a study"),
        (make_answers(version=2), "answers of version 2; this distortlab reads version 1"),
        (
            make_answers(data={"manifest_sha256": "b" * 64}),
            r"about another data set \(manifest bbbbbbbbbbbb; that of data",
        ),
        (make_answers(data=None), r"about another data set \(no manifest named"),
        (make_answers(trials=None), "damaged: it has no list of trials"),
        (make_answers(trials=[SEEN] * 10_001), "10,001 trials; a study has at most 10,000"),
        (make_answers(trials=[]), "no answer in it can be used"),
        (make_answers(more="x" * 5_000_001), "5.0 MB; answers have at most 5 MB"),
    ],
)
def test_a_file_that_cannot_be_used_is_left_out_with_a_sentence(
    stimuli: Stimuli, tmp_path: Path, content: Any, sentence: str
) -> None:
    bad, good = save(tmp_path, content, make_answers())
    with pytest.raises(UserError, match=sentence):
        read_answers([bad], stimuli)
    found = read_answers([bad, good], stimuli)
    assert [person.name for person in found.people] == ["P"]
    assert [sentence.startswith(f"{bad}: ") for sentence in found.refused] == [True]


Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda trial: "no trial", "trials that are no objects"),
        (lambda trial: trial | {"task": "taste"}, "trials of no known task"),
        (lambda trial: trial | {"task": ["detection"]}, "trials of no known task"),
        (lambda trial: trial | {"images": ["train-999999"]}, "trials about images that the data set does not have"),
        (lambda trial: trial | {"images": [3]}, "trials without their images"),
        (lambda trial: trial | {"images": ["train-000001"] * 2}, "trials without their images"),
        (lambda trial: {k: v for k, v in trial.items() if k != "answer"}, "trials without an answer"),
        (lambda trial: trial | {"answer": float("nan")}, "trials with an answer that is none of those allowed"),
        (lambda trial: trial | {"answer": ["distorted"]}, "trials with an answer that is none of those allowed"),
        (
            lambda trial: trial | {"task": "grounding", "answer": [5, float("inf")]},
            "trials with an answer that is none",
        ),
        (lambda trial: trial | {"task": "grounding", "answer": [500, 5]}, "trials with an answer that is none"),
        (lambda trial: trial | {"task": "grounding", "answer": [10**400, 5]}, "trials with an answer that is none"),
        (lambda trial: trial | {"task": "recognition", "images": ["reference:scene-0"], "answer": "blur"}, "not fit"),
        (lambda trial: trial | {"task": "comparison", "images": ["train-000000", "train-000009"]}, "does not fit"),
        (lambda trial: trial | {"task": "comparison", "images": ["train-000000", "reference:scene-3"]}, "does not fit"),
        (lambda trial: trial, "trials that were answered before"),
        (lambda trial: trial | {"answer": "untouched"}, "trials that were answered before"),
        (lambda trial: trial | {"images": ["train-000001"], "score": 1}, "unknown fields"),
    ],
)
def test_what_is_ignored_is_counted(stimuli: Stimuli, tmp_path: Path, change: Change, reason: str) -> None:
    found = read_answers(save(tmp_path, make_answers(trials=[SEEN, change(dict(SEEN))])), stimuli)
    (person,) = found.people
    assert person.answers[0].answer == "distorted"
    ((name, count),) = [(name, count) for name, count in found.ignored.items() if count]
    assert reason in name
    assert count == 1
    assert len(person.answers) == (2 if reason == "unknown fields" else 1)


def test_odd_numbers_and_names(stimuli: Stimuli, tmp_path: Path) -> None:
    odd = make_answers(
        participant="\x1b[31m\nEve\u202e " + "x" * 600, screen={"scale": float("nan"), "a": True, "ppd": 40}
    )
    odd["trials"] = [SEEN | {"seconds": -1}, SEEN | {"images": ["train-000001"], "seconds": float("nan")}]
    (person,) = read_answers(save(tmp_path, odd), stimuli).people
    assert person.name.startswith("[31m Eve x")
    assert person.name.isprintable()
    assert len(person.name) == 60
    assert dict(person.screen) == {"ppd": 40.0}
    assert [answer.seconds for answer in person.answers] == [None, None]


def test_of_two_files_of_one_person_the_fuller_one_counts(stimuli: Stimuli, tmp_path: Path) -> None:
    more = make_answers(trials=[SEEN, SEEN | {"images": ["train-000001"]}])
    files = save(tmp_path, make_answers(), more, make_answers(study="another"), make_answers(participant="Q"))
    found = read_answers(files, stimuli)
    assert sorted((p.name, p.study, len(p.answers)) for p in found.people) == [
        ("P", "another", 1),
        ("P", "s", 2),
        ("Q", "s", 1),
    ]
    (sentence,) = found.refused
    assert sentence.startswith(f"{files[0]}: participant 'P' answered this study twice; {files[1]} has more answers")


def test_places_of_answers(tmp_path: Path) -> None:
    first, second = save(tmp_path, {}, {})
    assert find_answer_files([tmp_path]) == find_answer_files([tmp_path / "*.json"]) == [first, second]
    assert find_answer_files([second, first, second]) == [second, first]
    with pytest.raises(UserError, match=r"nothing\.json has no answers: --score takes the \.json files"):
        find_answer_files([tmp_path / "nothing.json"])
