"""Runs of the trainer in tests: their configuration as a file, and a question as a model gets it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

__all__ = ["encode_question", "write_run_file"]


def write_run_file(path: Path, model: Path, out: Path, trainer: Mapping[str, Any], **sections: Any) -> Path:
    """The configuration of a run in groups of four: keys below `trainer`, and whole sections."""
    values = {"model": str(model), "out": str(out), **sections, "trainer": {"num_generations": 4, **trainer}}
    path.write_text(yaml.safe_dump(values))
    return path


def encode_question(processor: Any, text: str, size: tuple[int, int], images: int = 1) -> Mapping[str, Any]:
    """Tensors of one question with images of noise, all the same; `size` is (rows, columns)."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8))
    content: Sequence[dict[str, Any]] = [
        *({"type": "image", "image": image} for _ in range(images)),
        {"type": "text", "text": text},
    ]
    encoded: Mapping[str, Any] = processor.apply_chat_template(
        [[{"role": "user", "content": content}]],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
    return encoded
