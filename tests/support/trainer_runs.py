"""Runs of the trainer in tests: their configuration as a file, and a question as a model gets it."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from distortlab.tasks import Verdict
from refine_iqa_train.config.schema import Config
from refine_iqa_train.rewards.task_rewards import RewardFunction, TaskReward, format_reward

__all__ = ["encode_question", "make_varied_rewards", "score_by_text", "write_run_file"]


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


def score_by_text(completion: str, solution: str) -> Verdict:
    """A model that has learnt nothing is never rewarded: this depends on each letter of an answer, and on the truth."""
    part = hashlib.sha256(f"{completion} {solution}".encode()).digest()[0] / 255
    return Verdict(part / (1 + len(solution.split(",")[0]) % 3), "scored")


def make_varied_rewards(config: Config, weights: Mapping[str, float]) -> list[RewardFunction]:
    """In place of `make_rewards`."""
    return [format_reward if name == "format" else TaskReward(name, score_by_text) for name in weights]
