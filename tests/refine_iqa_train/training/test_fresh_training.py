"""Runs on images made fresh by the rewards of the answers: what is drawn, what is logged, going on after a kill."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from refusals import read_refusal
from sampler_runs import SETS, read_sampler_log, write_sampler_keys
from trainer_runs import make_varied_rewards

from distortlab.core.errors import UserError
from distortlab.generation.stream import SampleStream, StreamSample
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.config.schema import Config
from refine_iqa_train.training import resume
from refine_iqa_train.training import train as train_module
from refine_iqa_train.training.dry_run import dry_run
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.resume import RecordCallback, find_start
from refine_iqa_train.training.train import train

STEPS = 6
TRAINER = {
    "max_steps": STEPS,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "max_completion_length": 4,
    "learning_rate": 1e-3,
    "save_steps": 3,
    "logging_steps": 1,
    "lr_scheduler_type": "constant",
    "disable_tqdm": True,
}
"""Two prompts in a generation of answers."""
NEVER = {"validation": {"every": 0}, "watch": {"samples_every": 0}}


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of all samples that are drawn, in their order."""
    numbers: list[int] = []
    draw = SampleStream.draw

    def record(stream: SampleStream, index: int, *weights: Any, **named: Any) -> StreamSample:
        numbers.append(index)
        return draw(stream, index, *weights, **named)

    monkeypatch.setattr(SampleStream, "draw", record)
    monkeypatch.setattr(train_module, "make_rewards", make_varied_rewards)
    return numbers


@pytest.fixture
def config(run_file: Callable[..., Path], tmp_path: Path) -> Callable[..., Config]:
    file = run_file(TRAINER, data=write_sampler_keys(tmp_path), **NEVER)

    def load(name: str = "run", **keys: Any) -> Config:
        return load_config(file, {"out": str(tmp_path / name), **{k.replace("__", "."): v for k, v in keys.items()}})

    return load


class KilledCallback(RecordCallback):
    """A run that is killed as soon as its first checkpoint is whole, before anything of the next step."""

    def on_save(self, *args: Any, **others: Any) -> None:
        super().on_save(*args, **others)
        raise KeyboardInterrupt


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Callable[[Config], None]:
    """Trains until the first checkpoint, and not a bit longer."""

    def until_the_first_checkpoint(config: Config) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(train_module, "RecordCallback", KilledCallback)
            with pytest.raises(KeyboardInterrupt):
                train(config, "stage1")
        assert not (Path(config.out) / "model.safetensors").exists()

    return until_the_first_checkpoint


@pytest.mark.slow
@pytest.mark.parametrize("uses", [{}, {"trainer__steps_per_generation": 1}])
def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(
    config: Callable[..., Config], kill: Callable[[Config], None], uses: dict[str, Any]
) -> None:
    """Also where answers are generated twice in a step, and prompts are drawn by means three generations old."""
    whole, killed = config("whole", **uses), config("killed", **uses)
    train(whole, "stage1")
    kill(killed)
    train(killed, "stage1")
    log = read_sampler_log(Path(whole.out))
    assert list(log) == list(range(1, STEPS + 1))
    assert read_sampler_log(Path(killed.out)) == log
    assert read_tables(killed, STEPS) == read_tables(whole, STEPS)
    assert log[STEPS]["sampler/blur"] != log[1]["sampler/blur"], "nothing was learnt of rewards"


@pytest.mark.slow
def test_answers_that_are_asked_for_again_count_once(
    config: Callable[..., Config], kill: Callable[[Config], None]
) -> None:
    """The checkpoint lies in the middle of a generation, whose answers TRL does not keep."""
    run = config(trainer__num_iterations=2)
    kill(run)
    before = read_tables(run, 3)
    train(run, "stage1")
    after = read_tables(run, STEPS)
    assert list(before) == [0, 1]
    assert list(after) == [0, 1, 2]
    assert {generation: after[generation] for generation in before} == before


def read_tables(config: Config, step: int) -> dict[int, Any]:
    """The means after each generation, from a checkpoint."""
    state = json.loads((Path(config.out) / f"checkpoint-{step}" / "sampler.json").read_text())
    return {generation: means for generation, *means in state["tables"]}


@pytest.mark.slow
def test_what_is_logged_of_the_sampler(config: Callable[..., Config], drawn: list[int]) -> None:
    run = config()
    train(run, "stage1")
    log = read_sampler_log(Path(run.out))
    assert list(log) == list(range(1, STEPS + 1))
    families = {name for name in log[1] if name.startswith("sampler/") and "severity" not in name}
    assert families == {"sampler/blur", "sampler/noise", "sampler/quantization"}
    for entry in log.values():
        assert sum(entry[name] for name in families) == pytest.approx(1)
        assert sum(entry[f"sampler/severity_{n}"] for n in range(1, 6)) == pytest.approx(1)
    assert [len({entry[name] for name in families}) for entry in log.values()][:2] == [1, 1], "drawn before any reward"
    assert len({log[STEPS][name] for name in families}) > 1
    assert "Families drawn" in Path(run.out, "curves.html").read_text()
    assert list(read_tables(run, STEPS)) == [STEPS - 3, STEPS - 2, STEPS - 1]
    assert not (Path(run.out) / "sampler.json").exists()
    counts = Counter(drawn)
    assert counts.pop(0) == 2, "once to check the data, once to train"
    assert set(counts.values()) == {1}
    assert set(range(1, 2 * STEPS)) <= set(counts)


