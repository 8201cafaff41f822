"""Scores of scripted people, who see what they see by V alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from study_samples import Person, make_stimuli, write_answers

from distortlab.analysis.study.answers import FORMAT
from distortlab.analysis.study.scores import StudyScores, score_answers
from distortlab.analysis.study.stimuli import TASKS, Stimuli
from distortlab.analysis.study.text import print_study
from distortlab.core.errors import UserError
from distortlab.visualization.study.assignment import Pool, plan_orders, share_trials

PEOPLE = 6


@pytest.fixture(scope="module")
def stimuli() -> Stimuli:
    return make_stimuli()


@pytest.fixture(scope="module")
def facts(stimuli: Stimuli) -> dict[str, Any]:
    """What a page says, as far as scripted people read it."""
    found = tuple(stimuli.distorted.values())
    pool = Pool(found, frozenset(one.reference_id for one in found))
    names = sorted({*stimuli.distorted, *pool.list_catches()})
    orders = [
        [(task, [[names.index(name) for name in trial.images] for trial in trials]) for task, trials in order]
        for order in plan_orders(pool, share_trials(TASKS, 100), 0, PEOPLE)
    ]
    about = {"format": FORMAT, "version": 1, "study": "s", "data": {"manifest_sha256": stimuli.sha256}}
    return {**about, "images": [{"name": name} for name in names], "orders": orders}


@pytest.fixture(scope="module")
def files(stimuli: Stimuli, facts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    people = [Person(f"P{k}", stimuli, threshold=2.5).fill(facts, k) for k in range(PEOPLE)]
    return write_answers(tmp_path_factory.mktemp("answers"), people)


@pytest.fixture(scope="module")
def scores(stimuli: Stimuli, files: list[Path]) -> StudyScores:
    return score_answers(stimuli, files)


def test_the_threshold_of_people_is_found(scores: StudyScores) -> None:
    found = scores["thresholds"]["all"]
    low, high = found["interval"]
    assert low < 2.5 < high < 2 * low
    assert set(scores["thresholds"]) == {"all", *scores["tasks"]["detection"]["by"]["family"]}
    assert found["n"] == sum(entry["n"] for name, entry in scores["thresholds"].items() if name != "all") == 180


def test_shares_follow_the_labels(scores: StudyScores) -> None:
    assert (scores["n"], scores["answers"]) == (PEOPLE, 100 * PEOPLE)
    for task in ("detection", "recognition", "grounding"):
        shares = [share["value"] for share in scores["tasks"][task]["by"]["severity"].values()]
        assert shares[-1] - shares[0] > 0.5, task
        assert len(scores["tasks"][task]["by"]["family"]) == 12
        for share in scores["tasks"][task]["by"]["family x severity"].values():
            assert share["interval"][0] <= share["value"] <= share["interval"][1]
    assert scores["tasks"]["detection"]["more"]["false alarms"]["value"] == pytest.approx(0.08, abs=0.08)
    assert scores["tasks"]["grounding"]["chance"] == pytest.approx(100 * 80 / (330 * 264), abs=0.01)
    assert sum(sum(row.values()) for row in scores["tasks"]["recognition"]["confusion"].values()) == 20 * PEOPLE


def test_pairs_are_ordered_better_the_further_they_are_apart(scores: StudyScores) -> None:
    by = scores["tasks"]["comparison"]["by"]
    assert sum(share["n"] for share in by["times V"].values()) == 20 * PEOPLE
    assert by["times V"]["6 or more"]["value"] > 0.9
    assert set(by["families"]) == {"two", "beside the untouched one"}


def test_people_who_see_alike_agree(scores: StudyScores) -> None:
    assert 0.2 < scores["tasks"]["detection"]["agreement"]["value"] < 0.9
    assert scores["tasks"]["grounding"]["agreement"] is None


def test_who_sees_distortions_where_nothing_is_does_not_count(
    stimuli: Stimuli, facts: dict[str, Any], files: list[Path], tmp_path: Path
) -> None:
    guesser = write_answers(tmp_path, [Person("guesser", stimuli, guess=0.95).fill(facts, 0)])
    found = score_answers(stimuli, [files[0], *guesser])
    assert (found["n"], len(found["people"])) == (1, 2)
    assert found["people"][-1]["excluded"].endswith("of 10 untouched images")
    assert "more than 40%" in found["rule"]
    assert score_answers(stimuli, [files[0], *guesser], 1.0)["n"] == 2
    with pytest.raises(UserError, match="nobody's answers count: guesser saw a distortion"):
        score_answers(stimuli, guesser)


def test_what_is_printed_has_no_markup_of_others(
    stimuli: Stimuli, facts: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = Person("[red]Eve[/nonsense]", stimuli).fill(facts, 0)
    hostile["trials"][0] |= {"answer": None, "unknown": 1}
    found = score_answers(stimuli, write_answers(tmp_path, [hostile, {"format": "no"}]))
    print_study(found)
    said = capsys.readouterr().out
    assert "[red]Eve[/nonsense]" in said
    assert "ignored: 1 unknown fields, 1 trials with an answer that is none of those allowed" in said
    assert "left out: " in said
    json.dumps(found, allow_nan=False)
