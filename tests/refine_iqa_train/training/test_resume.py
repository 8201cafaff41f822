"""Finished is finished; a checkpoint of another run or configuration is refused with the key that differs."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from trainer_runs import write_run_file

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.config.schema import Config
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.resume import find_start
from refine_iqa_train.training.run_record import MAY_CHANGE, list_differences, make_record, read_record
from refine_iqa_train.training.train import train

TRAINER = {
    "max_steps": 2,
    "per_device_train_batch_size": 4,
    "max_completion_length": 4,
    "learning_rate": 1e-3,
    "save_steps": 1,
    "disable_tqdm": True,
}


@pytest.fixture(scope="module")
def done(tiny: Any, perception: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a run that is finished after two steps, in `run` beside it."""
    folder = tmp_path_factory.mktemp("done")
    data, never = {"perception": str(perception)}, {"validation": {"every": 0}, "watch": {"samples_every": 0}}
    path = write_run_file(folder / "run.yaml", tiny("llava"), folder / "run", TRAINER, data=data, **never)
    train(load_config(path), "stage1")
    return path


@pytest.fixture
def again(done: Path, tmp_path: Path) -> Callable[..., Config]:
    """The same configuration over a copy of the finished run, with keys changed."""
    out = Path(shutil.copytree(done.parent / "run", tmp_path / "run"))

    def config(**keys: Any) -> Config:
        return load_config(done, {"out": str(out), **{key.replace("__", "."): value for key, value in keys.items()}})

    return config


def hashes(out: Path) -> dict[str, str]:
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refusal(config: Config, stage: str = "stage1") -> str:
    with pytest.raises(UserError) as caught:
        find_start(prepare(config, stage))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def steps(out: Path) -> int:
    found: int = json.loads((out / "trainer_state.json").read_text())["global_step"]
    return found


