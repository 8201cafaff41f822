"""Q-Bench2 (Q-Bench+) A1: questions on two pictures, which the raw release joins into one file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from refine_bench.datasets.base import Axis, Facts, QuestionRow
from refine_bench.datasets.choices import Groups, read_questions
from refine_bench.datasets.tables import ImageFinder

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


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[QuestionRow]:
    """The questions of a half; image names come with a backslash."""
    file = root / f"q-bench2-a1-{choice['split']}.jsonl"
    return read_questions(file, ImageFinder(root), _list_groups)


def _list_groups(item: Mapping[str, Any]) -> Groups:
    return [(key, str(item[key])) for key in ("type", "concern") if key in item]
