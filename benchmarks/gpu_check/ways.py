"""In which ways a model is trained, and the configuration of each."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GROUP = 8
"""Rollouts of a step, all of one question: those of the table in docs/training.md."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to train.

    Parameters
    ----------
    name
        As in the table of docs/training.md, where it has a row there.
    lora
        Rank of adapters; None: full training.
    four_bit, checkpointing
        4-bit weights; gradient checkpointing.
    attention
        Of the configuration.
    uses_vllm, is_sharded
        Rollouts by vLLM on the same GPU; FSDP2 on one process.
    package
        What must be installed for it.
    needs_gpu
        Whether it is left out on a CPU.
    """

    name: str
    lora: int | None = None
    four_bit: bool = False
    checkpointing: bool = True
    attention: str = "sdpa"
    uses_vllm: bool = False
    is_sharded: bool = False
    package: str | None = None
    needs_gpu: bool = False


WAYS = (
    Way("LoRA r 64, 1 GPU", lora=64),
    Way("LoRA r 64, 1 GPU, no gradient checkpointing", lora=64, checkpointing=False),
    Way(
        "LoRA r 64, 1 GPU, flash attention",
        lora=64,
        attention="flash_attention_2",
        package="flash_attn",
        needs_gpu=True,
    ),
    Way("LoRA r 64, 1 GPU, vLLM", lora=64, uses_vllm=True, package="vllm", needs_gpu=True),
    Way("QLoRA r 64, 1 GPU", lora=64, four_bit=True, package="bitsandbytes", needs_gpu=True),
    Way("full, 1 GPU"),
    Way("full, FSDP2 on one process", is_sharded=True, needs_gpu=True),
)


def make_run(
    way: Way,
    stage: str,
    model: Path,
    out: Path,
    data: Mapping[str, str],
    suppressed: Sequence[int],
    options: Namespace,
) -> dict[str, Any]:
    """Make the configuration of a run: one group of rollouts in a step.

    `suppressed` are tokens that stand for images, which random weights must not write.
    """
    vllm = {"use_vllm": True, "vllm_mode": "colocate", "vllm_enable_sleep_mode": True}
    bias: dict[str, Any] = {"suppress_tokens": list(suppressed)}
    if way.uses_vllm:
        bias = {"logit_bias": {str(token): -100.0 for token in suppressed}}
    trainer = {
        "max_steps": options.steps,
        "num_generations": GROUP,
        "per_device_train_batch_size": GROUP,
        "max_completion_length": options.completion,
        "learning_rate": 1.0e-6,
        "gradient_checkpointing": way.checkpointing,
        "generation_kwargs": bias,
        "logging_steps": 1,
        "save_strategy": "no",
        "disable_tqdm": True,
        **({"bf16": True} if options.device == "cuda" else {"use_cpu": True}),
        **(vllm if way.uses_vllm else {}),
    }
    rated = Path(data["rated"])
    sources = {
        "stage1": {"perception": data["perception"]},
        "stage2": {"rated": f"meta:{rated / 'train.json'}+norm", "rated_root": str(rated)},
    }
    lora = {} if way.lora is None else {"lora": {"r": way.lora, "dropout": 0.0, "four_bit": way.four_bit}}
    return {
        "model": str(model),
        "out": str(out),
        "attention": way.attention,
        "data": {**sources[stage], "check_images": False},
        "images": {"align": 224},
        "validation": {"every": 0},
        "watch": {"samples_every": 0},
        "trainer": trainer,
        **lora,
    }
