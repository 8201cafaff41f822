"""Two processes over gloo draw by the rewards of both; a kill of both after a checkpoint changes nothing of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from process_groups import run_together
from sampler_runs import read_sampler_log, write_sampler_keys
from trainer_runs import write_run_file

PROGRAM = Path(__file__).parents[2] / "support" / "sampler_program.py"
KILLED, STEPS = 9, 5


@pytest.fixture(scope="module")
def config(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three prompts in a generation of answers, six rollouts on each of two processes: a group straddles them."""
    folder = tmp_path_factory.mktemp("together")
    trainer = {
        "max_steps": STEPS,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 3,
        "max_completion_length": 4,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "constant",
        "save_steps": 2,
        "logging_steps": 1,
        "disable_tqdm": True,
    }
    never = {"validation": {"every": 0}, "watch": {"samples_every": 0}}
    return write_run_file(
        folder / "run.yaml", tiny("llava"), folder / "out", trainer, data=write_sampler_keys(folder), **never
    )


def read_states(out: Path) -> list[Any]:
    """What the sampler of each process knows at the end."""
    return [json.loads(out.with_name(f"{out.name}-{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.slow
def test_two_processes_agree_and_go_on_after_a_kill(config: Path) -> None:
    whole, killed = config.parent / "whole", config.parent / "killed"
    run_together(PROGRAM, [str(config), str(whole)], 2)
    run_together(PROGRAM, [str(config), str(killed), "2"], 2, expected=KILLED)
    assert not (killed / "model.safetensors").exists()
    run_together(PROGRAM, [str(config), str(killed)], 2)
    one, two = read_states(whole)
    assert one == two
    assert read_states(killed) == [one, one]
    log = read_sampler_log(whole)
    assert list(log) == list(range(1, STEPS + 1))
    assert read_sampler_log(killed) == log
    assert log[STEPS]["sampler/blur"] != log[1]["sampler/blur"], "nothing was learnt of rewards"
