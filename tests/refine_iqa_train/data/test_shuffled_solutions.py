"""Solutions permuted among the questions of a task: each is used once, boxes are stretched, what is held out stays."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from distortlab.core.errors import UserError
from distortlab.tasks import TASKS
from distortlab.tasks.region_lists import RegionList, parse_regions
from refine_iqa_train.config.schema import Config, DataRules
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.mixture import load_training_data
from refine_iqa_train.data.row_checks import check_row, check_truth
from refine_iqa_train.data.shuffled_solutions import ShuffledSolutions, move_solution
from refine_iqa_train.models.rows import StoredRow

POLICY = ImagePolicy(None)


@pytest.fixture(scope="module")
def files(sets: Path) -> Dataset:
    config = Config("m", "out", data=DataRules(perception=str(sets), check_images=False))
    found = load_training_data(config, "stage1", POLICY, "thousandths").files
    assert found is not None
    return found


@pytest.fixture(scope="module")
def moved(files: Dataset) -> list[tuple[StoredRow, StoredRow]]:
    """Rows before and after."""
    shuffle = ShuffledSolutions(files, 0)
    return [(row, shuffle(row)) for row in files]


def count(rows: list[StoredRow], *columns: str) -> Counter[tuple[object, ...]]:
    return Counter(tuple(row[name] for name in columns) for row in rows)  # type: ignore[literal-required]


def test_every_solution_is_used_once_with_its_family_and_severity(moved: list[tuple[StoredRow, StoredRow]]) -> None:
    plain = [pair for pair in moved if pair[0]["task"] not in ("grounding", "diagnosis")]
    columns = ("task", "solution", "distortion", "severity")
    assert count([before for before, _ in plain], *columns) == count([after for _, after in plain], *columns)
    for before, after in plain:
        assert before["images"] == after["images"]
        assert before["prompt"] == after["prompt"]
        assert before["bbox"] == after["bbox"]
    changed = sum(before["solution"] != after["solution"] for before, after in moved)
    assert changed > 0.5 * len(moved)


def test_every_row_is_one_that_a_data_set_could_have(moved: list[tuple[StoredRow, StoredRow]]) -> None:
    """Boxes are inside of their images and those of the solution, in both kinds of coordinates."""
    from refine_iqa_train.data.prompts import prepare_question

    tasks = set()
    for _, row in moved:
        check_row(row)
        check_truth(row)
        tasks.add(row["task"])
        for coordinates in ("pixels", "thousandths"):
            prepare_question(row, POLICY, coordinates)
    assert {"grounding", "diagnosis", "comparison_regions", "recognition", "object"} <= tasks <= set(TASKS)


def test_the_regions_of_a_set_stay_together(moved: list[tuple[StoredRow, StoredRow]]) -> None:
    def list_kinds(row: StoredRow) -> tuple[tuple[str | None, int | None], ...]:
        found = parse_regions(row["solution"])
        assert isinstance(found, RegionList)
        return tuple(sorted((str(region.family), region.severity) for region in found.regions))

    sets = [pair for pair in moved if pair[0]["task"] == "diagnosis"]
    assert Counter(list_kinds(before) for before, _ in sets) == Counter(list_kinds(after) for _, after in sets)


def test_a_box_is_stretched_with_the_image(files: Dataset) -> None:
    from PIL import Image

    row = next(row for row in files if row["task"] == "grounding" and row["solution"] != "None")
    wide = move_solution(row, row)
    assert wide["solution"] == row["solution"], "onto itself"
    from io import BytesIO

    buffer, image = BytesIO(), Image.open(BytesIO(row["images"][-1]["bytes"]))
    twice = (2 * image.width, 2 * image.height)
    image.resize(twice).save(buffer, "PNG")
    larger = {**row, "images": [{"path": None, "bytes": buffer.getvalue()}], "bbox": [2 * edge for edge in row["bbox"]]}
    assert move_solution(row, larger)["bbox"] == row["bbox"]
    assert move_solution(row, larger)["solution"] == row["solution"]


def test_the_seed_decides(files: Dataset) -> None:
    one, same, other = ([shuffle(row)["solution"] for row in files.select(range(12))] for shuffle in (
        ShuffledSolutions(files, 0), ShuffledSolutions(files, 0), ShuffledSolutions(files, 1)
    ))  # fmt: skip
    assert one == same != other


def test_what_is_trained_on_is_permuted_and_what_is_held_out_is_not(perception: Path) -> None:
    rules = DataRules(perception=str(perception), check_images=False, tasks=("recognition", "object"))
    config = Config("m", "out", data=rules)
    plain = load_training_data(config, "stage1", POLICY, "thousandths")
    control = load_training_data(
        replace(config, data=replace(rules, shuffle_solutions=True)), "stage1", POLICY, "thousandths"
    )

    def list_answers(rows: Any) -> list[tuple[str, str | None, int | None]]:
        return [(row["solution"], row["family"], row["severity"]) for row in rows]

    trained, permuted = list_answers(plain.train), list_answers(control.train)
    assert Counter(trained) == Counter(permuted)
    assert trained != permuted
    assert list_answers(plain.validation) == list_answers(control.validation)
    assert plain.shuffled is None


def test_solutions_that_are_all_alike(files: Dataset) -> None:
    row = next(iter(files))
    alike = Dataset.from_list([{**row, "sample_id": str(n)} for n in range(3)])
    with pytest.raises(UserError, match=r"data\.shuffle_solutions changes nothing"):
        ShuffledSolutions(alike, 0)
