"""Two processes over gloo give what one gives: gates, probability difference and ranking across a straddling group,
also with weights that are sharded (FSDP2).
"""

import json
from pathlib import Path
from typing import Any

import pytest
from process_groups import run_together
from trainer_runs import write_run_file

PROGRAM = Path(__file__).parents[2] / "support" / "distributed_program.py"


@pytest.fixture(scope="module")
def config(tiny: Any, rated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distributed")
    return write_run_file(
        folder / "run.yaml",
        tiny("qwen3_vl"),
        folder / "out",
        {"max_completion_length": 6, "max_steps": 1, "save_strategy": "no", "disable_tqdm": True},
        data={"rated": f"meta:{rated / 'train.json'}+norm", "rated_root": str(rated), "check_images": False},
        rewards={"digits": "per-token", "micro_batch": 1},
        validation={"every": 0},
        watch={"samples_every": 0},
    )


def run(config: Path, processes: int) -> dict[str, Any]:
    out = config.parent / f"of-{processes}"
    run_together(PROGRAM, [str(config), str(out)], processes)
    found: dict[str, Any] = json.loads(out.with_name(out.name + ".json").read_text())
    return found


def list_pairs(found: dict[str, Any], prefix: str = "") -> list[tuple[str, bool]]:
    """The rewards of each rollout, rounded, and whether its gate is open."""
    rewards = ([round(value, 5) for value in row] for row in found[f"{prefix}rewards"])
    return [(str(row), gate) for row, gate in zip(rewards, found[f"{prefix}right"], strict=True)]


@pytest.mark.slow
def test_two_processes_give_what_one_gives(config: Path) -> None:
    alone, together = run(config, 1), run(config, 2)
    for answer in ("hit", "ranking"):
        one, two = alone[answer], together[answer]
        assert one["steps"] == two["steps"] == 1
        assert one["right"] == two["right"] == [True, True, False, False, True, True] + [False] * 6
        for left, right in zip(one["rewards"], two["rewards"], strict=True):
            assert right == pytest.approx(left, abs=1e-6)
        for left, right in zip(one["shuffled_rewards"], two["shuffled_rewards"], strict=True):
            assert right == pytest.approx(left, abs=1e-6)
        assert one["shuffled_right"] == two["shuffled_right"]
        assert list_pairs(one, "shuffled_") != list_pairs(one)
        assert sorted(list_pairs(one, "shuffled_")) == sorted(list_pairs(one))
        gains = [row[2] for row in one["rewards"]]
        assert any(gain > 0 for gain in gains), "nothing was measured"
        assert all(gain == 0 for gain, right in zip(gains, one["right"], strict=True) if not right)
    assert len(alone["hit"]["direct"]) == 2
    assert together["hit"]["direct"] == pytest.approx(alone["hit"]["direct"], abs=1e-6)
    assert together["sharded"]["direct"] == pytest.approx(alone["hit"]["direct"], abs=1e-6)
    # one process has nothing to measure, and takes part in every pass all the same: else this would hang
    for left, right in zip(alone["hit"]["rewards"], together["sharded"]["rewards"], strict=True):
        assert right == pytest.approx(left, abs=1e-6)
