"""Guessing without looking: each predictor finds what it is made to find, and finds nothing where there is nothing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dataset_samples import Gallery, small_recipe
from dataset_samples import rows_of as table_of
from set_samples import SETS

from distortlab import generate
from distortlab.analysis.blind_questions import FOLDS, BlindBox, BlindQuestion, BlindSet, read_questions
from distortlab.analysis.blind_sets import CONSTANTS, list_constants, score_constants
from distortlab.analysis.shortcuts import Shortcut, measure_shortcuts, score_boxes, score_predictors, score_sets
from distortlab.analysis.statistics import collect_statistics
from distortlab.core.seeds import stream
from distortlab.dataset.reader import open_data
from distortlab.recipe import default_recipe
from distortlab.tasks import object as object_task
from distortlab.tasks import recognition
from distortlab.tasks.region_lists import DistortedRegion
from distortlab.tasks.terms import FAMILIES
from distortlab.verification.verify import verify

NAMES = ("cat", "dog", "bird", "fork", "knife", "spoon", "car", "bus", "wooden star", "brick star")


def blind(number: int, choices: list[str], right: int) -> BlindQuestion:
    """A question of which nothing tells the answer, unless `choices` and `right` do."""
    return BlindQuestion(
        task="object",
        prompt=object_task.question(choices, number % object_task.WORDINGS),
        solution=choices[right],
        choices=tuple(choices),
        correct=right,
        severity=0,
        fold=stream("fold", number // 2).below(FOLDS),
        reference=str(number // 2),
        size=(640, 480) if number % 3 else (480, 640),
        image_number=number,
        row=number,
        bytes_per_pixel=1.5 + stream("bytes", number).uniform(),
    )


def fair(number: int) -> BlindQuestion:
    source = stream("fair", number)
    return blind(number, source.permute(NAMES)[:4], source.below(4))


def often(number: int, chosen: Callable[[BlindQuestion], int | None]) -> BlindQuestion:
    """A fair question, but in four of ten the right answer is the one that `chosen` points at."""
    q = fair(number)
    place = chosen(q)
    if place is None or stream("often", number).uniform() > 0.4:
        return q
    return replace(q, correct=place, solution=q.choices[place])


LEAKS: dict[str, Callable[[BlindQuestion], int | None]] = {
    "answer": lambda q: q.choices.index("cat") if "cat" in q.choices else None,
    "order": lambda q: 2,
    "set": lambda q: q.choices.index("fork") if {"fork", "knife"} <= set(q.choices) else None,
    "words": lambda q: next((i for i, name in enumerate(q.choices) if "star" in name), None),
    "length": lambda q: max(range(4), key=lambda i: len(q.choices[i])),
    "image size": lambda q: 0 if q.size[0] > 500 else 3,
    "row": lambda q: q.image_number % 3,
    "file size": lambda q: q.choices.index((min if (q.bytes_per_pixel or 0) < 2 else max)(q.choices)),
}


def rows_of(questions: list[BlindQuestion], task: str = "object") -> dict[str, Shortcut]:
    return {row.predictor: row for row in score_predictors(task, questions)}


def test_where_nothing_tells_nothing_is_found() -> None:
    for row in rows_of([fair(number) for number in range(2400)]).values():
        assert row.chance == pytest.approx(0.25)
        assert abs(row.score - 0.25) < 2 * row.margin, row
        assert not row.leak


@pytest.mark.parametrize("name", LEAKS)
def test_every_predictor_finds_its_leak(name: str) -> None:
    row = rows_of([often(number, LEAKS[name]) for number in range(1500)])[name]
    assert row.leak
    assert not row.inside
    assert row.kind == {"image size": "metadata", "row": "metadata", "file size": "pixels"}.get(name, "prompt")


def test_questions_about_one_reference_are_never_learned_from_each_other() -> None:
    """A name that is right for a reference in all of its questions tells nothing about other references."""
    questions = []
    for number in range(2400):
        q = fair(number)
        own = stream("own", number // 20).below(4)
        questions.append(
            replace(
                q,
                correct=own,
                solution=q.choices[own],
                reference=str(number // 20),
                fold=stream("f", number // 20).below(FOLDS),
            )
        )
    row = rows_of(questions)["order"]
    assert not row.leak
    assert row.margin > 0.02  # 120 references, and not 2,400 questions


def test_chance_knows_what_a_severity_is_worth() -> None:
    """Always "Obvious" is worth 0.52 of a severity: a quarter of (0.5 + 0.5 x 0.52) is no leak."""

    def question(number: int) -> BlindQuestion:
        source = stream("type", number)
        found = source.permute(FAMILIES)[:4]
        right, level = source.below(4), source.below(5) + 1
        q = replace(blind(number, list(NAMES[:4]), right), choices=tuple(found), severity=level)
        return replace(q, task="recognition", solution=recognition.truth(found[right], level))

    for row in rows_of([question(number) for number in range(2400)], "recognition").values():
        assert row.chance == pytest.approx(0.19, abs=0.005)
        assert not row.leak


# --- boxes ----------------------------------------------------------------------------------------------------------


def boxes(spread: float) -> list[BlindBox]:
    """Boxes of a quarter of the width whose middle is within `spread` of that of the image."""
    found = []
    for number in range(1200):
        source = stream("box", number)
        x, y = (round(1000 * (0.5 + spread * source.uniform(-1, 1)) - 125) for _ in range(2))
        found.append(BlindBox([x, y, x + 250, y + 250], (1000, 1000), source.below(FOLDS)))
    return found


def test_boxes_anywhere_are_no_shortcut_and_boxes_in_the_middle_are() -> None:
    anywhere, middle = ({row.predictor: row for row in score_boxes(boxes(s))} for s in (0.375, 0.05))
    assert abs(anywhere["one box"].score - anywhere["one box"].chance) < 2 * anywhere["one box"].margin
    assert middle["one box"].score > 0.6 > 4 * middle["one box"].chance
    assert middle["another's box"].score > 4 * middle["another's box"].chance
    assert abs(middle["image size"].score - middle["image size"].chance) <= 2 * middle["image size"].margin


def test_a_box_that_follows_from_the_size_is_found() -> None:
    def shifted(one: BlindBox, wide: bool) -> BlindBox:
        width = 2000 if wide else 1000
        x = width - 260 if wide else 10
        return BlindBox([x, one.box[1], x + 250, one.box[3]], (width, 1000), one.fold)

    questions = [shifted(one, number % 2 == 0) for number, one in enumerate(boxes(0.05))]
    found = {row.predictor: row for row in score_boxes(questions)}
    assert found["image size"].score > found["image size"].chance + 0.2


def test_too_few_boxes_tell_nothing() -> None:
    assert score_boxes(boxes(0.1)[:40]) == []


# --- sets of regions ------------------------------------------------------------------------------------------------


def blind_set(number: int) -> BlindSet:
    """A fifth pristine, two fifths whole, two fifths of one to three regions; of which nothing tells anything."""
    source = stream("set", number)
    kind, types = source.below(5), source.permute(FAMILIES)
    families, places = source.permute(FAMILIES), source.permute([0, 1, 2, 3])
    corners = [(0.5 * (at % 2) + 0.1, 0.5 * (at // 2) + 0.1) for at in places[: 1 + source.below(3)]]
    local = [(x, y, x + 0.3 * source.uniform(), y + 0.3 * source.uniform()) for x, y in corners]
    boxes = [] if kind == 0 else [(0.0, 0.0, 1.0, 1.0)] if kind < 3 else local
    return BlindSet(
        regions=tuple(DistortedRegion(*about, 1 + source.below(5)) for about in zip(boxes, families, strict=False)),
        types=tuple(types),
        fold=stream("fold", number // 2).below(FOLDS),
        reference=str(number // 2),
        size=(640, 480) if source.below(2) else (480, 640),
        image_number=number,
        bytes_per_pixel=1.5 + source.uniform(),
    )


def put_first(found: BlindSet) -> BlindSet:
    """The true type stands first."""
    own = [family for family in found.types if family in found.families]
    return replace(found, types=(*own, *(family for family in found.types if family not in own)))


SET_LEAKS: dict[str, Callable[[BlindSet], BlindSet]] = {
    "order": put_first,
    "image size": lambda found: replace(found, size=(480, 480) if not found.regions else found.size),
    "row": lambda found: replace(found, image_number=12 * found.image_number + 5 * (not found.regions)),
    "file size": lambda found: replace(found, bytes_per_pixel=1.0 if not found.regions else found.bytes_per_pixel),
}


def test_of_fair_sets_nothing_wins_more_than_the_best_constant_answer() -> None:
    rows = {row.predictor: row for row in score_sets([blind_set(number) for number in range(1500)])}
    assert set(rows) == {*CONSTANTS, *SET_LEAKS}
    best = max(rows[name].score for name in CONSTANTS)
    for row in rows.values():
        assert row.task == "diagnosis"
        assert row.chance == pytest.approx(best)
        assert not row.leak, row


@pytest.mark.parametrize("name", SET_LEAKS)
def test_what_tells_of_a_set_is_found(name: str) -> None:
    row = {row.predictor: row for row in score_sets([SET_LEAKS[name](blind_set(n)) for n in range(1000)])}[name]
    assert row.leak, row
    assert not row.inside
    assert row.kind == {"order": "prompt", "file size": "pixels"}.get(name, "metadata")


def test_constant_answers_are_worth_what_the_task_says() -> None:
    questions = [blind_set(number) for number in range(300)]
    table = score_constants(questions)
    for question, (empty, whole, box) in zip(questions, table, strict=True):
        assert empty == pytest.approx(0.1 if question.regions else 1.0)
        assert whole >= 0.6 if question.is_whole else whole < 0.5
        assert 0.1 - 1e-9 <= box <= 1
    assert [len(answer) for answer in list_constants(questions)] == [0, 1, 1]


def test_sets_of_next_to_nothing() -> None:
    assert score_sets([blind_set(number) for number in range(29)]) == []
    pristine = [replace(blind_set(number), regions=()) for number in range(40)]
    assert {row.predictor: row.score for row in score_sets(pristine)}["the empty list"] == 1.0


def test_a_larger_box_that_is_more_often_worse_is_found() -> None:
    def pair(number: int, leak: bool) -> BlindQuestion:
        source = stream("pair", number)
        areas = (source.uniform(), source.uniform())
        right = areas.index(max(areas)) if leak and source.uniform() < 0.6 else source.below(2)
        q = blind(number, ["First", "Second"], right)
        return replace(q, task="comparison_regions", areas=areas)

    for leak in (True, False):
        rows = {
            row.predictor: row for row in score_predictors("comparison_regions", [pair(n, leak) for n in range(800)])
        }
        assert rows["box size"].leak == leak
        assert rows["box size"].chance == 0.5
        assert not rows["answer"].leak
        assert "words" not in rows


# --- data sets ------------------------------------------------------------------------------------------------------


def test_questions_about_sets_are_read_and_guessed(tmp_path: Path) -> None:
    generate(SETS, Gallery(), tmp_path / "data", workers=1)
    stored = open_data(tmp_path / "data")
    sample = read_questions(stored)
    rows = {row["image_id"]: row for row in table_of(tmp_path / "data", "images")}
    assert len(sample.sets) == 16
    assert Counter(found.kind for found in sample.sets) == collect_statistics(stored).kinds
    for found, row in zip(sample.sets, rows.values(), strict=True):
        assert sorted(found.families) == sorted(region["distortion"] for region in row["regions"])
        for region in found.regions:
            own = [r["bbox"] for r in row["regions"] if r["distortion"] == region.family]
            shown = [edge * side for edge, side in zip(region.box, (*found.size, *found.size), strict=True)]
            assert shown == pytest.approx(own[0], abs=0.51)
    shortcuts = measure_shortcuts(stored)
    assert {row.kind: row.questions for row in shortcuts.constants} == Counter(found.kind for found in sample.sets)
    pairs = [row for row in shortcuts.rows if row.task == "comparison"]
    assert {row.predictor for row in pairs} == {"answer", "length", "image size", "row", "file size"}
    assert all(row.chance == 0.5 for row in pairs)
    (compared, *_) = sample.questions["comparison"]
    assert compared.bytes_per_pixel is not None
    assert compared.reference_bytes_per_pixel is not None


def test_boxes_of_pristine_images_are_none(tmp_path: Path) -> None:
    rules = {"pristine": 1, "local": 1, "negatives": ["grounding", "recognition"]}
    about = {"tasks": {"grounding": 1, "recognition": 1}, "samples_per_image": 2, "splits": {"train": 1}}
    generate(small_recipe(n=6, composition=rules, **about), Gallery(), tmp_path / "d", workers=1)
    sample = read_questions(open_data(tmp_path / "d"))
    rows = table_of(tmp_path / "d", "rft")
    assert Counter(row["solution"] == "None" for row in rows) == {True: 6, False: 6}
    assert [one.box for one in sample.boxes] == [
        r["bbox"] for r in rows if r["task"] == "grounding" and r["distortion"]
    ]
    assert len(sample.questions["recognition"]) == 3
    assert not verify(tmp_path / "d").problems


def test_a_card_tells_what_was_found(tmp_path: Path) -> None:
    generate(small_recipe(n=12), Gallery(), tmp_path / "data", workers=1)
    card = (tmp_path / "data" / "README.md").read_text()
    assert "## Shortcuts" in card
    assert "| the place in the list |" in card
    assert "So few images cannot tell much." in card


def test_questions_without_images_and_tasks_alone(tmp_path: Path) -> None:
    """Whatever a recipe leaves out, there is a card."""
    for number, changes in enumerate(({"tasks": {"grounding": 1.0}}, {"keep_references": False})):
        usual = {"samples_per_image": 1.0, "n": 6}
        generate(small_recipe(**usual, **changes), Gallery(), tmp_path / str(number), workers=1)
        assert "## Shortcuts" in (tmp_path / str(number) / "README.md").read_text()


@pytest.mark.slow
def test_a_data_set_gives_nothing_away(tmp_path: Path) -> None:
    """No predictor of prompt or metadata is above chance, and one box for all images is no better than it should be.
    `make shortcuts` prints them.
    """
    recipe = default_recipe(n=5_000, references={"max_side": 384})
    account = generate(recipe, "scenes", tmp_path / "data", workers=2)
    assert account.images > 4_950
    found = measure_shortcuts(open_data(tmp_path / "data"))
    assert found.images == account.images
    assert {row.task for row in found.rows} == {"recognition", "recognition_reference", "object", "grounding"}
    for row in found.rows:
        if row.kind == "pixels":
            continue
        # 99.98 % for each of two dozen: chance alone would fail one build in two hundred.
        assert row.score <= row.chance + row.margin * 3.6 / 1.96, row
        assert row.margin < 0.02
    assert found.leaks == ()
