"""Run by `test_fresh_distributed.py` in one process and in several: a run on images made fresh, by their rewards.

`sampler_program.py CONFIG OUT [STEP]`; with a step every process is killed as soon as the checkpoint of that step is
whole. Each process leaves what its sampler knows in `OUT-RANK.json`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
from trainer_runs import make_varied_rewards

from refine_iqa_train.config.loading import load_config
from refine_iqa_train.training import train as train_module
from refine_iqa_train.training.resume import RecordCallback
from refine_iqa_train.training.trainer import RefineTrainer

KILLED = 9


class KilledCallback(RecordCallback):
    """Ends the process after a checkpoint, before anything of the next step."""

    step = 0

    def on_save(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        super().on_save(args, state, control, **others)
        if state.global_step == self.step:
            os._exit(KILLED)


def main(config: str, out: str, step: str = "0") -> None:
    torch.set_num_threads(1)
    trainers: list[RefineTrainer] = []
    make_trainer = train_module._make_grpo_trainer

    def keep_trainer(run: Any) -> Any:
        trainers.append(make_trainer(run))
        return trainers[0]

    KilledCallback.step = int(step)
    train_module.RecordCallback = KilledCallback  # type: ignore[misc]
    train_module.make_rewards = make_varied_rewards  # type: ignore[assignment]
    train_module._make_grpo_trainer = keep_trainer
    train_module.train(load_config(config, {"out": out}), "stage1")
    sampler = trainers[0]._sampler
    assert sampler is not None
    Path(f"{out}-{os.environ.get('RANK', '0')}.json").write_text(json.dumps(sampler.state_dict()))
    sys.stdout.flush()
    sys.stderr.flush()
    # The trainer is kept, and the interpreter not taken apart: the reducer of DDP, once it is freed, may wait for a
    # thread of gloo that waits for Python's lock (torch 2.13).
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
