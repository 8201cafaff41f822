"""Which values TRL's keys can have: what TRL and transformers refuse only when the model is loaded, or never."""

import math
from collections.abc import Callable, Mapping
from dataclasses import Field
from typing import Any

from distortlab.core.config import is_misplaced_boolean
from distortlab.core.errors import UserError, describe_unknown

__all__ = ["CHOICES", "RANGES", "check_value"]

INFINITE = math.inf

RANGES: Mapping[str, tuple[float, float]] = {
    "adam_beta1": (0, 0.999999),
    "adam_beta2": (0, 0.9999999),
    "beta": (0, 100),
    "dataloader_num_workers": (0, 1024),
    "entropy_coef": (0, 100),
    "epsilon": (0, 100),
    "epsilon_high": (0, 100),
    "generation_batch_size": (1, INFINITE),
    "gradient_accumulation_steps": (1, INFINITE),
    "learning_rate": (0, 10),
    "max_completion_length": (1, INFINITE),
    "max_grad_norm": (0, INFINITE),
    "max_length": (1, INFINITE),
    "min_p": (0, 1),
    "num_iterations": (1, 1000),
    "per_device_train_batch_size": (1, INFINITE),
    "ref_model_mixup_alpha": (0, 1),
    "ref_model_sync_steps": (1, INFINITE),
    "save_total_limit": (1, INFINITE),
    "steps_per_generation": (1, INFINITE),
    "vllm_max_model_length": (1, INFINITE),
    "vllm_tensor_parallel_size": (1, 1024),
    "warmup_steps": (0, INFINITE),
    "weight_decay": (0, 10),
}
"""The least and the largest value."""

ABOVE_ZERO: Mapping[str, float] = {
    "adam_epsilon": 1,
    "delta": INFINITE,
    "logging_steps": INFINITE,
    "num_train_epochs": INFINITE,
    "repetition_penalty": 100,
    "sapo_temperature_neg": INFINITE,
    "sapo_temperature_pos": INFINITE,
    "save_steps": INFINITE,
    "temperature": 100,
    "top_entropy_quantile": 1,
    "top_p": 1,
    "vllm_gpu_memory_utilization": 1,
}
"""The largest value; the least is above 0."""

CHOICES: Mapping[str, tuple[object, ...]] = {
    "importance_sampling_level": ("token", "sequence"),
    "loss_type": ("bnpo", "cispo", "dapo", "dr_grpo", "grpo", "luspo", "sapo", "vespo"),
    "multi_objective_aggregation": ("sum_then_normalize", "normalize_then_sum"),
    "scale_rewards": ("group", "batch", "none", True, False),
    "vllm_importance_sampling_mode": ("token_truncate", "token_mask", "sequence_truncate", "sequence_mask"),
    "vllm_mode": ("colocate", "server"),
    "vllm_model_impl": ("vllm", "transformers"),
}
"""Names that `GRPOConfig` takes and GRPOTrainer does not know. Where a field has choices of its own, those count."""

CONDITIONS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "max_steps": (lambda value: value >= 1 or value == -1, "it is 1 or more, or -1: num_train_epochs decides"),
    "use_transformers_continuous_batching": (lambda value: not value, "not for models that see images; use_vllm is"),
    "use_transformers_paged": (lambda value: not value, "not for models that see images; use_vllm is"),
}


def check_value(field: Field[Any], hint: object, value: object) -> None:
    """Check a value of a key below `trainer` against the choices and ranges that TRL itself does not check.

    Parameters
    ----------
    field, hint
        The field of TRL's configuration, and its type.
    value
        As it was given.

    Raises
    ------
    UserError
        With one sentence about the key `trainer.NAME`.
    """
    name = field.name
    if is_misplaced_boolean(hint, value):
        raise UserError(
            f"trainer.{name} = {str(value).lower()}: input should be a number (YAML reads yes, no, on and off so)"
        )
    choices = field.metadata.get("choices") or CHOICES.get(name)
    if choices and value not in choices:
        raise UserError(describe_unknown(f"trainer.{name}", value, [str(choice) for choice in choices]))
    if name in CONDITIONS and not CONDITIONS[name][0](value):
        raise UserError(f"trainer.{name} = {value}: {CONDITIONS[name][1]}")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    low, high = RANGES.get(name, (-INFINITE, INFINITE))
    if math.isnan(value) or not low <= value <= high:
        raise UserError(f"trainer.{name} = {value} is outside {low} .. {high}")
    if name in ABOVE_ZERO and not 0 < value <= ABOVE_ZERO[name]:
        raise UserError(f"trainer.{name} = {value}; it is above 0" + _format_limit(ABOVE_ZERO[name]))


def _format_limit(high: float) -> str:
    return "" if high == INFINITE else f" and at most {high:g}"
