"""What cannot work is one sentence before the model is loaded: rows, splits, TRL's keys, packages, switches."""

import inspect
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from distortlab.core.errors import UserError
from refine_iqa_train.config.overrides import parse_overrides
from refine_iqa_train.config.schema import Config, load_config
from refine_iqa_train.config.trl_limits import ABOVE_ZERO, CHOICES, CONDITIONS, RANGES
from refine_iqa_train.training import train as train_module
from refine_iqa_train.training.packages import OPTIMIZERS, check_packages
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.train import train
from refine_iqa_train.training.trl_arguments import make_grpo_arguments


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    return run_file({"max_steps": 2, "per_device_train_batch_size": 8})


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that comes as far as the model has failed."""

    def loaded(*_: Any) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(train_module, "_make_grpo_trainer", loaded)
    monkeypatch.setattr(train_module, "_make_sft_trainer", loaded)


def refused(config: Config, stage: str = "stage1") -> str:
    with pytest.raises(UserError) as caught:
        train(config, stage)
    assert "\n" not in str(caught.value)
    assert not Path(config.out).exists()
    return str(caught.value)


# --- rows -----------------------------------------------------------------------------------------------------------

Change = Callable[[Any, str], Any]


def changed(
    column: str, value: Any, part: str = "train", task: str | None = None
) -> Callable[[pa.Table, str], pa.Table]:
    """A table in which one column has another value, in all rows of a split, or of one task in it."""

    def change(table: pa.Table, name: str) -> pa.Table:
        if not name.startswith(part):
            return table
        tasks = table.column("task").to_pylist()
        values = [
            value if task in (None, asked) else old
            for asked, old in zip(tasks, table.column(column).to_pylist(), strict=True)
        ]
        place = table.schema.get_field_index(column)
        return table.set_column(place, column, pa.array(values, type=table.schema.field(column).type))

    return change


def emptied(part: str) -> Callable[[pa.Table, str], pa.Table]:
    return lambda table, name: table.slice(0, 0) if name.startswith(part) else table


def without(column: str, part: str) -> Callable[[pa.Table, str], pa.Table]:
    return lambda table, name: table.drop_columns([column]) if name.startswith(part) else table


DAMAGE = {
    "train is empty": (emptied("train"), "is not whole: one of its files holds no rows"),
    "validation is empty": (emptied("validation"), "is not whole: one of its files holds no rows"),
    "a column is missing in validation": (without("solution", "validation"), "the row validation-"),
    "a column is missing in train": (without("prompt", "train"), "prompt is None"),
    "no images": (changed("images", []), "there are 0 images, and a question of"),
    "images are null": (changed("images", None, "validation"), "there are 0 images"),
    "grounding without a box": (changed("bbox", None, task="grounding"), "bbox is None, and a question of grounding"),
    "a box outside": (changed("bbox", [5, 5, 900, 20], task="grounding"), "and the image has 160 x"),
    "a box without area": (changed("bbox", [5, 5, 5, 20], task="grounding"), "bbox is [5, 5, 5, 20]"),
    "prompt is null": (changed("prompt", None), "prompt is None"),
    "prompt is empty": (changed("prompt", [], "validation"), "prompt is []"),
    "prompt has no text": (changed("prompt", [{"role": "user", "content": None}]), "the last of them with text"),
    "solution is null": (changed("solution", None), "solution is None"),
    "solution is no answer": (changed("solution", "who knows", task="recognition"), "that is no answer to a question"),
    "task is null": (changed("task", None), "no task called None"),
    "sample_id is null": (changed("sample_id", None), "sample_id is None"),
    "distortion is unknown": (changed("distortion", "moire"), "distortion is 'moire', and it is one of blur, noise"),
    "one image of two": (changed("task", "recognition_reference", task="recognition"), "shows 2"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_rows_that_cannot_be_asked(file: Path, perception: Path, tmp_path: Path, damage: str) -> None:
    change, sentence = DAMAGE[damage]
    folder = Path(shutil.copytree(perception, tmp_path / "data", ignore=shutil.ignore_patterns("MANIFEST.json")))
    for path in (folder / "rft").glob("*.parquet"):
        pq.write_table(change(pq.read_table(path), path.name).replace_schema_metadata(None), path)
    assert sentence in refused(load_config(file, {"data.perception": str(folder)}))


def test_in_a_stream_they_stop_the_run(file: Path, perception: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(perception, tmp_path / "data", ignore=shutil.ignore_patterns("MANIFEST.json")))
    for path in (folder / "rft").glob("train-*.parquet"):
        table = changed("images", [])(pq.read_table(path), path.name)
        pq.write_table(table.replace_schema_metadata(None), path)
    run = prepare(load_config(file, {"data.perception": str(folder), "data.streaming": True}), "stage1")
    with pytest.raises(UserError, match="there are 0 images"):
        next(iter(run.data.train))


def test_scores_that_are_all_equal_have_no_range(file: Path, tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (64, 64)).save(tmp_path / f"{number}.png")
    listed = [{"image": f"{number}.png", "gt_score": 42.0} for number in range(3)]
    (tmp_path / "a.json").write_text(json.dumps(listed))
    keys = {
        "data.rated": f"meta:{tmp_path / 'a.json'}+score",
        "data.rated_root": str(tmp_path),
        "data.perception": None,
    }
    config = load_config(file, {**keys, "data.mos_range": "observed", "validation.every": 0})
    assert "all 3 scores are equal, and data.mos_range: observed has no range" in refused(config, "stage2")


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"data.families": ["moire"]}, "no family called 'moire' (data.families); known: blur, noise, compression"),
        ({"data.perception_share": 1.0}, "data.perception_share = 1.0; it lies between 0 and 1 and is neither"),
        ({"data.perception_share": 0}, "it lies between 0 and 1"),
        ({"validation.every": True}, "validation.every = true: input should be a number"),
        ({"rewards.weights.format": True}, "rewards.weights.format = true: input should be a number"),
        ({"rewards.digits": [True, 0, 0]}, "rewards.digits[0] = true: input should be a number"),
        ({"data.limit": False}, "data.limit = false: input should be a number"),
        ({"lora.r": True}, "lora.r = true: input should be a number"),
        ({"seed": True}, "seed = true"),
        ({"seed": -1}, "seed = -1 is outside"),
    ],
)
def test_keys_that_were_taken_without_a_word(file: Path, keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        load_config(file, keys)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [("no", "save_strategy", "no"), ("no", "gradient_checkpointing", False), ("on", "gradient_checkpointing", True)],
)
def test_no_is_a_word_where_words_are_allowed_and_a_switch_elsewhere(
    file: Path, words: str, key: str, value: object
) -> None:
    """YAML 1.1 reads it as false, of which TRL's save_strategy knows nothing."""
    config = load_config(file, parse_overrides([f"--trainer.{key}", words, "--resume", "no"]))
    assert getattr(make_grpo_arguments(config, {"format": 1.0}), key) == value
    assert config.resume == "no"


