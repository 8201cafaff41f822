"""Floors: what is reached without looking. A number means something only beside the floor of its set."""

import io
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from distortlab.core.seeds import Stream, stream
from distortlab.tasks import diagnosis, grounding, recognition
from distortlab.tasks.terms import LEVELS, PHRASES
from refine_bench.models.base import Model, Request, Response
from refine_bench.prompts.answers import Answer
from refine_bench.prompts.protocols import format_letter

__all__ = ["FLOORS", "Floor", "PromptOnly"]

FLOORS = ("constant", "random", "whole")
_LISTED = re.compile(r"^- (.+)$", re.M)


class Floor:
    """`constant`: the middle of the scale, the first option, the middle level, the middle half of the image, nothing
    distorted. `random`: by lot. `whole`: as `constant`, but every box is the whole image, which is always distorted.
    """

    revision = "1"
    processor = "none"

    def __init__(self, spec: str) -> None:
        self.spec = spec

    @property
    def about(self) -> Mapping[str, Any]:
        """What a run records."""
        return {"kind": "floor", "name": self.spec, "sign": 1.0, "reader": "text"}

    def find_limits(self, needed: Collection[str]) -> Mapping[str, str]:
        """None."""
        return {}

    def answer(self, requests: Iterable[Request]) -> Iterator[Response]:
        """At once."""
        for request in requests:
            lot = stream("refine-bench", "floor", request.item, request.sample) if self.spec == "random" else None
            text = _write_whole(request) if self.spec == "whole" else None
            text = _write_answer(request, lot) if text is None else text
            yield Response(request, Answer(text=text, value=lot.uniform(1.0, 5.0) if lot else 3.0))

    def close(self) -> None:
        """Nothing is held."""


def _write_whole(request: Request) -> str | None:
    """The whole image, as the first type that is offered, at the middle level; None where no box is asked for."""
    task = request.truth.get("task", "diagnosis" if "regions" in request.truth else None)
    if task == "grounding":
        return f"<answer>{_find_frame(request, grounding.find_form)}</answer>"
    if task != "diagnosis":
        return None
    box, family = _find_frame(request, diagnosis.find_form), _list_types(request.prompt)[0]
    return f"<answer>{json.dumps([{'box': box, 'type': family, 'severity': LEVELS[2]}])}</answer>"


def _find_frame(request: Request, find_form: Callable[..., grounding.Form | diagnosis.Form | None]) -> list[int]:
    """The box of the whole image in the units of the question; thousandths where it does not say."""
    size = request.truth.get("size")
    form = find_form(request.prompt, tuple(size)) if size else None
    return [0, 0, *(grounding.find_frame(form.coordinates, tuple(size)) if form and size else grounding.THOUSANDTHS)]


def _list_types(prompt: str) -> list[str]:
    """The types that a prompt offers, in its order."""
    return sorted((name for name in PHRASES.values() if name in prompt), key=prompt.index) or list(PHRASES.values())


def _write_answer(request: Request, lot: Stream | None) -> str:
    """In the form that the prompt asks for."""
    if request.options:
        return format_letter(lot.below(len(request.options)) if lot else 0)
    if request.words:
        return request.words[lot.below(len(request.words)) if lot else len(request.words) // 2]
    task = request.truth.get("task")
    if task == "diagnosis" or (task is None and "regions" in request.truth):
        return f"<answer>{_write_regions(lot)}</answer>"
    if task is None:
        score = f"{lot.uniform(1.0, 5.0):.2f}" if lot else "3.00"
        return (
            f'<answer>{{"rating": {score}}}</answer>' if '"rating"' in request.prompt else f"<answer>{score}</answer>"
        )
    return f"<answer>{_write_local_answer(str(task), request.prompt, lot)}</answer>"


def _write_local_answer(task: str, prompt: str, lot: Stream | None) -> str:
    if task == "grounding":
        return str(_choose_box(lot))
    if task == "object":
        names = _LISTED.findall(prompt) or ["object"]
        return names[lot.below(len(names)) if lot else 0]
    if task in ("comparison", "comparison_regions"):
        return ("First", "Second")[lot.below(2) if lot else 0]
    if not task.startswith("recognition"):
        raise ValueError(f"the floors know no answer to a question of {task}")
    types = [*_list_types(prompt), *([recognition.NONE] if recognition.OR_NONE in prompt else [])]
    family = types[lot.below(len(types)) if lot else 0]
    return family if family == recognition.NONE else f"{family}, {LEVELS[lot.below(len(LEVELS)) if lot else 2]}"


def _write_regions(lot: Stream | None) -> str:
    """Nothing is distorted; or any one region is."""
    if lot is None:
        return "[]"
    family = list(PHRASES.values())[lot.below(len(PHRASES))]
    return json.dumps([{"box": _choose_box(lot), "type": family, "severity": LEVELS[lot.below(len(LEVELS))]}])


def _choose_box(lot: Stream | None) -> list[int]:
    """The middle half of the image, in thousandths; or any box."""
    if lot is None:
        return [250, 250, 750, 750]
    x1, x2 = sorted((lot.below(500), 500 + lot.below(500)))
    y1, y2 = sorted((lot.below(500), 500 + lot.below(500)))
    return [x1, y1, x2 + 1, y2 + 1]


class PromptOnly:
    """A model that is shown grey pictures of the same sizes."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.spec = f"prompt-only:{model.spec}"
        self.revision, self.processor = model.revision, model.processor

    @property
    def about(self) -> Mapping[str, Any]:
        """What a run records."""
        return {**self._model.about, "name": self.spec, "images": "grey"}

    def find_limits(self, needed: Collection[str]) -> Mapping[str, str]:
        """Those of the model."""
        return self._model.find_limits(needed)

    def answer(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Those of the model."""
        return self._model.answer(
            replace(r, images=tuple(map(_paint_grey, r.images)), reference=None) for r in requests
        )

    def close(self) -> None:
        """Of the model."""
        self._model.close()


def _paint_grey(data: bytes) -> bytes:
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(data)) as picture:
        grey = Pillow.new("RGB", picture.size, (127, 127, 127))
    out = io.BytesIO()
    grey.save(out, "PNG")
    return out.getvalue()
