"""One model of one seed: random but for its eye; a cold start that teaches form alone; then an arm from there."""

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from measure import measure_model
from settings import COLD, GRPO, SUPERVISED, TOKENS
from windows import Windows, hash_windows

from distortlab.storage.atomic import format_json, hash_file, read_json, write_json

if TYPE_CHECKING:
    from refine_iqa_train.config.schema import Config

CURVES = ("reward", "rewards/format/mean", "recognition/type", "entropy", "kl", "loss")
"""What is kept of every step, beside the reward of each family."""


BLIND = "blind"


class Arm(NamedTuple):
    """A way to go on from the cold start: the stage of the trainer, its settings, other keys of the configuration."""

    stage: str
    trainer: Mapping[str, Any]
    keys: Mapping[str, Any] = {}


COLD_START = Arm("sft", COLD, {"data.shuffle_solutions": True})
"""Form alone: every window has the solution of another one."""
_TYPE_ALONE = {"rewards.recognition.type_weight": 1.0}
ARMS = {
    "grpo": Arm("stage1", GRPO, _TYPE_ALONE),
    "shuffled": Arm("stage1", GRPO, {**_TYPE_ALONE, "rewards.shuffle": "group"}),
    "supervised": Arm("sft", SUPERVISED),
}
"""GRPO; the same with rewards that change places, which must teach nothing; as many steps with the true answers."""


def add_keys(arm: Arm, **keys: Any) -> Arm:
    """The arm with more keys of the configuration."""
    return arm._replace(keys={**arm.keys, **keys})


def write_config(model: Path, out: Path, arm: Arm, data: str | None, seed: int) -> "Config":
    """The configuration of a run, written beside its folder and read as the command line reads it."""
    from refine_iqa_train.config.loading import load_config

    values = {
        "seed": seed,
        "model": str(model),
        "out": str(out),
        "frozen": ["visual.*"],
        "data": {"perception": data, "check_images": False},
        "validation": {"every": 0},
        "watch": {"samples_every": 0},
        "trainer": dict(arm.trainer),
    }
    file = Path(f"{out}.yaml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values))  # JSON is YAML
    return load_config(file, dict(arm.keys))


def quiet_libraries() -> None:
    """One thread, and no bars: several such processes run side by side."""
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def train_model(model: Path, out: Path, arm: Arm, data: str | None, seed: int) -> dict[str, Any]:
    """Train with the product's own trainer; seconds, those of this process alone, and curves."""
    from refine_iqa_train.training.train import train

    quiet_libraries()
    began, used = time.monotonic(), time.process_time()
    train(write_config(model, out, arm, data, seed), arm.stage)
    seconds = {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - used}
    return {**seconds, "curves": read_curves(out)}


def read_curves(out: Path) -> dict[str, list[float]]:
    """What was logged at every step, by name."""
    log = json.loads((out / "trainer_state.json").read_text())["log_history"]
    families = {name for entry in log for name in entry if name.startswith("families/")}
    names = (*CURVES, *sorted(families))
    return {name: values for name in names if (values := [entry[name] for entry in log if name in entry])}


class Job(NamedTuple):
    """A model to train and to measure, in a process of its own.

    Parameters
    ----------
    folder, start, name
        Of the seed; below it the model that is gone on from, and where the trained one goes. `BLIND` is made first: a
        tiny model of random weights.
    seed
        Of order and sampling.
    arm, data
        How it is trained, and on which questions.
    held
        Windows that it is asked about afterwards, by name.
    """

    folder: Path
    start: str
    name: str
    seed: int
    arm: Arm
    data: str
    held: Mapping[str, Windows]


def run_once(out: Path, conditions: Mapping[str, Any], train: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """What came of training into a folder. It is kept beside it, with the conditions that it was made under: a run that
    was stopped goes on with what is missing, and what was made under other conditions is made again.
    """
    file, wanted = out.with_name(f"{out.name}.json"), json.loads(format_json(conditions))
    kept: Any = read_json(file) if file.exists() else {}
    if kept.get("conditions") == wanted:
        return dict(kept["found"])
    shutil.rmtree(out, ignore_errors=True)
    found = train(out)
    write_json(file, {"conditions": wanted, "found": found})
    return found


def describe_conditions(model: Path, arm: Arm, seed: int, data: str | None, **more: Any) -> dict[str, Any]:
    """What decides what comes of training: the weights that are begun with, the settings, files that they name, the
    questions.
    """
    files = {"weights": model / "model.safetensors"} | ({"questions": Path(data) / "train.parquet"} if data else {})
    files |= {name: Path(value) for name, value in arm.keys.items() if isinstance(value, str) and Path(value).is_file()}
    return {"arm": arm, "seed": seed, "files": {name: hash_file(file) for name, file in files.items()}, **more}


def train_job(job: Job) -> dict[str, Any]:
    """Train from the model that a job goes on from: seconds and curves."""
    return train_model(job.folder / job.start, job.folder / job.name, job.arm, job.data, job.seed)


def run_job(job: Job, train: Callable[[Job], dict[str, Any]] = train_job) -> dict[str, Any]:
    """Train and measure: seconds, curves, and under each name of `held` what is answered, by manner.

    `spared` are seconds that were not spent now: the job was found done.
    """
    from refine_iqa_train.training.tiny_model import save_tiny_model

    began = time.monotonic()
    if job.start == BLIND:
        shutil.rmtree(job.folder / BLIND, ignore_errors=True)
        save_tiny_model(job.folder / BLIND, "qwen3_vl", job.seed)
    held = {name: hash_windows(windows) for name, windows in job.held.items()}
    conditions = describe_conditions(job.folder / job.start, job.arm, job.seed, job.data, held=held)

    def run(out: Path) -> dict[str, Any]:
        found = train(job) | {name: measure_model(out, windows, TOKENS) for name, windows in job.held.items()}
        return {**found, "job_seconds": time.monotonic() - began}

    found = run_once(job.folder / job.name, conditions, run)
    return {**found, "spared": found["job_seconds"] - (time.monotonic() - began)}


def run_jobs(
    begin: Sequence[Job], more: Sequence[Job], workers: int, train: Callable[[Job], dict[str, Any]] = train_job
) -> dict[str, Any]:
    """Run jobs, so many at a time, one thread each: those of `more`, with `train`, when that of their seed in `begin`
    is done.

    Returns
    -------
    dict
        What came of each, by seed and name.
    """
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=quiet_libraries) as pool:
        first = {pool.submit(run_job, job): job for job in begin}
        jobs = dict(first)
        for done in as_completed(first):
            done.result()  # a cold start that failed is an error at once
            jobs |= {pool.submit(run_job, job, train): job for job in more if job.seed == first[done].seed}
        results: dict[str, Any] = {str(job.seed): {} for job in begin}
        for future, job in jobs.items():
            results[str(job.seed)][job.name] = future.result()
    return results
