"""A stream that is drawn from as `distortlab.stream` is, and whose samples cost nothing: pictures of one color."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distortlab.core.seeds import stream
from distortlab.recipe import Recipe, default_recipe
from distortlab.tasks import recognition

__all__ = ["FAMILIES", "StandInSample", "StandInStream"]

FAMILIES = ("blur", "noise", "compression")


@dataclass(frozen=True)
class StandInSample:
    index: int
    image: Any
    reference: Any
    questions: tuple[dict[str, Any], ...]
    replacement: int = 0

    def select_pictures(self, question: Mapping[str, Any]) -> tuple[Any, ...]:
        return (self.image,)


@dataclass
class StandInStream:
    """Counts in `drawn` how often each sample was drawn. `asked` says how many questions there are about an image."""

    seed: int = 0
    families: tuple[str, ...] = FAMILIES
    drawn: list[int] = field(default_factory=list)
    recipe: Recipe = field(default_factory=default_recipe)
    asked: Callable[[int, int], int] = lambda index, replacement: 1

    def draw(
        self,
        index: int,
        families: Mapping[str, float] | None = None,
        severities: Mapping[str, float] | None = None,
        replacement: int = 0,
    ) -> StandInSample:
        self.drawn.append(index)
        source = stream(self.seed, "sample", index, *([replacement] if replacement else []))
        names, levels = families or dict.fromkeys(self.families, 1.0), severities or dict.fromkeys("12345", 1.0)
        family = list(names)[source.choose_index(list(names.values()))]
        severity = int(list(levels)[source.choose_index(list(levels.values()))])
        image = np.full((32, 48, 3), index % 256, np.uint8)
        name = f"stream-{index:06d}" + (f"-{replacement}" if replacement else "")
        question = {
            "sample_id": f"{name}-recognition",
            "image_id": name,
            "prompt": [{"role": "user", "content": recognition.question(self.families, False, 0)}],
            "solution": recognition.truth(family, severity),
            "task": "recognition",
            "bbox": [4, 4, 20, 20],
            "distortion": family,
            "severity": severity,
            "difficulty": "easy",
        }
        count = self.asked(index, replacement)
        questions = [{**question, "sample_id": f"{name}-recognition" + "+" * place} for place in range(count)]
        return StandInSample(index, image, image, tuple(questions), replacement)
