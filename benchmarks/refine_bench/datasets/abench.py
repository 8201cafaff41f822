"""A-Bench: questions on images made by text-to-image models. The right answers are not public: scores come from its
authors.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Facts, Question, text_in
from refine_bench.datasets.tables import Images, json_items

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


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[Question]:
    """All 2,864 questions; category "part1 -> basic_recognition -> major" gives the groups."""
    file = next(root / name for name in ("Abench.json", "abench.json") if (root / name).is_file())
    images = Images(root / "imgs", root / "images", root)
    for number, item in json_items(file):
        name = text_in(file, number, item, "img_path")
        parts = [part.strip() for part in str(item.get("category", "")).split("->")]
        groups = tuple((key, part) for key, part in zip(("part", "area", "kind"), parts, strict=False) if part)
        yield Question(
            file=file,
            line=number,
            name=name,
            images=(images.path(name),),
            question=text_in(file, number, item, "question"),
            options=tuple(map(str, item.get("answers") or item.get("candidates") or ())),
            answer=item.get("correct_ans"),
            groups=groups,
        )