# --- finished is finished -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("keys", [{}, {"trainer__max_steps": 1}, {"watch__samples": 3, "trainer__logging_steps": 5}])
def test_a_finished_command_repeated_changes_nothing(
    again: Callable[..., Config], keys: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    config = again(**keys)
    out = Path(config.out)
    before = hashes(out)
    train(config, "stage1")
    assert hashes(out) == before
    said = capsys.readouterr().err
    assert "already finished after 2 steps; more: raise trainer.max_steps" in said


@pytest.mark.slow
def test_more_steps_go_on_from_the_last_checkpoint(
    again: Callable[..., Config], capsys: pytest.CaptureFixture[str]
) -> None:
    config = again(trainer__max_steps=3)
    train(config, "stage1")
    out = Path(config.out)
    assert steps(out) == 3
    assert "the learning rate follows the schedule of the new length" in capsys.readouterr().err
    before = hashes(out)
    train(config, "stage1")
    assert hashes(out) == before


@pytest.mark.slow
def test_a_run_that_was_stopped_before_its_end_is_ended_without_another_step(again: Callable[..., Config]) -> None:
    """Killed after the last checkpoint: the model of the checkpoint is the model of the run."""
    config = again()
    out = Path(config.out)
    whole = hashes(out)
    for name in ("run.json", "model.safetensors", "README.md", "config.yaml"):
        (out / name).unlink()
    train(config, "stage1")
    found = hashes(out)
    assert set(found) == set(whole)
    assert found["model.safetensors"] == whole["model.safetensors"]
    assert steps(out) == 2
    before = hashes(out)
    train(config, "stage1")
    assert hashes(out) == before
    assert not (out / "optimizer.pt").exists()


@pytest.mark.slow
def test_without_checkpoints_finished_is_finished_too(again: Callable[..., Config]) -> None:
    config = again()
    out = Path(config.out)
    for path in out.glob("checkpoint-*"):
        shutil.rmtree(path)
    before = hashes(out)
    train(config, "stage1")
    assert hashes(out) == before
    assert "holds no checkpoint to go on from" in refusal(again(trainer__max_steps=3))


@pytest.mark.slow
def test_the_other_kinds_of_length(again: Callable[..., Config]) -> None:
    """By epochs: more of them go on."""
    run = prepare(again(trainer__max_steps=-1, trainer__num_train_epochs=1), "stage1")
    start = find_start(run)
    assert start.finished is None
    assert start.checkpoint is not None


# --- another run, another configuration -----------------------------------------------------------------------------

OTHER = {
    "trainer.learning_rate": (1e-4, "trainer.learning_rate was 0.001 and is 0.0001"),
    "trainer.num_generations": (2, "trainer.num_generations was 4 and is 2"),
    "trainer.per_device_train_batch_size": (8, "trainer.per_device_train_batch_size was 4 and is 8"),
    "trainer.beta": (0.1, "trainer.beta was 0.0 and is 0.1"),
    "trainer.lr_scheduler_type": ("cosine", "trainer.lr_scheduler_type was linear and is cosine"),
    "rewards.weights.format": (2.0, "rewards.weights.format was 1.0 and is 2.0"),
    "rewards.weights.object": (0, "rewards.weights.object was 1.0 and is null"),
    "rewards.recognition.type_weight": (0.7, "rewards.recognition.type_weight was 0.5 and is 0.7"),
    "data.limit": (20, "what is in the data was "),
    "data.tasks": (["object", "grounding"], "what is in the data was "),
    "seed": (1, "seed was 0 and is 1"),
    "frozen_vision": (True, "frozen_vision was false and is true"),
}


@pytest.mark.slow
@pytest.mark.parametrize("key", OTHER)
@pytest.mark.parametrize("finished", [True, False])
def test_what_decides_what_is_learnt_may_not_change(again: Callable[..., Config], key: str, finished: bool) -> None:
    value, sentence = OTHER[key]
    config = again(**{key.replace(".", "__"): value})
    if not finished:
        (Path(config.out) / "run.json").unlink()
    before = hashes(Path(config.out))
    assert sentence in refusal(config)
    assert hashes(Path(config.out)) == before


@pytest.mark.slow
def test_defaults_that_are_written_out_are_no_difference(again: Callable[..., Config]) -> None:
    keys = {"trainer__temperature": 1.0, "rewards__weights__format": 1, "trainer__learning_rate": "1e-3"}
    assert find_start(prepare(again(**keys), "stage1")).finished == 2


@pytest.mark.slow
def test_a_checkpoint_of_another_stage(again: Callable[..., Config], rated: Path, tmp_path: Path) -> None:
    scoring = {"data__rated": f"meta:{rated / 'train.json'}+norm", "data__rated_root": str(rated)}
    config = again(**scoring)
    config = replace(config, resume=f"{config.out}/checkpoint-2", out=str(tmp_path / "other"))
    assert "the stage was stage1 and is stage2" in refusal(config, "stage2")
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_other_data_under_the_same_name(again: Callable[..., Config], perception: Path, tmp_path: Path) -> None:
    """A data set may be moved. What is in it may not change."""
    moved = Path(shutil.copytree(perception, tmp_path / "moved", ignore=shutil.ignore_patterns("MANIFEST.json")))
    assert find_start(prepare(again(data__perception=str(moved)), "stage1")).finished == 2
    first = min((moved / "rft").glob("train-*.parquet"))
    table = pq.read_table(first)
    pq.write_table(table.take(list(reversed(range(len(table))))), first)
    assert "what is in the data was" in refusal(again(data__perception=str(moved)))


@pytest.mark.slow
def test_other_weights_under_the_same_name(again: Callable[..., Config], tiny: Any, tmp_path: Path) -> None:
    from refine_iqa_train.training.tiny_model import save_tiny_model

    moved = Path(shutil.copytree(tiny("llava"), tmp_path / "moved"))
    assert find_start(prepare(again(model=str(moved)), "stage1")).finished == 2
    save_tiny_model(tmp_path / "drawn", "llava", seed=1)
    assert "what is in the model's folder was" in refusal(again(model=str(tmp_path / "drawn")))


@pytest.mark.slow
def test_checkpoints_without_a_record_and_cut_off_ones(again: Callable[..., Config]) -> None:
    config = again(trainer__max_steps=3)
    out = Path(config.out)
    (out / "run.json").unlink()
    (out / "checkpoint-2" / "trainer_state.json").write_text('{"global_step": 2')  # cut off while it was written
    assert find_start(prepare(config, "stage1")).checkpoint == out / "checkpoint-1"
    (out / "checkpoint-1" / "run.json").unlink()
    assert "has no record of the run that it belongs to" in refusal(config)
    assert "there is no checkpoint in" in refusal(replace(config, resume=str(out.parent)))


@pytest.mark.slow
def test_the_model_alone_is_no_checkpoint_to_go_on_from(again: Callable[..., Config]) -> None:
    config = again(trainer__max_steps=3)
    for path in Path(config.out).glob("checkpoint-*/run.json"):
        values = json.loads(path.read_text())
        values["config"]["trainer"]["save_only_model"] = True
        path.write_text(json.dumps(values))
    assert "holds the model alone (trainer.save_only_model)" in refusal(config)


def test_out_holds_something_else(tiny: Any, done: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny("llava"), tmp_path / "model"))
    config = load_config(done, {"out": str(folder)})
    assert "holds a model (config.json, model.safetensors) that is not of this run" in refusal(config)
    config = load_config(done, {"resume": "no"})
    assert "holds checkpoints of another run" in refusal(config)


# --- the list -------------------------------------------------------------------------------------------------------


def test_every_key_of_the_list_is_one_of_the_configuration(done: Path) -> None:
    """A pattern that fits no key would be an entry without effect."""
    record = read_record(done.parent / "run")
    assert record is not None
    from refine_iqa_train.training.run_record import _flatten

    known = {key for key, _ in _flatten(record.config)}
    for keys, why in MAY_CHANGE:
        assert why
        for pattern in keys.split(", "):
            assert [key for key in known if fnmatch(key, pattern)], pattern


def test_a_record_comes_back_from_its_file(done: Path) -> None:
    record = read_record(done.parent / "run" / "checkpoint-1")
    assert record is not None
    assert list_differences(record, make_record(prepare(load_config(done), "stage1"))) == []
    assert read_record(done.parent) is None
