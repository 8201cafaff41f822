"""Run by `test_distributed.py` in one process and in two: a batch of rollouts, split over the processes, is scored.

The completions are written by hand, so that gates are open on some processes and shut on others; then a real step.
"""

import json
import os
import sys
from dataclasses import replace
from typing import Any

import torch

from refine_iqa_train.config.loading import load_config
from refine_iqa_train.rewards.direct_scores import DirectScorer
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.train import _make_grpo_trainer

GROUP = 4
SAID = (
    "<think>a</think><answer>Score: {right}</answer>",
    "<think>iso 400</think><answer>Score:{right}</answer>",
    "<think>far</think><answer>Score:{wrong}</answer>",
    "nothing",
)
MIXED = (0, 0, 2, 3, 0, 1, 2, 3, 3, 3, 3, 3)
"""What each of twelve rollouts says: the last group has no right one."""


def main(config: str, out: str) -> None:
    torch.set_num_threads(1)
    found = {answer: run(config, answer, f"{out}-{answer}") for answer in ("hit", "ranking")}
    if torch.distributed.is_initialized():
        found["sharded"] = run(config, "hit", f"{out}-sharded", sharded=True)
    if os.environ.get("RANK", "0") == "0":
        with open(f"{out}.json", "w") as file:  # noqa: PTH123
            json.dump(found, file)
    if torch.distributed.is_initialized():
        leave_together()


def leave_together() -> None:
    """End with code 0 where all processes came this far.

    The reducers of DDP and the groups of FSDP have threads of their own; once they ended the interpreter by SIGABRT
    ("terminate called without an active exception") while it was taken apart, after all work was done and written.
    """
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def run(config: str, answer: str, out: str, sharded: bool = False) -> dict[str, Any]:
    """Rewards and gates of all twelve rollouts, and the steps of a short training; without it where weights are
    sharded: accelerate does that on GPUs only, so it is done here by hand.
    """
    processes, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    loaded = load_config(config, {"rewards.quality.answer": answer, "out": out})
    share = 12 // processes  # 6 on each of two: the second group of four straddles them
    loaded = replace(loaded, trainer={**loaded.trainer, "per_device_train_batch_size": share})
    prepared = prepare(loaded, "stage2")
    trainer = _make_grpo_trainer(prepared)
    if sharded:
        shard(trainer.model)
    rows = [row for place in range(3) for row in [prepared.data.train[place]] * GROUP]
    mine = slice(rank * share, (rank + 1) * share)
    rewards = scored(trainer, rows[mine], MIXED[mine])
    right = trainer._rollouts.is_correct.tolist()
    direct = direct_scores(trainer, rows[mine], len(rows[:7][mine]))
    control = {} if sharded else shuffle(trainer, rows[mine], MIXED[mine])
    if not sharded:
        trainer.train()
        assert trainer._rollouts is None, "they belong to one generation"
    found = {"rewards": rewards.tolist(), "right": right, "steps": trainer.state.global_step, "direct": direct}
    return found | control


def shuffle(trainer: Any, rows: list[Any], kinds: tuple[int, ...]) -> dict[str, Any]:
    """Rewards and gates of the same rollouts in a control."""
    config = trainer.config
    trainer.config = replace(config, rewards=replace(config.rewards, shuffle="batch"))
    rewards = scored(trainer, rows, kinds)
    trainer.config = config
    return {"shuffled_rewards": rewards.tolist(), "shuffled_right": trainer._rollouts.is_correct.tolist()}


def shard(model: Any) -> None:
    """FSDP2: every layer has its weights in parts on all processes, and gathers them for each pass."""
    from torch.distributed.fsdp import fully_shard

    mesh = torch.distributed.init_device_mesh("cpu", (torch.distributed.get_world_size(),))
    for module in [module for module in model.modules() if type(module).__name__ in model._no_split_modules]:
        fully_shard(module, mesh=mesh)
    fully_shard(model, mesh=mesh)
    assert all(type(weight).__name__ == "DTensor" for weight in model.parameters())


def direct_scores(trainer: Any, rows: list[Any], asked: int) -> dict[str, float]:
    """Scores without thinking of the first rows, from all processes: they have different numbers of them."""
    from accelerate.utils import gather_object
    from trl.data_utils import prepare_multimodal_messages

    prompts = [prepare_multimodal_messages(row["prompt"], images=row["images"]) for row in rows]
    others = [row if place < asked else {**row, "task": "grounding"} for place, row in enumerate(rows)]
    found: dict[str, float] = dict(gather_object(list(DirectScorer(trainer, 1).score(others, prompts).items())))
    return found


def scored(trainer: Any, rows: list[Any], kinds: tuple[int, ...]) -> torch.Tensor:
    """Rewards of hand-written completions, gathered from all processes."""
    from trl.data_utils import prepare_multimodal_messages

    texts = [
        SAID[kind].format(right=row["solution"], wrong="1.00" if float(row["solution"]) > 3 else "5.00")
        for row, kind in zip(rows, kinds, strict=True)
    ]
    tokenizer = trainer.processing_class.tokenizer
    ids = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    prompts = [prepare_multimodal_messages(row["prompt"], images=row["images"]) for row in rows]
    completions = [[{"role": "assistant", "content": text}] for text in texts]
    trainer.model.train()
    rewards = trainer._calculate_rewards(rows, prompts, completions, ids)
    trainer._pending_metrics.clear()
    return rewards


if __name__ == "__main__":
    main(*sys.argv[1:])
