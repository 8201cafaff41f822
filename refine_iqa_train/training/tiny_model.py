"""Vision-language models of about a million weights, made in code: for tests, for a smoke run, for learning curves.

Three real architectures with random weights. Nothing is downloaded.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError, describe_unknown
from refine_iqa_train.training.tiny_processor import LLAVA_SIDE, MERGE, PATCH, build_tiny_processor

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["TINY_MODELS", "build_tiny_model", "find_token_ids", "save_tiny_model"]

HIDDEN, LAYERS, HEADS, HEAD = 128, 2, 4, 32
VISION_HIDDEN, VISION_DEPTH = 64, 3
"""Width and depth of the part that sees."""
TEXT_SPREAD = {"initializer_range": HIDDEN**-0.5}
VISION_SPREAD = {"initializer_range": VISION_HIDDEN**-0.5}
"""Of random weights: one over the root of the width. The usual 0.02 is meant for widths of thousands; with it a model
of this width hardly begins to see (docs/log.md)."""


def save_tiny_model(out: str | Path, family: str = "qwen3_vl", seed: int = 0) -> int:
    """Write a model of random weights with its processor to a folder.

    Parameters
    ----------
    out
        A folder that is new or empty.
    family
        One of `TINY_MODELS`.
    seed
        Of the weights.

    Returns
    -------
    int
        The number of its weights.

    Raises
    ------
    UserError
        For another family, and where the folder is in use.
    """
    if family not in TINY_MODELS:
        raise UserError(describe_unknown("family of tiny models", family, TINY_MODELS))
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is in use; choose another --out")
    processor = build_tiny_processor(family)
    model = build_tiny_model(family, processor.tokenizer, seed)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return sum(weight.numel() for weight in model.parameters())


def build_tiny_model(family: str, tokenizer: "PreTrainedTokenizerBase", seed: int = 0) -> "PreTrainedModel":
    """Build a model with random weights, the same ones for the same seed."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = TINY_MODELS[family](tokenizer)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.bos_token_id = None
    return model


def _text_values(tokenizer: "PreTrainedTokenizerBase", **more: object) -> dict[str, object]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": HIDDEN,
        "intermediate_size": 3 * HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": 4096,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "tie_word_embeddings": True,
        **TEXT_SPREAD,
        **more,
    }


def _vision_values(**more: object) -> dict[str, object]:
    return {
        "depth": VISION_DEPTH,
        "hidden_size": VISION_HIDDEN,
        "intermediate_size": 3 * VISION_HIDDEN,
        "num_heads": 4,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "out_hidden_size": HIDDEN,
        **VISION_SPREAD,
        **more,
    }


def find_token_ids(tokenizer: "PreTrainedTokenizerBase") -> dict[str, int]:
    """Find the ids of the tokens that stand for images, as the configurations of Qwen-VL models name them."""
    names = {"image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>"}
    names |= {"vision_start_token_id": "<|vision_start|>", "vision_end_token_id": "<|vision_end|>"}
    return {key: tokenizer.convert_tokens_to_ids(token) for key, token in names.items()}


def _rope_values(**more: object) -> dict[str, object]:
    third = HEAD // 2 // 4
    return {"rope_type": "default", "rope_theta": 1.0e4, "mrope_section": [HEAD // 2 - 2 * third, third, third], **more}


def _build_qwen3(tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedModel":
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    text = _text_values(tokenizer, head_dim=HEAD, rope_parameters=_rope_values(mrope_interleaved=True))
    vision = _vision_values(num_position_embeddings=24 * 24, deepstack_visual_indexes=[0])
    config = Qwen3VLConfig(
        text_config=text, vision_config=vision, tie_word_embeddings=True, **find_token_ids(tokenizer)
    )
    return Qwen3VLForConditionalGeneration(config)


def _build_qwen2_5(tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedModel":
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    vision = _vision_values(window_size=4 * PATCH * MERGE, fullatt_block_indexes=[VISION_DEPTH - 1])
    config = Qwen2_5_VLConfig(
        text_config=_text_values(tokenizer, rope_parameters=_rope_values()),
        vision_config=vision,
        tie_word_embeddings=True,
        **find_token_ids(tokenizer),
    )
    return Qwen2_5_VLForConditionalGeneration(config)


def _build_llava(tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedModel":
    from transformers import CLIPVisionConfig, LlavaConfig, LlavaForConditionalGeneration, Qwen2Config

    image = tokenizer.convert_tokens_to_ids("<image>")
    vision = CLIPVisionConfig(
        hidden_size=VISION_HIDDEN,
        intermediate_size=3 * VISION_HIDDEN,
        num_hidden_layers=VISION_DEPTH,
        num_attention_heads=4,
        image_size=LLAVA_SIDE,
        patch_size=PATCH,
        **VISION_SPREAD,
    )
    config = LlavaConfig(
        text_config=Qwen2Config(**_text_values(tokenizer)),
        vision_config=vision,
        image_token_index=image,
        image_token_id=image,
        vision_feature_layer=-1,
        tie_word_embeddings=True,
    )
    return LlavaForConditionalGeneration(config)


TINY_MODELS: "Mapping[str, Callable[[PreTrainedTokenizerBase], PreTrainedModel]]" = MappingProxyType(
    {"qwen3_vl": _build_qwen3, "qwen2_5_vl": _build_qwen2_5, "llava": _build_llava}
)
"""Architectures, by `model_type`."""
