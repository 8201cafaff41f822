"""Q-Bench A2, LLDescribe: 499 images to describe. The golden descriptions are not public, so nothing here can be
scored.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Facts, QuestionRow

__all__ = ["FACTS", "rows"]

FACTS = Facts(
    name="qbench-a2",
    title="Q-Bench A2 (LLDescribe)",
    kind="describe",
    labels=("images_lldescribe",),
    folders=("qbench-a2", "lldescribe", "lldescribe-qbench"),
    counts={"": 499},
    citation="Wu et al., Q-Bench, ICLR 2024, arXiv:2309.14181",
    url="https://huggingface.co/datasets/nanyangtu/LLDescribe-QBench",
    notes=("answers are saved and not scored: the descriptions that the authors' judge compares with are not public",),
)
QUESTION = "Describe the quality, aesthetics and other low-level appearance of the image in details."
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[QuestionRow]:
    """A question for each image."""
    folder = root / "images_lldescribe"
    pictures = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    for number, path in enumerate(pictures, 1):
        name = path.relative_to(folder).as_posix()
        yield QuestionRow(file=folder, line=number, name=name, images=(path,), question=QUESTION)
