"""Which weights a run begins with: those of a model, adapters to train on, or a model with adapters merged in."""

import json
import shutil
from logging import getLogger
from pathlib import Path
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from distortlab.storage.atomic import read_json, write_json
from refine_iqa_train.config.schema import Config, LoraRules
from refine_iqa_train.models.adapters import (
    BASE,
    Adapter,
    attach_adapter,
    find_adapter,
    load_merged,
    load_whole_model,
    new_folder,
)
from refine_iqa_train.models.families import ModelFamily
from refine_iqa_train.models.identity import identify_files, identify_model
from refine_iqa_train.models.processors import load_processor
from refine_iqa_train.models.vision_weights import find_weight_files, replace_vision_weights
from refine_iqa_train.monitoring.results import MERGED_FROM, read_controls
from refine_iqa_train.training.merged_card import render_merged_card
from refine_iqa_train.training.trl_arguments import make_lora_config, make_quantization_config

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import Trainer
    from trl import GRPOConfig, SFTConfig

__all__ = [
    "check_adapter",
    "find_base_model",
    "is_continuing_adapter",
    "make_model_arguments",
    "merge_run",
    "restore_weights",
]


def is_continuing_adapter(config: Config, adapter: Adapter | None) -> bool:
    """Whether the adapters of the model are trained further; else they are merged, where there are some."""
    return adapter is not None and config.lora is not None and config.adapter != "merge"


def check_adapter(config: Config, family: ModelFamily) -> Adapter | None:
    """Find the adapters that `model` holds, or None. Raises `UserError` where they do not go with the configuration."""
    adapter = find_adapter(config.model, config.revision)
    if config.vision is not None and is_continuing_adapter(config, adapter):
        raise UserError(
            f"vision: {config.vision} would change the model under the adapters in {config.model}, which were trained "
            "on another one; adapter: merge adds them to its weights first"
        )
    if adapter is None:
        if config.adapter != "auto":
            raise UserError(f"adapter: {config.adapter}, and {config.model} holds no adapters; leave the key out")
        return None
    if config.lora is None and config.adapter == "continue":
        raise UserError(
            f"adapter: continue needs the key lora (r: {adapter.r}, alpha: {adapter.alpha}); without it the model is "
            "trained in full, which adapter: merge does"
        )
    if is_continuing_adapter(config, adapter):
        assert config.lora is not None
        _check_same(config.lora, adapter, family)
    return adapter


def _check_same(rules: LoraRules, adapter: Adapter, family: ModelFamily) -> None:
    """Adapters that are trained on keep their shape."""
    names = adapter.weight_names()
    adapter_rules = {
        "r": adapter.r,
        "alpha": adapter.alpha,
        "dropout": adapter.dropout,
        "vision": any(set(name.split(".")) & set(family.vision) for name in names) if names else rules.vision,
    }
    for key, value in adapter_rules.items():
        if getattr(rules, key) != value:
            configured, stored = json.dumps(getattr(rules, key)), json.dumps(value)
            raise UserError(
                f"lora.{key} = {configured}, and the adapters in {adapter.name} have {stored}: set lora.{key}: "
                f"{stored} to train them on, or adapter: merge to add them to the weights and begin with new ones"
            )


# --- for TRL --------------------------------------------------------------------------------------------------------


def make_model_arguments(
    config: Config, adapter: Adapter | None, family: ModelFamily, arguments: "GRPOConfig | SFTConfig"
) -> dict[str, object]:
    """Make `model`, `peft_config` and `quantization_config` for TRL's trainers.

    Merged weights, and a model that gets weights by `vision`, are written to a folder in `out` first: a model is loaded
    from there again as the reference of the KL term, by vLLM, and by whoever uses the new adapters.

    Parameters
    ----------
    config
        The run's.
    adapter, family
        The adapters that the model holds, and its family.
    arguments
        The trainer's.
    """
    if is_continuing_adapter(config, adapter):
        assert adapter is not None
        return {"model": _load_with_adapter(config, adapter, arguments)}
    is_as_it_is = adapter is None and config.vision is None
    return {
        "model": config.model if is_as_it_is else str(_compose_base(config, adapter)),
        "peft_config": make_lora_config(config, family),
        "quantization_config": make_quantization_config(config.lora),
    }


