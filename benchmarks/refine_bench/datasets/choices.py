"""Multiple-choice questions in the form that Q-Bench began: `img_path`, `question`, `candidates`, `correct_ans`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from refine_bench.datasets.base import QuestionRow, find_text
from refine_bench.datasets.tables import ImageFinder, read_json

__all__ = ["Groups", "read_questions"]

Groups = Sequence[tuple[str, str]]


def read_questions(
    file: Path,
    images: ImageFinder,
    groups: Callable[[Mapping[str, Any]], Groups],
    options: Sequence[str] = ("candidates",),
) -> Iterator[QuestionRow]:
    """The questions of a file. `options`: where the answers to choose from may stand; the first one there counts."""
    for number, item in read_json(file):
        name = find_text(file, number, item, "img_path").replace("\\", "/")  # some releases were made on Windows
        yield QuestionRow(
            file=file,
            line=number,
            name=name,
            images=(images.find(name),),
            question=find_text(file, number, item, "question"),
            options=tuple(map(str, next((item[key] for key in options if item.get(key)), ()))),
            answer=item.get("correct_ans"),
            groups=tuple(groups(item)),
        )
