"""The configuration in TRL's terms: its arguments checked key by key, defaults for the machine at hand, adapters."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from distortlab.core.errors import UserError, describe_unknown
from refine_iqa_train.config.exploration import make_entropy_values
from refine_iqa_train.config.schema import Config, LoraRules, find_stream_recipe
from refine_iqa_train.config.trl_limits import check_value
from refine_iqa_train.models.families import ModelFamily

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import BitsAndBytesConfig
    from trl import GRPOConfig, SFTConfig

__all__ = ["REPLACED_KEYS", "make_grpo_arguments", "make_lora_config", "make_quantization_config", "make_sft_arguments"]

REPLACED_KEYS: Mapping[str, str] = {
    "output_dir": "out",
    "seed": "seed",
    "reward_weights": "rewards.weights",
    "report_to": "watch.report_to",
    "eval_strategy": "validation.every",
    "eval_steps": "validation.every",
    "eval_on_start": "validation.every",
    "do_eval": "validation.every",
    "num_generations_eval": "validation.generations",
    "per_device_eval_batch_size": "validation.batch",
    "resume_from_checkpoint": "resume",
    "push_to_hub": "hub.id",
    "hub_model_id": "hub.id",
    "hub_private_repo": "hub.private",
    "remove_unused_columns": "(always off: rewards need the columns)",
}
"""Keys of TRL that other keys of the configuration stand for."""

Arguments = TypeVar("Arguments")


def make_grpo_arguments(config: Config, weights: Mapping[str, float], processes: int = 1) -> "GRPOConfig":
    """Make the `GRPOConfig` of a stage.

    Parameters
    ----------
    config
        The run's.
    weights
        Of the rewards, in their order.
    processes
        How many train together.

    Raises
    ------
    UserError
        For keys and values that TRL would refuse later.
    """
    from trl import GRPOConfig

    values = _validate_keys(config, GRPOConfig)
    _check_groups(config, values, processes)
    if find_stream_recipe(config.data) is not None:
        _check_order(values)
        values["shuffle_dataset"] = False
    validation = config.validation
    if validation.every:
        values |= {
            "eval_strategy": "steps",
            "eval_steps": validation.every,
            "eval_on_start": True,
            "num_generations_eval": validation.generations,
            "per_device_eval_batch_size": validation.batch,
        }
    values["reward_weights"] = list(weights.values())
    values |= make_entropy_values(config.exploration, config.trainer)
    return _construct(GRPOConfig, {**_derive_values(config, values), **values})


def make_sft_arguments(config: Config) -> "SFTConfig":
    """Make the `SFTConfig` of the cold start. Raises `UserError` for keys and values that TRL does not take."""
    from trl import SFTConfig

    values = _validate_keys(config, SFTConfig)
    return _construct(SFTConfig, {"max_length": None, **_derive_values(config, values), **values})


def _validate_keys(config: Config, kind: type) -> dict[str, Any]:
    """The keys below `trainer`, known and of the right type; numbers may be written as text."""
    from pydantic import TypeAdapter, ValidationError

    known = {field.name: field for field in fields(kind) if field.init}
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in config.trainer.items():
        if key in REPLACED_KEYS:
            raise UserError(f"trainer.{key} is set by the key {REPLACED_KEYS[key]}")
        if key not in known:
            raise UserError(
                describe_unknown(f"key of {kind.__name__}", f"trainer.{key}", [f"trainer.{k}" for k in sorted(known)])
            )
        check_value(known[key], hints[key], value)
        try:
            values[key] = TypeAdapter(hints[key]).validate_python(value)
        except ValidationError as error:
            raise UserError(f"trainer.{key} = {value!r}: {error.errors()[0]['msg'].lower()}") from error
        except Exception:  # a type that pydantic does not know: TRL checks it
            values[key] = value
        check_value(known[key], hints[key], values[key])  # a number that was written as text
    return values


def _check_groups(config: Config, values: Mapping[str, Any], processes: int) -> None:
    """Whole groups in every batch, for training and for validation."""
    group = values.get("num_generations", 8)
    batch = values.get("per_device_train_batch_size", 8)
    steps = values.get("steps_per_generation") or values.get("gradient_accumulation_steps", 1)
    rollouts = values.get("generation_batch_size") or batch * processes * steps
    if group < 2:
        raise UserError(f"trainer.num_generations = {group}: a group needs at least 2 rollouts to compare")
    if rollouts % group:
        raise UserError(
            f"{rollouts} rollouts ({processes} processes x {batch} x {steps} steps) are no whole number of groups of "
            f"{group}: make trainer.per_device_train_batch_size (it counts rollouts) or "
            f"trainer.gradient_accumulation_steps fit, e.g. {_find_fitting_batch(group, processes, steps)} rollouts "
            "each"
        )
    rules = config.validation
    if rules.every and rules.batch * processes % rules.generations:
        raise UserError(
            f"validation.batch = {rules.batch} is no multiple of validation.generations = {rules.generations}"
        )


def _check_order(values: Mapping[str, Any]) -> None:
    """Items made fresh are trained on in the order of their numbers, by the process that hears of rewards."""
    for key, needed in (("shuffle_dataset", False), ("ignore_data_skip", False), ("dataloader_num_workers", 0)):
        if values.get(key, needed) != needed:
            raise UserError(
                f"trainer.{key} = {str(values[key]).lower()}: images that are made fresh come in the order of their "
                f"numbers, from the process that trains; leave trainer.{key} out"
            )


def _find_fitting_batch(group: int, processes: int, steps: int) -> int:
    return next(batch for batch in range(1, group + 1) if batch * processes * steps % group == 0)


def _derive_values(config: Config, values: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from the rest of the configuration and from the machine."""
    import torch

    init: dict[str, Any] = {"attn_implementation": config.attention, **(values.get("model_init_kwargs") or {})}
    if config.revision is not None:
        init["revision"] = config.revision
    gpu = torch.cuda.is_available() and not values.get("use_cpu")
    # Updates of full training at 1e-6 are lost in bfloat16 weights; adapters have float32 weights of their own.
    dtype = config.dtype if config.dtype != "auto" else ("bfloat16" if gpu and config.lora else "float32")
    shared = {
        "output_dir": config.out,
        "seed": config.seed,
        "report_to": config.watch.report_to,
        "project": "refine-iqa",
        "run_name": Path(config.out).name,
        # Where this is left out, transformers follows the level of its logger: TRANSFORMERS_VERBOSITY would decide.
        "disable_tqdm": False,
        "remove_unused_columns": False,
        "model_init_kwargs": {**init, "dtype": dtype},
    }
    if not gpu:
        shared |= {"use_cpu": True, "bf16": False, "gradient_checkpointing": False, "dataloader_pin_memory": False}
    return shared


