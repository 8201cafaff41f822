"""What is wrong with a row of a data set, in one sentence: found before training, in a stream when the row comes."""

from collections.abc import Mapping, Sequence, Sized

from distortlab.core.errors import UserError
from distortlab.recipe import NEGATIVES
from distortlab.tasks import TASKS
from distortlab.tasks.recognition import NONE
from distortlab.tasks.terms import LOOKS
from refine_iqa_train.models.chat import format_true_completion

__all__ = ["BOX_TASKS", "check_box", "check_row", "check_truth"]

BOX_TASKS = ("grounding", "diagnosis", "comparison_regions")
"""The tasks whose prompts or solutions have boxes."""


def check_row(row: Mapping[str, object]) -> None:
    """Check that a row has all that a question needs; images are counted, where the row holds them, not opened.

    Raises
    ------
    UserError
        With the name of the row and what it has instead.
    """
    name = row["sample_id"]
    for column in ("sample_id", "image_id", "task", "solution"):
        if not isinstance(row[column], str) or not row[column]:
            raise _make_error(name, f"{column} is {row[column]!r}", "it is text")
    task = str(row["task"])
    if task not in TASKS:
        raise _make_error(name, f"task is {task!r}", f"it is one of {', '.join(TASKS)}")
    if not _read_last_text(row["prompt"]):
        raise _make_error(
            name, f"prompt is {_shorten(row['prompt'])}", "it is a list of messages, the last of them with text"
        )
    is_negative = task in NEGATIVES and row["solution"] == NONE and row["distortion"] is None
    if TASKS[task].subject == "region" and row["distortion"] not in LOOKS and not is_negative:
        raise _make_error(name, f"distortion is {row['distortion']!r}", f"it is one of {', '.join(LOOKS)}")
    if task in BOX_TASKS:
        _check_boxes(row, task)
    if "images" in row:
        _check_count(name, task, row["images"])


def _check_boxes(row: Mapping[str, object], task: str) -> None:
    if task == "grounding":
        if not _is_box(row["bbox"]):
            raise _make_error(
                row["sample_id"],
                f"bbox is {row['bbox']!r}",
                "a question of grounding needs [x1, y1, x2, y2] in whole pixels",
            )
        return
    boxes = row.get("boxes")
    count = len(boxes) if isinstance(boxes, list | tuple) and all(map(_is_box, boxes)) else None
    if count is None or (task == "comparison_regions" and count != 2):
        needed = "two boxes" if task == "comparison_regions" else "a list of boxes"
        raise _make_error(
            row["sample_id"],
            f"boxes is {_shorten(boxes)}",
            f"a question of {task} needs {needed}, each [x1, y1, x2, y2] in whole pixels",
        )


def _check_count(name: object, task: str, images: object) -> None:
    count, expected = len(images) if isinstance(images, Sized) else 0, TASKS[task].images
    if count != expected:
        raise _make_error(name, f"there are {count} images", f"a question of {task} shows {expected}")


def check_box(name: object, box: Sequence[int], size: tuple[int, int]) -> None:
    """Raises `UserError` where a box, [x1, y1, x2, y2], is not inside of its image; `size` is (width, height)."""
    if box[2] > size[0] or box[3] > size[1]:
        raise _make_error(name, f"a box is {list(box)}", f"the image has {size[0]} x {size[1]} pixels")


def check_truth(row: Mapping[str, object]) -> None:
    """Raises `UserError` where the solution is no answer that its own task would reward in full."""
    task, solution = str(row["task"]), str(row["solution"])
    try:
        value = TASKS[task].score(format_true_completion(task, solution), solution).value
    except (ValueError, KeyError, IndexError, TypeError):
        value = None
    if value != 1.0:
        raise _make_error(
            row["sample_id"], f"solution is {row['solution']!r}", f"that is no answer to a question of {task}"
        )


def _is_box(box: object) -> bool:
    if not isinstance(box, list | tuple) or len(box) != 4 or not all(isinstance(edge, int) for edge in box):
        return False
    return 0 <= box[0] < box[2] and 0 <= box[1] < box[3]


def _read_last_text(prompt: object) -> str:
    last = prompt[-1] if isinstance(prompt, list) and prompt else None
    text = last.get("content") if isinstance(last, Mapping) else None
    return text if isinstance(text, str) else ""


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _make_error(name: object, what: str, allowed: str) -> UserError:
    return UserError(
        f"the row {name}: {what}, and {allowed}; mend or remove it (distortlab verify looks through a data set)"
    )
