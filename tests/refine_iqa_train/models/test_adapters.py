"""Adapters are taken as a model everywhere: through the stages, in the harness, merged; and what is refused."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from trainer_runs import encode_question

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.config.schema import Config, HubRules, LoraRules
from refine_iqa_train.models.adapters import attach_adapter, find_adapter
from refine_iqa_train.models.families import FAMILIES
from refine_iqa_train.models.processors import load_processor
from refine_iqa_train.monitoring.results import read_controls
from refine_iqa_train.training.dry_run import dry_run
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.train import train
from refine_iqa_train.training.weights import check_adapter, merge_run

FAMILY = FAMILIES["qwen3_vl"]
TRAINER = {"max_steps": 1, "per_device_train_batch_size": 4, "save_steps": 1, "disable_tqdm": True}


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    return run_file({**TRAINER, "learning_rate": 1e-2}, lora={"r": 4}, validation={"every": 0})


def make_adapters(base: Path, out: Path, family: str = "qwen3_vl", **rules: Any) -> Path:
    """Adapters as a run would leave them, all weights drawn, without a processor."""
    from peft import get_peft_model
    from transformers import AutoModelForImageTextToText

    from refine_iqa_train.training.trl_arguments import make_lora_config

    model = AutoModelForImageTextToText.from_pretrained(base)
    config = Config(str(base), str(out), lora=LoraRules(**{"r": 4, "alpha": 8, "dropout": 0.0, **rules}))
    with warnings.catch_warnings():  # peft asks for what transformers calls by another name
        warnings.filterwarnings("ignore", message="`(is_)?gradient_checkpointing`", category=FutureWarning)
        model = get_peft_model(model, make_lora_config(config, FAMILIES[family]))
    generator = torch.Generator().manual_seed(0)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data = torch.randn(weight.shape, generator=generator) * 0.2
    model.save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def adapters(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_adapters(tiny("qwen3_vl"), tmp_path_factory.mktemp("adapters") / "run")


def config_of(model: Path, out: Path, **keys: Any) -> Config:
    return Config(str(model), str(out), **keys)


def logits(model: Any, processor: Any) -> torch.Tensor:
    batch = encode_question(processor, "How good is it?", (96, 128))
    with torch.no_grad():
        found: torch.Tensor = model.eval()(**batch).logits
    return found


def opened(folder: Path) -> Any:
    from transformers import AutoModelForImageTextToText

    return AutoModelForImageTextToText.from_pretrained(folder)


def with_adapters(folder: Path) -> Any:
    adapter = find_adapter(str(folder))
    assert adapter is not None
    return attach_adapter(opened(Path(adapter.base)), adapter)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


# --- through the stages ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_from_a_cold_start_through_both_stages_to_a_merged_model(file: Path, rated: Path, tmp_path: Path) -> None:
    from refine_bench.models.huggingface import HuggingFace

    sft, one, two, merged = (tmp_path / name for name in ("sft", "one", "two", "merged"))
    keys = {"num_generations", "max_completion_length"}
    start = load_config(file, {"out": str(sft)})
    trainer = {key: value for key, value in start.trainer.items() if key not in keys}
    train(load_config(file, {"out": str(sft), "trainer": trainer}), "sft")
    train(load_config(file, {"model": str(sft), "out": str(one)}), "stage1")
    scoring = {"data.rated": f"meta:{rated / 'train.json'}+norm", "data.rated_root": str(rated)}
    rules = {**scoring, "data.perception_share": 0.5, "trainer.beta": 0.1}
    train(load_config(file, {**rules, "model": str(one), "out": str(two)}), "stage2")
    model = Path(start.model)
    assert all(
        json.loads((run / "adapter_config.json").read_text())["base_model_name_or_path"] == str(model)
        for run in (sft, one, two)
    )
    assert not (two / "ref").exists()
    assert any(weight.any() for name, weight in weights(sft).items() if "lora_B" in name)
    for before, after in ((sft, one), (one, two)):  # the same adapters, one step of 0.01 further at most
        torch.testing.assert_close(weights(before), weights(after), rtol=0, atol=0.011)
    merge_run(str(two), merged)
    processor, _ = load_processor(str(merged))
    torch.testing.assert_close(
        logits(opened(merged), processor), logits(with_adapters(two), processor), rtol=0, atol=1e-4
    )
    assert HuggingFace(str(two)).about["adapters_for"] == str(model)
    HuggingFace(str(merged))


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_the_reference_of_the_kl_term_is_the_policy_that_training_began_with(
    adapters: Path, file: Path, beta: float
) -> None:
    """Before the first update the distance to it is 0: it is not the model without adapters."""
    from refine_iqa_train.training.train import _make_grpo_trainer

    config = load_config(
        file, {"model": str(adapters), "lora.alpha": 8, "lora.dropout": 0, "trainer.beta": beta, "trainer.max_steps": 1}
    )
    run = prepare(config, "stage1")
    trainer = _make_grpo_trainer(run)
    trained = {name for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    assert trained
    assert not [name for name in trained if ".ref." in name or "lora_" not in name]
    trainer.train()
    seen = [entry["kl"] for entry in trainer.state.log_history if "kl" in entry]
    assert seen == ([] if beta == 0 else [pytest.approx(0, abs=1e-6)])


@pytest.mark.slow
def test_adapters_are_merged_where_the_configuration_says_so(adapters: Path, file: Path) -> None:
    """New adapters of another shape on the merged weights: what is saved names them as its model, wherever it lies."""
    config = load_config(file, {"model": str(adapters), "lora.r": 2, "adapter": "merge", "trainer.beta": 0.1})
    train(config, "stage1")
    out = Path(config.out)
    saved = json.loads((out / "adapter_config.json").read_text())
    assert (saved["r"], saved["base_model_name_or_path"]) == (2, str(out / "base"))
    processor, _ = load_processor(str(out))
    torch.testing.assert_close(
        logits(opened(out / "base"), processor), logits(with_adapters(adapters), processor), rtol=0, atol=1e-4
    )
    moved = out.rename(out.with_name("moved"))
    found = find_adapter(str(moved))
    assert found is not None
    assert found.base == str(moved / "base")


@pytest.mark.slow
def test_in_full_from_adapters(adapters: Path, file: Path) -> None:
    config = load_config(file, {"model": str(adapters), "lora": None, "trainer.beta": 0.1})
    train(config, "stage1")
    out = Path(config.out)
    assert (out / "model.safetensors").exists()
    assert not (out / "base").exists()
    history = json.loads((out / "trainer_state.json").read_text())["log_history"]
    assert [entry["kl"] for entry in history if "kl" in entry] == [pytest.approx(0, abs=1e-6)]


# --- a model like others --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rules"),
    [("qwen3_vl", {}), ("qwen3_vl", {"vision": True}), ("qwen2_5_vl", {"vision": True}), ("llava", {})],
)
def test_a_merged_model_says_what_the_adapters_say(tiny: Any, tmp_path: Path, name: str, rules: dict[str, Any]) -> None:
    run = make_adapters(tiny(name), tmp_path / "run", name, **rules)
    merged = tmp_path / "merged"
    assert merge_run(str(run), merged).base == str(tiny(name))
    processor, family = load_processor(str(merged))
    assert family == FAMILIES[name]
    assert (merged / "model.safetensors").exists()
    plain, one, two = (logits(m, processor) for m in (opened(tiny(name)), opened(merged), with_adapters(run)))
    torch.testing.assert_close(one, two, rtol=0, atol=1e-4)
    assert (one - plain).abs().max() > 0.1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_command_line_merges_and_the_harness_answers(adapters: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from refine_bench.models.huggingface import HuggingFace
    from refine_iqa_train.cli import app

    result = CliRunner().invoke(app, ["merge", str(adapters), "--out", str(tmp_path / "m"), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["adapters"] == str(adapters)
    one, two = HuggingFace(str(adapters)), HuggingFace(str(tmp_path / "m"))
    assert " on folder " in one.revision
    assert one.revision != two.revision
    processor, _ = load_processor(str(tmp_path / "m"))
    torch.testing.assert_close(logits(one._model, processor), logits(two._model, processor), rtol=0, atol=1e-4)


def test_a_model_merged_from_a_control_is_marked(adapters: Path, tmp_path: Path) -> None:
    run, merged, plain = tmp_path / "run", tmp_path / "merged", tmp_path / "plain"
    shutil.copytree(adapters, run)
    sentence = "rewards are permuted among the answers to each question (rewards.shuffle: group)"
    (run / "run.json").write_text(json.dumps({"controls": [sentence]}))
    for source, out in ((run, merged), (adapters, plain)):
        merge_run(str(source), out)
    card, other = ((folder / "README.md").read_text() for folder in (merged, plain))
    assert read_controls(merged) == [sentence]
    assert f"> **CONTROL, not a model to use**: {sentence}." in card
    assert "- control\n" in card
    assert read_controls(plain) == []
    assert "control" not in other.lower()
    assert f"adapters of `{adapters}` (rank 4)" in other
    assert yaml.safe_load(other.split("---")[1])["library_name"] == "transformers"


def test_the_dry_run_reads_adapters(adapters: Path, file: Path, tiny: Any) -> None:
    base = dry_run(load_config(file, {"lora.alpha": 8, "lora.dropout": 0}), "stage1")
    found = dry_run(load_config(file, {"model": str(adapters), "lora.alpha": 8, "lora.dropout": 0}), "stage1")
    assert found["family"] == "qwen3_vl"
    assert found["memory_gib_computed"] == base["memory_gib_computed"]


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"lora": LoraRules(r=8, alpha=8, dropout=0)}, "lora.r = 8, and the adapters in {} have 4: set lora.r: 4"),
        ({"lora": LoraRules(r=4, alpha=16, dropout=0)}, "set lora.alpha: 8 to train them on, or adapter: merge"),
        (
            {"lora": LoraRules(r=4, alpha=8, dropout=0, vision=True)},
            "lora.vision = true, and the adapters in {} have false",
        ),
        ({"adapter": "continue"}, "adapter: continue needs the key lora (r: 4, alpha: 8)"),
    ],
)
def test_adapters_that_do_not_go_with_the_configuration(
    adapters: Path, tmp_path: Path, keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError) as caught:
        check_adapter(config_of(adapters, tmp_path / "out", **keys), FAMILY)
    assert sentence.format(adapters) in str(caught.value)


@pytest.mark.parametrize("adapter", ["continue", "merge"])
def test_no_adapters_to_continue_or_merge(tiny: Any, tmp_path: Path, adapter: Any) -> None:
    with pytest.raises(UserError, match="holds no adapters; leave the key out"):
        check_adapter(config_of(tiny("qwen3_vl"), tmp_path / "out", adapter=adapter), FAMILY)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"base_model_name_or_path": "/nowhere/model"}, "belong to the model /nowhere/model, which is not there"),
        ({"base_model_name_or_path": "nobody/model"}, "the model nobody/model of the adapters in"),
        ({"base_model_name_or_path": None}, "do not say which model they belong to"),
        ({"peft_type": "IA3"}, "are of the kind IA3"),
        ({"r": "four"}, "adapter_config.json cannot be read"),
    ],
)
def test_adapters_without_their_model(adapters: Path, tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    folder = Path(shutil.copytree(adapters, tmp_path / "copy"))
    values = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**values, **changes}))
    for read in (lambda: load_processor(str(folder)), lambda: merge_run(str(folder), tmp_path / "merged")):
        with pytest.raises(UserError) as caught:
            read()
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "merged").exists()


def test_adapters_of_adapters(adapters: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(adapters, tmp_path / "copy"))
    values = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**values, "base_model_name_or_path": str(adapters)}))
    with pytest.raises(UserError, match="holds adapters itself: python -m refine_iqa_train merge"):
        find_adapter(str(folder))


def test_adapters_that_lack_weights_are_not_filled_up(adapters: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    folder = Path(shutil.copytree(adapters, tmp_path / "copy"))
    kept = dict(list(weights(folder).items())[2:])
    save_file(kept, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"do not fit .*Found missing adapter keys"):
        merge_run(str(folder), tmp_path / "merged")


def test_what_cannot_be_merged(adapters: Path, tiny: Any, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("kept")
    with pytest.raises(UserError, match="is in use"):
        merge_run(str(adapters), tmp_path / "used")
    assert (tmp_path / "used" / "file").read_text() == "kept"
    with pytest.raises(UserError, match="is a whole model"):
        merge_run(str(tiny("qwen3_vl")), tmp_path / "m")
    with pytest.raises(UserError, match="holds no adapters"):
        merge_run(str(tmp_path / "used"), tmp_path / "m")


def test_adapters_for_a_folder_are_of_no_use_on_the_hub(file: Path) -> None:
    with pytest.raises(UserError, match="a folder of this machine, would be of no use to others"):
        prepare(load_config(file, {"hub.id": "me/model"}), "stage1")
    assert HubRules().id is None
