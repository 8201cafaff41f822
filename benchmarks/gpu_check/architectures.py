"""The real architectures with random weights, in a folder, with a processor made here. Nothing is downloaded."""

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))
from training_memory import make_configurations  # the configurations that the memory is computed for

NAMES = ("Qwen3-VL-4B", "Qwen2.5-VL-7B")
MOST_PIXELS = 2_073_600
"""Of an image: 1920 x 1080, as in recipes/."""


def write_model(name: str, folder: Path, *, tiny: bool, device: str) -> list[int]:
    """Write a model with random weights, in bfloat16 or, on a CPU, in float32; give the tokens that stand for images.

    The tokenizer is the tiny models': it has no more than a thousand tokens, of a vocabulary as large as the real one.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    from refine_iqa_train.training.tiny_model import find_token_ids
    from refine_iqa_train.training.tiny_processor import build_tiny_processor

    config = make_configurations()[name]
    processor = build_tiny_processor(config.model_type, config.vision_config.patch_size, MOST_PIXELS)
    tokenizer = processor.tokenizer
    ids = find_token_ids(tokenizer)
    ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    for key, value in ids.items():
        setattr(config, key, value)
    for key, value in ends.items():
        setattr(config.text_config, key, value)
    if tiny:
        config = shrink(config, len(tokenizer))
    torch.manual_seed(0)
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    with torch.device(device):
        model = AutoModelForImageTextToText.from_config(config, dtype=dtype)
    for key, value in ends.items():
        setattr(model.generation_config, key, value)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    del model
    if device == "cuda":
        torch.cuda.empty_cache()
    return list(ids.values())


def shrink(config: Any, vocabulary: int) -> Any:
    """Make a configuration narrow and shallow: patches, positions and kinds of layers stay."""
    text = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "head_dim": 128,
        "vocab_size": vocabulary,
    }
    if config.model_type == "qwen2_5_vl":
        del text["head_dim"]  # it is hidden_size / num_attention_heads
        text["hidden_size"] = 128
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2}
    vision["out_hidden_size"] = text["hidden_size"]
    kinds = {"qwen3_vl": {"deepstack_visual_indexes": [0]}, "qwen2_5_vl": {"fullatt_block_indexes": [1]}}
    values = config.to_dict()
    values["text_config"] |= text
    values["text_config"].pop("layer_types", None)
    values["vision_config"] |= vision | kinds[config.model_type]
    return type(config)(**{key: value for key, value in values.items() if key != "model_type"})