def _construct(kind: Callable[..., Arguments], values: Mapping[str, object]) -> Arguments:
    try:
        with warnings.catch_warnings():
            # TRL 1.16 sets what transformers 5.23 calls by another name
            warnings.filterwarnings("ignore", message="`gradient_checkpointing", category=FutureWarning)
            return kind(**values)
    except (ValueError, TypeError, ImportError, OSError) as error:
        raise UserError(f"the keys below trainer do not go together: {' '.join(str(error).split())}") from error


# --- adapters -------------------------------------------------------------------------------------------------------


def make_lora_config(config: Config, family: ModelFamily) -> "LoraConfig | None":
    """Make the configuration of new adapters, or None: on all linear layers, on those that see only where asked for."""
    rules = config.lora
    if rules is None:
        return None
    from peft import LoraConfig

    vision_modules = None if rules.vision else rf".*\b(?:{'|'.join(family.vision)})\b.*"
    return LoraConfig(
        r=rules.r,
        lora_alpha=rules.alpha,
        lora_dropout=rules.dropout,
        target_modules="all-linear",
        exclude_modules=vision_modules,
        task_type="CAUSAL_LM",
        revision=config.revision,
    )


def make_quantization_config(rules: LoraRules | None) -> "BitsAndBytesConfig | None":
    """Make the configuration of 4-bit weights (NF4, double quantization, as in arXiv 2305.14314), or None.

    Raises
    ------
    UserError
        Where they are asked for, and there is no GPU or no bitsandbytes.
    """
    if rules is None or not rules.four_bit:
        return None
    import torch
    from transformers import BitsAndBytesConfig
    from transformers.utils import is_bitsandbytes_available

    if not (torch.cuda.is_available() and is_bitsandbytes_available()):
        raise UserError(
            "lora.four_bit needs a GPU and bitsandbytes (pip install bitsandbytes); or set lora.four_bit: false"
        )
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
