"""Shares of difficulties: reached in the plan, kept by the draws, refused where no plan can have them."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from dataset_samples import Gallery, rows_of, small_recipe

from distortlab import generate
from distortlab.core.errors import BadRecipe
from distortlab.generation import difficulties
from distortlab.generation.plan import Slot, make_plan
from distortlab.recipe import default_recipe
from distortlab.severity.difficulty import find_difficulty, list_difficulties

EVEN = {"easy": 1, "medium": 1, "hard": 1}


def plan_slots(**changes: Any) -> list[Slot]:
    plan = make_plan(default_recipe(**{"n": 2000, "splits": {"train": 1}, **changes}), Gallery())
    return [slot for shard in plan.shards for slot in shard.slots]


@pytest.mark.parametrize("wish", [EVEN, {"easy": 3, "medium": 3, "hard": 1}, {"easy": 1, "medium": 1}])
def test_a_plan_has_the_shares_that_are_asked_for(wish: dict[str, int]) -> None:
    slots = plan_slots(difficulties=wish)
    counts = Counter(slot.difficulty for slot in slots)
    for difficulty, share in wish.items():
        assert counts[difficulty] == pytest.approx(2000 * share / sum(wish.values()), abs=3)
    assert set(counts) == set(wish)
    for margin in (Counter(slot.family for slot in slots), Counter(slot.severity for slot in slots)):
        assert all(count == pytest.approx(2000 / len(margin), abs=8) for count in margin.values())
    assert all(slot.difficulty in list_difficulties(slot.family, slot.severity) for slot in slots)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_small_plan_has_them_as_well(seed: int) -> None:
    counts = Counter(slot.difficulty for slot in plan_slots(n=90, seed=seed, difficulties=EVEN))
    assert all(counts[difficulty] == pytest.approx(30, abs=2) for difficulty in EVEN)


def test_shares_of_families_and_severities_are_those_of_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(difficulties, "find_difficulty", lambda name, s: ("easy", "medium", "hard")[len(name) % 3])
    slots = plan_slots(difficulties=EVEN, families={"noise": 3, "blur": 1}, severities={"1": 1, "2": 3, "3": 1})
    assert Counter(slot.family for slot in slots)["noise"] == pytest.approx(1500, abs=5)
    assert Counter(slot.severity for slot in slots)[2] == pytest.approx(1200, abs=5)


def test_without_a_wish_a_plan_asks_for_none() -> None:
    assert {slot.difficulty for slot in plan_slots(n=100)} == {None}


def test_pairs_of_family_and_severity_stay_even_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(difficulties, "find_difficulty", lambda name, severity: ("easy", "hard")[len(name) % 2])
    slots = plan_slots(difficulties={"easy": 1, "hard": 1}, families={"noise": 1, "darken": 1})
    pairs = Counter((slot.family, slot.severity) for slot in slots)
    assert all(count == pytest.approx(200, abs=1) for count in pairs.values())


@pytest.mark.parametrize(
    ("table", "wish", "sentence"),
    [
        # whatever is at severity 1 is hard, all else easy: a fifth is hard
        (lambda name, s: "hard" if s == 1 else "easy", {"easy": 1, "hard": 1}, "easy 0.80, medium 0.00, hard 0.20"),
        (lambda name, s: "hard" if s == 1 else "easy", {"hard": 1}, "asks for hard, .* severity 2, 3, 4, 5"),
        (lambda name, s: "hard" if "noise" in name else "easy", {"hard": 1}, "asks for hard, .* family blur"),
        (lambda name, s: "easy", {"easy": 1, "medium": 1}, "asks for easy or medium, .* difficulty medium"),
    ],
)
def test_what_no_plan_can_have_is_one_sentence(
    table: Any, wish: dict[str, int], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(difficulties, "find_difficulty", table)
    with pytest.raises(BadRecipe, match=sentence):
        plan_slots(difficulties=wish, families={"noise": 1, "blur": 1})


def test_the_shares_that_are_offered_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(difficulties, "find_difficulty", lambda name, s: "hard" if s == 1 else "easy")
    counts = Counter(slot.difficulty for slot in plan_slots(difficulties={"easy": 0.8, "hard": 0.2}))
    assert counts["easy"] == pytest.approx(1600, abs=5)
    assert set(counts) == {"easy", "hard"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"difficulties": {"simple": 1}}, "no difficulty called 'simple'"),
        ({"difficulties": {"easy": -1}}, "share of difficulty 'easy' is -1"),
        ({"difficulties": {"easy": 0}}, "no difficulty has a share above 0"),
        ({"difficulties": EVEN, "profile": "dq"}, 'difficulties were measured on profile "matched"'),
    ],
)
def test_a_recipe_with_such_shares_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRecipe, match=sentence):
        default_recipe(**changes)


def test_images_and_questions_have_the_difficulty_that_was_planned(tmp_path: Path) -> None:
    recipe = small_recipe(n=16, difficulties=EVEN, families={"noise": 1, "blur": 1, "compression": 1})
    generate(recipe, Gallery(), tmp_path / "data", workers=1)
    planned = {slot.image_id: slot.difficulty for shard in make_plan(recipe, Gallery()).shards for slot in shard.slots}
    rows = rows_of(tmp_path / "data", "images")
    for row in rows:
        (region,) = row["regions"]
        name = f"{region['distortion']}.{region['variant']}"
        assert region["difficulty"] == planned[row["image_id"]] == find_difficulty(name, region["severity"])
    questions = rows_of(tmp_path / "data", "rft")
    assert len(rows) == 16
    assert all(question["difficulty"] == planned[question["image_id"]] for question in questions)
