"""Multiple-choice questions in the form that Q-Bench began: `img_path`, `question`, `candidates`, `correct_ans`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from refine_bench.datasets.base import Question, text_in
from refine_bench.datasets.tables import Images, json_items

__all__ = ["Groups", "choice_questions"]

Groups = Sequence[tuple[str, str]]


def choice_questions(
    file: Path,
    images: Images,
    groups: Callable[[Mapping[str, Any]], Groups],
    options: Sequence[str] = ("candidates",),
) -> Iterator[Question]:
    """The questions of a file. `options`: where the answers to choose from may stand; the first one there counts."""
    for number, item in json_items(file):
        name = text_in(file, number, item, "img_path").replace("\\", "/")  # some releases were made on Windows
        yield Question(
            file=file,
            line=number,
            name=name,
            images=(images.path(name),),
            question=text_in(file, number, item, "question"),
            options=tuple(map(str, next((item[key] for key in options if item.get(key)), ()))),
            answer=item.get("correct_ans"),
            groups=tuple(groups(item)),
        )
