"""Q-Bench2 (Q-Bench+) A1: questions on two pictures, which the raw release joins into one file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from refine_bench.datasets.base import Axis, Facts, Question
from refine_bench.datasets.choices import Groups, choice_questions
from refine_bench.datasets.tables import Images

__all__ = ["FACTS", "rows"]

FACTS = Facts(
    name="qbench2",
    title="Q-Bench2 A1 (compare)",
    kind="choice",
    labels=(("q-bench2-a1-dev.jsonl", "q-bench2-a1-test.jsonl"),),
    folders=("qbench2", "q-bench2"),
    counts={"dev": 1000, "test": 999},
    axes=(Axis("split", ("dev", "test")),),
    citation="Zhang et al., A Benchmark for Multi-modal Foundation Models on Low-level Vision, arXiv:2402.07116",
    url="https://huggingface.co/datasets/q-future/q-bench2",
)


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[Question]:
    """The questions of a half; image names come with a backslash."""
    file = root / f"q-bench2-a1-{choice['split']}.jsonl"
    return choice_questions(file, Images(root), _groups)


def _groups(item: Mapping[str, Any]) -> Groups:
    return [(key, str(item[key])) for key in ("type", "concern") if key in item]
