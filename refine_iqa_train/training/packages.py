"""Packages that a configuration asks for and that do not come with the extra: missing ones are one sentence."""

import os
from collections.abc import Iterator
from importlib.util import find_spec

from distortlab.core.errors import UserError
from refine_iqa_train.config.schema import Config

__all__ = ["check_packages"]

OPTIMIZERS = (
    ("galore", "galore_torch", "galore-torch"),
    ("apollo", "apollo_torch", "apollo-torch"),
    ("lomo", "lomo_optim", "lomo-optim"),
    ("grokadamw", "grokadamw", "grokadamw"),
    ("schedule_free", "schedulefree", "schedulefree"),
    ("stable_adamw", "optimi", "torch-optimi"),
    ("adamw_torch_4bit", "torchao", "torchao"),
    ("adamw_torch_8bit", "torchao", "torchao"),
    ("bnb", "bitsandbytes", "bitsandbytes"),
    ("8bit", "bitsandbytes", "bitsandbytes"),
    ("paged", "bitsandbytes", "bitsandbytes"),
    ("ademamix", "bitsandbytes", "bitsandbytes"),
)
"""A part of the name of an optimizer, the module that it needs, and the package that has it; the first that fits."""


def check_packages(config: Config) -> None:
    """Check that the packages which a configuration asks for are installed.

    Raises
    ------
    UserError
        For the first that is not, and where a GPU is needed and none is there.
    """
    for key, module, package in _list_requirements(config):
        if find_spec(module) is None:
            raise UserError(f"{key} needs {module}, which is not installed: pip install {package}")
    if config.attention == "flash_attention_2":
        import torch

        if not torch.cuda.is_available():
            raise UserError("attention: flash_attention_2 needs a GPU, and none was found; use attention: sdpa")


def _list_requirements(config: Config) -> Iterator[tuple[str, str, str]]:
    trainer, tracker = config.trainer, config.watch.report_to
    if tracker != "none":
        yield f"watch.report_to: {tracker}", tracker, tracker
    if _is_on(trainer.get("use_vllm")):
        yield "trainer.use_vllm", "vllm", "vllm"
    if _is_on(trainer.get("use_liger_kernel")):
        yield "trainer.use_liger_kernel", "liger_kernel", "liger-kernel"
    if trainer.get("deepspeed") or os.environ.get("ACCELERATE_USE_DEEPSPEED", "false") == "true":
        yield "DeepSpeed (recipes/accelerate/zero3.yaml, trainer.deepspeed)", "deepspeed", "deepspeed"
    if config.attention == "flash_attention_2":
        yield "attention: flash_attention_2", "flash_attn", "flash-attn"
    if isinstance(kwargs := trainer.get("model_init_kwargs"), dict) and kwargs.get("use_kernels"):
        yield "trainer.model_init_kwargs.use_kernels", "kernels", "kernels"
    optimizer = str(trainer.get("optim", ""))
    for part, module, package in OPTIMIZERS:
        if part in optimizer:
            yield f"trainer.optim: {optimizer}", module, package
            return


def _is_on(value: object) -> bool:
    """Whether a switch is on: true, or text that TRL takes for it."""
    return value is True or str(value).lower() in ("yes", "on", "true", "y", "t", "1")
