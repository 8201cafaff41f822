"""Q-Bench A1, LLVisionQA: multiple-choice questions on low-level vision. The answers of the test half are not
public.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from refine_bench.datasets.base import Axis, Facts, QuestionRow
from refine_bench.datasets.choices import Groups, read_questions
from refine_bench.datasets.tables import ImageFinder

__all__ = ["FACTS", "rows"]

FACTS = Facts(
    name="qbench-a1",
    title="Q-Bench A1 (LLVisionQA)",
    kind="choice",
    labels=(("llvisionqa_dev.json", "llvisionqa_test.json"),),
    folders=("qbench", "q-bench", "qbench-a1", "llvisionqa", "llvisionqa-qbench"),
    counts={"dev": 1495, "test": 1495},
    axes=(Axis("split", ("dev", "test")),),
    citation="Wu et al., Q-Bench, ICLR 2024, arXiv:2309.14181",
    url="https://huggingface.co/datasets/teowu/LLVisionQA-QBench",
)
# As in the release's own figure; lmms-eval has "what" and "how" the other way round.
TYPES = ("yes/no", "what", "how")
CONCERNS = ("distortion", "other", "in-context distortion", "in-context other")


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[QuestionRow]:
    """The 1,495 questions of a half."""
    file = root / f"llvisionqa_{choice['split']}.json"
    images = ImageFinder(root / "images", root / "images_llvisionqa", root)
    return read_questions(file, images, _list_groups)


def _list_groups(item: Mapping[str, Any]) -> Groups:
    return ("type", _name_label(item.get("type"), TYPES)), ("concern", _name_label(item.get("concern"), CONCERNS))


def _name_label(value: object, names: tuple[str, ...]) -> str:
    return names[int(str(value))] if str(value) in map(str, range(len(names))) else str(value)
