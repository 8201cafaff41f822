"""How held-out questions are answered: greedily unless a temperature is given, and training is left as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.rewards.task_rewards import get_text
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.train import _make_grpo_trainer

TRAINER = {"per_device_train_batch_size": 4, "min_p": 0.1, "disable_tqdm": True}
HELD_OUT = {"every": 2, "samples": 4, "batch": 4}
RunFile = Callable[..., Path]


def answers(trainer: Any, seed: int) -> dict[str, list[str]]:
    """What is said to each held-out question, with the random numbers of a seed."""
    heard: dict[str, list[str]] = {}
    whole = trainer._validate

    def listening(inputs: Any, completions: Any, direct: Any) -> None:
        for row, completion in zip(inputs, completions, strict=True):
            heard.setdefault(row["sample_id"], []).append(get_text(completion))
        whole(inputs, completions, direct)

    trainer._validate = listening
    torch.manual_seed(seed)
    trainer.evaluate()
    trainer._validate = whole
    return heard


def greedy(trainer: Any) -> dict[str, list[str]]:
    """The same by transformers alone, one question at a time."""
    found = {}
    for row in trainer.eval_dataset:
        content = [{"type": "image", "image": image} for image in row["images"]]
        content.append({"type": "text", "text": row["prompt"][0]["content"]})
        batch = trainer.processing_class.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        suppressed = [trainer.model.config.image_token_id]
        out = trainer.model.generate(**batch, max_new_tokens=8, do_sample=False, suppress_tokens=suppressed)
        text = trainer.processing_class.decode(out[0, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        found[row["sample_id"]] = [text]
    return found


@pytest.mark.slow
def test_the_likeliest_answers_and_always_the_same(run_file: RunFile) -> None:
    trainer = _make_grpo_trainer(prepare(load_config(run_file(TRAINER)), "stage1"))
    first = answers(trainer, 0)
    assert len(first) == 4
    assert first == answers(trainer, 1) == greedy(trainer)
    assert trainer.generation_config.do_sample
    assert trainer.generation_config.min_p == 0.1
    assert trainer.generation_kwargs["do_sample"]


@pytest.mark.slow
def test_sampled_answers_where_a_temperature_is_given(run_file: RunFile) -> None:
    config = load_config(run_file(TRAINER, validation={**HELD_OUT, "temperature": 0.9, "generations": 2}))
    trainer = _make_grpo_trainer(prepare(config, "stage1"))
    first = answers(trainer, 0)
    assert first != answers(trainer, 1)
    assert any(len(set(texts)) == 2 for texts in first.values())


def test_several_greedy_answers_are_refused(run_file: RunFile) -> None:
    with pytest.raises(UserError, match=r"2 greedy answers would be alike; give a validation\.temperature"):
        load_config(run_file(TRAINER, validation={**HELD_OUT, "generations": 2}))
