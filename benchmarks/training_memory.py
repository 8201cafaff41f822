"""What fits where: `python benchmarks/training_memory.py` prints the table of docs/training.md.

Computed from the shapes of the real models; nothing is downloaded. What `make gpu-check` measured stands beside it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from refine_iqa_train.models.memory import MemoryEstimate, Workload, estimate_memory, measure_model_shape

IMAGE_TOKENS = {"Qwen2.5-VL-7B": 1_280, "Qwen3-VL-4B": 980}
"""Of an image of 1024 x 768 pixels, padded to 1120 x 896: 40 x 32 tokens of 28 pixels, 35 x 28 of 32 pixels."""
TEXT_TOKENS, COMPLETION, GROUP = 250, 1024, 8
GPUS = (24, 48, 80)
RESULTS = Path(__file__).parent / "gpu_check" / "results.json"


def make_configurations() -> dict[str, Any]:
    """As published in the models' config.json."""
    from transformers import Qwen2_5_VLConfig, Qwen3VLConfig

    older = Qwen2_5_VLConfig(
        text_config={
            "hidden_size": 3584,
            "intermediate_size": 18944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "vocab_size": 152064,
            "tie_word_embeddings": False,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1.0e6, "mrope_section": [16, 24, 24]},
        },
        vision_config={
            "depth": 32,
            "hidden_size": 1280,
            "intermediate_size": 3420,
            "out_hidden_size": 3584,
            "num_heads": 16,
            "patch_size": 14,
            "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31],
        },
        tie_word_embeddings=False,
    )
    newer = Qwen3VLConfig(
        text_config={
            "hidden_size": 2560,
            "intermediate_size": 9728,
            "num_hidden_layers": 36,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "vocab_size": 151936,
            "tie_word_embeddings": True,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 5.0e6,
                "mrope_section": [24, 20, 20],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 24,
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "out_hidden_size": 2560,
            "num_heads": 16,
            "patch_size": 16,
            "deepstack_visual_indexes": [5, 11, 17],
        },
        tie_word_embeddings=True,
    )
    return {"Qwen2.5-VL-7B": older, "Qwen3-VL-4B": newer}


WAYS = {
    "full, 1 GPU": {},
    "full, 8 GPUs (ZeRO-3, FSDP2)": {"shards": 8},
    "LoRA r 64, 1 GPU": {"lora": 64},
    "QLoRA r 64, 1 GPU": {"lora": 64, "four_bit": True},
}


Measured = Mapping[tuple[str, str], Mapping[str, Any]]
"""Rows of results of benchmarks/gpu_check by model and way: of both stages the one that took more memory."""


def read_measured(path: Path) -> Measured:
    """Read what was measured on a GPU; nothing where nothing was, or where tiny models stood in."""
    if not path.exists():
        return {}
    results = json.loads(path.read_text(encoding="utf-8"))
    rows = [row for row in results["rows"] if row["status"] == "measured" and not results["tiny"]]
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["peak_gib"]):
        found[row["model"], row["way"]] = row
    return found


def format_row(model: str, way: str, memory: MemoryEstimate, measured: Sequence[str] = ()) -> str:
    fitting = next((f"{gpu} GB" for gpu in GPUS if memory.total <= 0.93 * gpu), "none of these")
    parts = (memory.weights, memory.gradients + memory.optimizer, memory.activations, memory.cache, memory.total)
    return f"| {' | '.join([model, way, *(f'{part:.1f}' for part in parts), *measured, fitting])} |"


def format_table(measured: Measured) -> str:
    """Format what is computed as a table of Markdown, and beside it what was measured, where anything was."""
    columns = ["weights", "gradients, optimizer", "activations", "cache of rollouts", "together"]
    columns += ["measured", "s/step"] if measured else []
    heads = ["model", "training", *columns, "fits"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for model, config in make_configurations().items():
        shape = measure_model_shape(config)
        for way, keys in WAYS.items():
            prompt = IMAGE_TOKENS[model] + TEXT_TOKENS
            load = Workload(rows=GROUP, rollouts=GROUP, prompt=prompt, completion=COMPLETION, **keys)
            row, cells = measured.get((model, way)), ["-", "-"] if measured else []
            if row is not None:
                cells = [f"{row['peak_gib']:.1f}", f"{row['seconds']:.1f}"]
            name = f"{model} ({shape.weights / 1e9:.2f} B)"
            lines.append(format_row(name, way, estimate_memory(shape, load), cells))
    return "\n".join(lines)


def describe_source(measured: Measured) -> str:
    """The sentence above the table: whether anything in it was measured."""
    if not measured:
        return "Nothing was measured on a GPU yet: all of it is computed."
    return (
        '"Measured" is the peak of what PyTorch reserved, of both stages the larger one, beside "together", which is '
        "computed (benchmarks/gpu_check/results.json)."
    )


def render() -> str:
    """The sentence and the table, as they stand in docs/training.md."""
    measured = read_measured(RESULTS)
    return f"{describe_source(measured)}\n\n{format_table(measured)}"


if __name__ == "__main__":
    print(render())