@pytest.mark.slow
def test_a_set_counts_for_every_family_in_it(config: Callable[..., Config], tmp_path: Path) -> None:
    (tmp_path / "sets.toml").write_text(SETS)
    run = config(data__perception=f"stream:{tmp_path / 'sets.toml'}", data__tasks=[], data__families=[])
    train(run, "stage1")
    means, severities = list(read_tables(run, STEPS).values())[-1]
    assert len(means) > 3
    assert severities
    assert {value for value, _ in means.values()} == {0.0}, "no answer can be read"


@pytest.mark.slow
def test_nothing_is_logged_of_a_uniform_sampler(config: Callable[..., Config]) -> None:
    run = config(data__sampler="uniform", trainer__max_steps=2, trainer__save_strategy="no")
    train(run, "stage1")
    assert not any(name.startswith("sampler/") for entry in read_sampler_log(Path(run.out)).values() for name in entry)
    assert "Families drawn" not in Path(run.out, "curves.html").read_text()


@pytest.fixture
def stopped(config: Callable[..., Config]) -> Callable[..., Config]:
    """A run that can go on from its checkpoint at step 1."""
    train(config(trainer__max_steps=1, trainer__save_steps=1), "stage1")
    (Path(config().out) / "run.json").unlink()

    def load(**keys: Any) -> Config:
        return config(trainer__save_steps=1, **keys)

    return load


def refusal(config: Config) -> str:
    with pytest.raises(UserError) as caught:
        find_start(prepare(config, "stage1"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.slow
def test_a_checkpoint_of_other_families_is_refused_with_both_lists(stopped: Callable[..., Config]) -> None:
    assert find_start(prepare(stopped(), "stage1")).sampler_state is not None
    assert "severities were 1, 2, 3, 4, 5 and are none" in refusal(stopped(data__reward_sampler__severities=False))
    assert "data.sampler was reward and is uniform" in refusal(stopped(data__sampler="uniform"))
    assert "data.reward_sampler.tau was 0.1 and is 1.0" in refusal(stopped(data__reward_sampler__tau=1.0))
    other = refusal(stopped(data__families=["blur", "pixelate"]))
    assert "families were blur, noise, quantization and are blur, pixelate (sampler.json)" in other
    assert "what is in the data was recipe" in refusal(stopped(data__tasks=["grounding"]))
    assert "what is in the data was recipe" in refusal(stopped(data__references="scenes:7"))


@pytest.mark.slow
def test_a_checkpoint_without_means_is_refused(stopped: Callable[..., Config]) -> None:
    path = Path(stopped().out) / "checkpoint-1" / resume.SAMPLER_STATE
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "tables": [[0, {"blur": [2.0, 1]}, {}]]}))
    assert "it holds no means of rewards" in refusal(stopped())
    path.write_text("{")
    assert "holds no means of rewards (sampler.json)" in refusal(stopped())
    path.unlink()
    assert "holds no means of rewards (sampler.json)" in refusal(stopped())


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"trainer__max_steps": -1}, "give trainer.max_steps"),
        (
            {"trainer__shuffle_dataset": True},
            "trainer.shuffle_dataset = true: images that are made fresh come in the order",
        ),
        ({"trainer__dataloader_num_workers": 2}, "trainer.dataloader_num_workers = 2"),
        ({"trainer__ignore_data_skip": True}, "trainer.ignore_data_skip = true"),
        ({"rewards__weights": {"recognition": 0}}, "data.sampler: reward has no rewards to go by"),
        ({"data__perception": "stream:smok"}, "did you mean 'smoke'"),
        ({"data__perception": "stream:nowhere.toml"}, "cannot be read"),
        ({"data__perception_files": "./nowhere"}, "there is no data set in ./nowhere"),
    ],
)
def test_what_cannot_work_is_one_sentence(config: Callable[..., Config], keys: dict[str, Any], sentence: str) -> None:
    assert sentence in read_refusal(config(**keys))


def test_a_dry_run_makes_the_first_images(config: Callable[..., Config]) -> None:
    found = dry_run(config(rewards__weights={"format": 1}), "stage1")
    assert found["rewards_of_the_truth"] == {"format": 1.0, "recognition": 1.0}
    assert found["questions"] == {}
    assert found["example"]["sample_id"].startswith("stream-")


def test_the_cold_start_learns_from_files(config: Callable[..., Config]) -> None:
    assert "the cold start learns from files" in read_refusal(config(trainer={"max_steps": 1}), "sft")
