"""What fits where: `python benchmarks/training_memory.py` prints the table of docs/training.md.

Computed from the shapes of the real models; nothing is downloaded.
"""

from typing import Any

from refine_iqa_train.models.memory import MemoryEstimate, Workload, estimate_memory, measure_model_shape

IMAGE_TOKENS = {"Qwen2.5-VL-7B": 1_280, "Qwen3-VL-4B": 980}
"""Of an image of 1024 x 768 pixels, padded to 1120 x 896: 40 x 32 tokens of 28 pixels, 35 x 28 of 32 pixels."""
TEXT_TOKENS, COMPLETION, GROUP = 250, 1024, 8
GPUS = (24, 48, 80)


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
        },
        vision_config={"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": 3584},
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
        },
        vision_config={
            "depth": 24,
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "out_hidden_size": 2560,
            "num_heads": 16,
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


def format_row(model: str, way: str, memory: MemoryEstimate) -> str:
    fitting = next((f"{gpu} GB" for gpu in GPUS if memory.total <= 0.93 * gpu), "none of these")
    parts = (memory.weights, memory.gradients + memory.optimizer, memory.activations, memory.cache, memory.total)
    return f"| {model} | {way} | " + " | ".join(f"{part:.1f}" for part in parts) + f" | {fitting} |"


def main() -> None:
    print("| model | training | weights | gradients, optimizer | activations | cache of rollouts | together | fits |")
    print("|---|---|---|---|---|---|---|---|")
    for model, config in make_configurations().items():
        shape = measure_model_shape(config)
        for way, keys in WAYS.items():
            prompt = IMAGE_TOKENS[model] + TEXT_TOKENS
            load = Workload(rows=GROUP, rollouts=GROUP, prompt=prompt, completion=COMPLETION, **keys)
            print(format_row(f"{model} ({shape.weights / 1e9:.2f} B)", way, estimate_memory(shape, load)))


if __name__ == "__main__":
    main()
