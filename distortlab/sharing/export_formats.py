"""The forms in which other projects load questions about images: functions from a row of `rft` to a row of theirs.

The names of the fields are theirs, read in their documentation and loaders: docs/export.md says where, in which commit.
`images` are paths below the folder of the export, the reference before the distorted image where there are two.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from distortlab.dataset.rows import QuestionRow
from distortlab.dataset.schema import Features, list_feature, value_feature

__all__ = ["FORMATS", "VERL", "ExportFormat"]

Row = QuestionRow
_SEVERITIES = ("slight", "moderate", "obvious", "serious", "catastrophic")


class ExportFormat(NamedTuple):
    """`row(row, images, index)` gives a row of theirs. `suffix`: jsonl, json (one list), or parquet (images inside).
    `tasks`: those that the form can hold; empty for all. `needs_region`: it holds nothing about pristine images.
    """

    row: Callable[[Row, Sequence[str], int], dict[str, Any]]
    suffix: str
    loaded_by: str
    tasks: tuple[str, ...] = ()
    needs_region: bool = False

    def can_hold(self, row: Row, tasks: Collection[str]) -> bool:
        """Whether a row is of one of some tasks, and can be written in this form."""
        return row["task"] in tasks and (row["distortion"] is not None or not self.needs_region)


def _prompt(row: Row, images: Sequence[str], mark: str = "<image>") -> str:
    return mark * len(images) + str(row["prompt"][0]["content"])


def _about(row: Row) -> dict[str, Any]:
    """What a reward needs, and what one may want to group by."""
    return {
        **{name: row[name] for name in ("task", "solution", "image_id", "distortion", "severity", "bbox")},
        "difficulty": row.get("difficulty"),
        **_about_set(row),
    }


def _about_set(row: Row) -> dict[str, Any]:
    """What more there is of a question about all distortions of an image, or about a pair."""
    if row["distortion"] is not None:
        return {}
    return {"boxes": row.get("boxes"), "other_image_id": row.get("other_image_id")}


def _vlm_r1(row: Row, images: Sequence[str], index: int) -> dict[str, Any]:
    turns = [{"from": "human", "value": _prompt(row, images)}, {"from": "gpt", "value": row["solution"]}]
    return {"id": row["sample_id"], "image": list(images), "conversations": turns, **_about(row)}


def _llava(row: Row, images: Sequence[str], index: int) -> dict[str, Any]:
    answer = f"<answer>{row['solution']}</answer>"
    turns = [{"from": "human", "value": _prompt(row, images, "<image>\n")}, {"from": "gpt", "value": answer}]
    # The first LLaVA opens `image` as one path; LLaVA-NeXT takes a list where there are several.
    return {"id": row["sample_id"], "image": images[0] if len(images) == 1 else list(images), "conversations": turns}


def _ms_swift(row: Row, images: Sequence[str], index: int) -> dict[str, Any]:
    messages = [{"role": "user", "content": _prompt(row, images)}]
    return {"messages": messages, "images": list(images), "id": row["sample_id"], **_about(row)}


def _q_insight(row: Row, images: Sequence[str], index: int) -> dict[str, Any]:
    assert row["severity"] is not None, f"{row['sample_id']} is not about one region"
    severity = _SEVERITIES[row["severity"] - 1]
    return {"image": images[0], "distortion_class": row["distortion"], "severity": severity, "id": row["sample_id"]}


def _verl(row: Row, images: Sequence[str], index: int) -> dict[str, Any]:
    problem = _prompt(row, images)
    about = {name: row[name] for name in ("task", "sample_id", "image_id", "distortion", "severity", "bbox")}
    return {
        "data_source": f"distortlab/{row['task']}",
        "prompt": [{"role": "user", "content": problem}],
        "images": row["images"],
        "ability": "image quality",
        "reward_model": {"style": "rule", "ground_truth": row["solution"]},
        "extra_info": {"index": index, **about, "difficulty": row.get("difficulty"), **_about_set(row)},
        "problem": problem,
        "answer": row["solution"],
    }


_TEXT = value_feature("string")
VERL: Features = {
    "data_source": _TEXT,
    "prompt": list_feature({"role": _TEXT, "content": _TEXT}),
    "images": list_feature({"_type": "Image"}),
    "ability": _TEXT,
    "reward_model": {"style": _TEXT, "ground_truth": _TEXT},
    "extra_info": {
        "index": value_feature("int64"),
        **dict.fromkeys(("task", "sample_id", "image_id", "distortion"), _TEXT),
        "severity": value_feature("int8"),
        "bbox": list_feature(value_feature("int32"), 4),
        "difficulty": _TEXT,
        "boxes": list_feature(list_feature(value_feature("int32"), 4)),
        "other_image_id": _TEXT,
    },
    "problem": _TEXT,
    "answer": _TEXT,
}
"""What verl reads (`prompt` as messages), and what EasyR1 does (`problem` as text, `answer`), in one table."""

FORMATS: Mapping[str, ExportFormat] = {
    "jsonl": ExportFormat(_vlm_r1, "jsonl", "VLM-R1"),
    "llava": ExportFormat(_llava, "json", "LLaVA, LLaVA-NeXT"),
    "verl": ExportFormat(_verl, "parquet", "verl, EasyR1"),
    "ms-swift": ExportFormat(_ms_swift, "jsonl", "ms-swift"),
    "q-insight": ExportFormat(_q_insight, "jsonl", "Q-Insight", ("recognition",), needs_region=True),
}
