"""A-Bench: questions on images made by text-to-image models. The right answers are not public: scores come from its
authors.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from refine_bench.datasets.base import Facts, QuestionRow
from refine_bench.datasets.choices import Groups, read_questions
from refine_bench.datasets.tables import ImageFinder

__all__ = ["FACTS", "rows"]

FACTS = Facts(
    name="abench",
    title="A-Bench",
    kind="choice",
    labels=(("Abench.json", "abench.json"),),
    folders=("abench", "a-bench"),
    counts={"": 2864},
    citation="Zhang et al., A-Bench, ICLR 2025, arXiv:2406.03070",
    url="https://huggingface.co/datasets/q-future/A-Bench",
    notes=("the public file has no right answers; a file with `correct_ans` is scored",),
)


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[QuestionRow]:
    """All 2,864 questions; category "part1 -> basic_recognition -> major" gives the groups."""
    file = next(root / name for name in ("Abench.json", "abench.json") if (root / name).is_file())
    images = ImageFinder(root / "imgs", root / "images", root)
    return read_questions(file, images, _list_groups, options=("answers", "candidates"))


def _list_groups(item: Mapping[str, Any]) -> Groups:
    parts = [part.strip() for part in str(item.get("category", "")).split("->")]
    return [(key, part) for key, part in zip(("part", "area", "kind"), parts, strict=False) if part]