@pytest.mark.usefixtures("_nothing_installed")
def test_a_switch_that_is_off_needs_no_package(file: Path) -> None:
    check_packages(load_config(file, parse_overrides(["--trainer.use_vllm", "no"])))
    with pytest.raises(UserError, match="vllm"):
        check_packages(load_config(file, parse_overrides(["--trainer.use_vllm", "yes"])))


def test_switches_stay_switches(file: Path) -> None:
    config = load_config(file, {"data.streaming": True, "frozen_vision": False, "validation.every": 0})
    assert config.data.streaming
    assert not config.frozen_vision


INFINITE = float("inf")
OUTSIDE = [(name, value) for name in RANGES for value in (-1, float("nan"), True, "-1")]
OUTSIDE += [(name, INFINITE) for name, (_, high) in RANGES.items() if high < INFINITE]


@pytest.mark.parametrize(("name", "outside"), OUTSIDE)
def test_numbers_of_trl_outside_their_range(file: Path, name: str, outside: Any) -> None:
    stage = "sft" if name == "max_length" else "stage1"
    keys = {"trainer": {name: outside}} if stage == "sft" else {f"trainer.{name}": outside}
    assert f"trainer.{name} = " in refused(load_config(file, keys), stage)


@pytest.mark.parametrize("name", ABOVE_ZERO)
@pytest.mark.parametrize("outside", [0, -1, float("nan")])
def test_numbers_of_trl_that_are_above_zero(file: Path, name: str, outside: float) -> None:
    assert f"trainer.{name} = " in refused(load_config(file, {f"trainer.{name}": outside}))


