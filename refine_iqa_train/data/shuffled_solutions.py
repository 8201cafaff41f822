"""Solutions permuted among questions of the same task, for controls: the form of the data, and nothing true in it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from distortlab.core.errors import UserError
from distortlab.core.seeds import stream
from distortlab.tasks import diagnosis, grounding
from distortlab.tasks.diagnosis import DistortedRegion
from distortlab.tasks.grounding import Box, Size
from refine_iqa_train.data.coordinates import match_boxes
from refine_iqa_train.data.prompts import list_boxes, open_image
from refine_iqa_train.models.rows import QuestionRow, StoredRow

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["ShuffledSolutions", "move_solution"]

COLUMNS = ("sample_id", "task", "solution", "distortion", "severity")


class ShuffledSolutions:
    """Gives every row of a data set the solution of another row of its task, by the seed.

    Parameters
    ----------
    files
        Rows as they are stored.
    seed
        The run's.

    Raises
    ------
    UserError
        Where no solution would change.
    """

    def __init__(self, files: "Dataset", seed: int) -> None:
        self._files = files
        columns = {name: list(files[name]) for name in COLUMNS}
        self._donors = _draw_donors(columns["task"], columns["sample_id"], seed)
        solutions = dict(zip(zip(columns["task"], columns["sample_id"], strict=True), columns["solution"], strict=True))
        if all(solutions[key] == columns["solution"][donor] for key, donor in self._donors.items()):
            raise UserError(
                "data.shuffle_solutions changes nothing: the questions of each task all have the same solution; use "
                "more data"
            )

    def __call__(self, row: StoredRow) -> StoredRow:
        """The row with the solution of its donor."""
        donor = cast(StoredRow, self._files[self._donors[row["task"], row["sample_id"]]])
        return move_solution(row, donor)


def _draw_donors(tasks: list[str], names: list[str], seed: int) -> dict[tuple[str, str], int]:
    """For each question, by task and name, the place of the row whose solution it gets."""
    places: dict[str, dict[str, int]] = {}
    for place, (task, name) in enumerate(zip(tasks, names, strict=True)):
        places.setdefault(task, {})[name] = place
    donors: dict[tuple[str, str], int] = {}
    for task, members in places.items():
        permuted = stream(seed, "shuffled solutions", task).permute(list(members.values()))
        donors |= {(task, name): donor for name, donor in zip(members, permuted, strict=True)}
    return donors


def move_solution(row: StoredRow, donor: StoredRow) -> StoredRow:
    """Give a row the solution of another one of its task, with the family and the severity that belong to it.

    Boxes of a solution are stretched to the size of the row's image.

    Raises
    ------
    UserError
        Where an image that is needed for that does not open, or boxes are not those of their solution.
    """
    moved: dict[str, object] = {name: donor[name] for name in ("solution", "distortion", "severity")}
    if row["task"] in ("grounding", "diagnosis"):
        size, other = _read_size(row), _read_size(donor)
        move = _move_grounding if row["task"] == "grounding" else _move_diagnosis
        moved |= move(row, size, donor, other)
    return cast(StoredRow, {**row, **moved})


def _move_grounding(row: QuestionRow, size: Size, donor: QuestionRow, other: Size) -> Mapping[str, object]:
    box = grounding.rescale(_to_box(donor["bbox"]), other, size)
    form = grounding.find_form(str(row["prompt"][-1]["content"]), size)
    if form is None or donor["solution"] == grounding.NONE:
        return {"bbox": list(box)}
    return {"bbox": list(box), "solution": grounding.truth(box, size, form.coordinates)}


def _move_diagnosis(row: QuestionRow, size: Size, donor: QuestionRow, other: Size) -> Mapping[str, object]:
    form, stored = (
        diagnosis.find_form(str(one["prompt"][-1]["content"]), frame) for one, frame in ((row, size), (donor, other))
    )
    boxes = [grounding.rescale(box, other, size) for box in list_boxes(donor)]
    if form is None or stored is None:
        return {"boxes": list(map(list, boxes))}
    regions = [
        DistortedRegion(grounding.rescale(box, other, size), region.family, region.severity)
        for region, box in match_boxes(donor["solution"], list_boxes(donor), other, stored.coordinates)
    ]
    return {"boxes": list(map(list, boxes)), "solution": diagnosis.truth(regions, size, form.coordinates)}


def _to_box(box: object) -> Box:
    x1, y1, x2, y2 = cast(list[int], box)
    return x1, y1, x2, y2


def _read_size(row: StoredRow) -> Size:
    return open_image(row["images"][-1], row["sample_id"]).size