def restore_weights(trainer: "Trainer", checkpoint: Path) -> None:
    """Put the weights of a checkpoint into the model of a trainer that goes on in full training.

    Checkpoints have the names of the Hub, and transformers 5.23 loads them by the names of the model, leaving out what
    does not fit without an error (huggingface/transformers#43701): of Qwen2.5-VL and LLaVA everything. Adapters, and
    what FSDP and DeepSpeed save, have names of their own and are loaded as they should be.
    """
    from accelerate.utils import is_peft_model

    if trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled or is_peft_model(trainer.model):
        return
    messages = ("There were missing keys", "There were unexpected keys")
    getLogger("transformers.trainer").addFilter(lambda record: not record.getMessage().startswith(messages))
    saved = type(trainer.model).from_pretrained(checkpoint, dtype="auto")
    trainer.model.load_state_dict(saved.state_dict())


def _load_with_adapter(config: Config, adapter: Adapter, arguments: "GRPOConfig | SFTConfig") -> "PeftModel":
    """As TRL loads a model that it is given by name, with the adapters on it."""
    from trl.trainer.utils import create_model_from_path

    options = {**(arguments.model_init_kwargs or {}), "revision": adapter.base_revision}
    arguments.model_init_kwargs = None  # TRL warns that they are of no use to a model that is there
    quantized = make_quantization_config(config.lora)
    if quantized is not None:
        options["quantization_config"] = quantized
    if arguments.distributed_state.distributed_type in ("MULTI_GPU", "DEEPSPEED"):
        options["device_map"] = None
    plugin = arguments.deepspeed_plugin
    mixed = plugin is None or plugin.zero_stage != 3 or quantized is not None
    model = create_model_from_path(adapter.base, **options)
    return attach_adapter(model, adapter, is_trainable=True, same_dtype=not mixed)


def find_base_model(config: Config, adapter: Adapter | None) -> str:
    """The model whose weights are trained, or stay as they are under adapters: a folder or a name on the Hub."""
    if adapter is not None and is_continuing_adapter(config, adapter):
        return adapter.base
    return config.model if adapter is None and config.vision is None else str(Path(config.out) / BASE)


def _compose_base(config: Config, adapter: Adapter | None) -> Path:
    """`out/base`: made by the main process, and used again where a run goes on."""
    from accelerate import PartialState

    folder = Path(config.out) / BASE
    if adapter is None:
        source = {"base": identify_model(config.model, config.revision)}
    else:
        source = _identify_parts(adapter)
    if config.vision is not None:
        source["vision"] = identify_files(find_weight_files(config.vision))
    with PartialState().main_process_first():
        if read_json(folder / MERGED_FROM) != source:
            if folder.exists():
                shutil.rmtree(folder)
            with new_folder(folder) as hidden:
                _write_composed(config, adapter, hidden)
                write_json(hidden / MERGED_FROM, source)
    return folder


def _identify_parts(adapter: Adapter) -> dict[str, str]:
    return {"adapters": identify_model(adapter.name, adapter.revision), "base": identify_model(adapter.base)}


def _write_composed(config: Config, adapter: Adapter | None, folder: Path) -> None:
    processor, family = load_processor(config.model, config.revision)
    model = load_whole_model(config.model, config.revision) if adapter is None else load_merged(adapter)
    if config.vision is not None:
        replace_vision_weights(config.vision, model, family, config.model)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


# --- merge ----------------------------------------------------------------------------------------------------------


def merge_run(run: str, out: Path) -> Adapter:
    """Write the weights of a model with the adapters of a run merged in, its processor and a card; of the run of a
    control, marked as that.

    Parameters
    ----------
    run
        The folder of the run, or its name on the Hub.
    out
        A folder that is new or empty.

    Raises
    ------
    UserError
        Where the run holds no adapters, or `out` is in use.
    """
    adapter = find_adapter(run)
    if adapter is None:
        raise UserError(
            f"there is nothing to merge: {run} is a whole model"
            if (Path(run) / "config.json").exists()
            else f"{run} holds no adapters (there is no adapter_config.json)"
        )
    with new_folder(out) as hidden:
        processor, _ = load_processor(adapter.name, adapter.revision)
        load_merged(adapter).save_pretrained(hidden)
        processor.save_pretrained(hidden)
        controls = read_controls(run)
        marks = {"controls": controls} if controls else {}
        write_json(hidden / MERGED_FROM, {**_identify_parts(adapter), **marks})
        (hidden / "README.md").write_text(render_merged_card(adapter, controls), encoding="utf-8")
    return adapter