@pytest.mark.parametrize("name", CHOICES)
def test_names_that_trl_does_not_know(file: Path, name: str) -> None:
    assert f"no trainer.{name} called 'foo'; known: " in refused(load_config(file, {f"trainer.{name}": "foo"}))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"trainer.max_steps": 0}, "trainer.max_steps = 0: it is 1 or more, or -1"),
        ({"trainer.use_transformers_continuous_batching": True}, "not for models that see images"),
        ({"trainer.optim": "foo"}, "foo is not a valid OptimizerNames"),
        ({"trainer.lr_scheduler_type": "foo"}, "foo is not a valid SchedulerType"),
        ({"revision": "main"}, "revision: main is for models on the Hub"),
    ],
)
def test_other_keys_that_cannot_work(file: Path, keys: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(load_config(file, keys))


def test_out_is_a_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file; give a folder"):
        train(load_config(file, {"out": str(tmp_path / "file")}), "stage1")


def test_the_losses_are_those_of_trl() -> None:
    from trl import GRPOTrainer

    source = inspect.getsource(GRPOTrainer._compute_loss)
    found = set(re.findall(r'self\.loss_type == "(\w+)"', source))
    for several in re.findall(r"self\.loss_type in \[([^\]]*)\]", source):
        found |= set(re.findall(r'"(\w+)"', several))
    assert found == set(CHOICES["loss_type"])


def test_every_limit_is_of_a_key_of_trl() -> None:
    from trl import GRPOConfig, SFTConfig

    known = {**GRPOConfig.__dataclass_fields__, **SFTConfig.__dataclass_fields__}
    assert {*RANGES, *ABOVE_ZERO, *CHOICES, *CONDITIONS} <= set(known)


# --- packages -------------------------------------------------------------------------------------------------------


@pytest.fixture
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refine_iqa_train.training.packages.find_spec", lambda name: None)


@pytest.mark.usefixtures("_nothing_installed")
@pytest.mark.parametrize(
    ("keys", "package"),
    [
        ({"attention": "flash_attention_2"}, "flash-attn"),
        ({"trainer.use_liger_kernel": True}, "liger-kernel"),
        ({"trainer.deepspeed": "ds.json"}, "deepspeed"),
        ({"trainer.use_vllm": True}, "vllm"),
        ({"watch.report_to": "trackio"}, "trackio"),
        ({"trainer.model_init_kwargs": {"use_kernels": True}}, "kernels"),
        ({"trainer.optim": "paged_adamw_8bit"}, "bitsandbytes"),
        ({"trainer.optim": "galore_adamw"}, "galore-torch"),
    ],
)
def test_packages_that_are_missing(file: Path, keys: dict[str, Any], package: str) -> None:
    assert refused(load_config(file, keys)).endswith(f"which is not installed: pip install {package}")


@pytest.mark.usefixtures("_nothing_installed")
def test_accelerate_asks_for_deepspeed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    assert "needs deepspeed, which is not installed" in refused(load_config(file))


def test_every_optimizer_that_needs_a_package_is_one_of_transformers() -> None:
    from transformers.training_args import OptimizerNames

    names = [kind.value for kind in OptimizerNames]
    for part, _, _ in OPTIMIZERS:
        assert [name for name in names if part in name], part
