"""Vision-language models of about a million weights, made in code: for tests, for a smoke run, for learning curves.

Three real architectures with random weights, a tokenizer that spells digits one by one as Qwen's does, and a
processor. Nothing is downloaded.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError, describe_unknown
from distortlab.tasks import grounding, quality, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.answer import format_completion
from distortlab.tasks.terms import FAMILIES
from refine_iqa_train.data.cold_start import write_thinking
from refine_iqa_train.models.processors import make_image_only_class

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

__all__ = ["TINY_MODELS", "build_tiny_model", "build_tiny_processor", "build_tiny_tokenizer", "save_tiny_model"]

PATCH, MERGE = 8, 2
HIDDEN, LAYERS, HEADS, HEAD = 128, 2, 4, 32
VISION_HIDDEN, VISION_DEPTH = 64, 3
"""Width and depth of the part that sees."""
TEXT_SPREAD = {"initializer_range": HIDDEN**-0.5}
VISION_SPREAD = {"initializer_range": VISION_HIDDEN**-0.5}
"""Of random weights: one over the root of the width. The usual 0.02 is meant for widths of thousands; with it a model
of this width hardly begins to see (docs/log.md)."""
LLAVA_SIDE = 96
"""Side of every image for LLaVA."""

SPECIALS = ("<|im_start|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen cuts text into words; a decimal digit is a word of its own."""

# Newlines as expressions: Jinja strips those that stand in the template itself.
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}{{ 'IMAGE' }}{% elif c['type'] == 'text' %}{{ c['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def save_tiny_model(out: str | Path, family: str = "qwen3_vl", seed: int = 0) -> int:
    """Write a model with its processor to a folder; returns the number of its weights. Families: `TINY`."""
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


# --- tokenizer ------------------------------------------------------------------------------------------------------


def build_tiny_tokenizer(family: str = "qwen3_vl", size: int = 1024) -> "PreTrainedTokenizerBase":
    """Byte-level BPE, trained on the questions and answers of the tasks."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(SPLIT), behavior="isolated")
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.pre_tokenizer = pre_tokenizers.Sequence([words, pieces])
    bpe.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_end|>", *SPECIALS, "<image>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(_make_corpus(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=[*SPECIALS, "<image>"],
        padding_side="left",
        chat_template=_fill_template(family),
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
    )


def _fill_template(family: str) -> str:
    image = "<image>" if family == "llava" else "<|vision_start|><|image_pad|><|vision_end|>"
    return TEMPLATE.replace("IMAGE", image)


def _make_corpus() -> Iterator[str]:
    """What the tasks ask and what may be answered, several times over: whole words are to become tokens."""
    families = tuple(FAMILIES)
    questions = [
        *(recognition.question(families, pair, n) for n in range(recognition.WORDINGS) for pair in (False, True)),
        *(object_task.question(["person", "dog"], n) for n in range(object_task.WORDINGS)),
        *(object_task.question(["person", "dog"], n, of_kinds=True) for n in range(object_task.WORDINGS)),
        *(grounding.question("thousandths", None, n) for n in range(grounding.WORDINGS)),
        *(grounding.question("pixels", (640, 480), n) for n in range(grounding.WORDINGS)),
        *(quality.question(0, think) for think in (True, False)),
    ]
    kinds = [(family, recognition.truth(family, severity)) for family in families for severity in (1, 2, 3, 4, 5)]
    answers = [format_completion(right, write_thinking("recognition", right, family)) for family, right in kinds]
    ratings = [format_completion(f"Score:{n}.44", write_thinking("quality", f"{n}.44", None)) for n in (1, 2, 3, 4)]
    return chain(*([text] * 4 for text in [*questions, *answers, *ratings]))


# --- processors -----------------------------------------------------------------------------------------------------


def build_tiny_processor(family: str = "qwen3_vl") -> "ProcessorMixin":
    """Stock processors where torchvision is there, those for images alone where it is not."""
    tokenizer = build_tiny_tokenizer(family)
    return _build_llava_processor(tokenizer) if family == "llava" else _build_qwen_processor(family, tokenizer)


def _build_qwen_processor(family: str, tokenizer: "PreTrainedTokenizerBase") -> "ProcessorMixin":
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    from transformers.utils import is_torchvision_available

    side = PATCH * MERGE
    image_values = {
        "patch_size": PATCH,
        "merge_size": MERGE,
        "temporal_patch_size": 2,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "size": {"shortest_edge": side * side, "longest_edge": 256 * 256},
    }
    images = Qwen2VLImageProcessorPil(**image_values)
    if not is_torchvision_available():
        return make_image_only_class(family)(
            image_processor=images, tokenizer=tokenizer, chat_template=tokenizer.chat_template
        )
    import transformers

    kind, video = {
        "qwen3_vl": ("Qwen3VLProcessor", "Qwen3VLVideoProcessor"),
        "qwen2_5_vl": ("Qwen2_5_VLProcessor", "Qwen2VLVideoProcessor"),
    }[family]
    return getattr(transformers, kind)(
        image_processor=images,
        tokenizer=tokenizer,
        video_processor=getattr(transformers, video)(**image_values),
        chat_template=tokenizer.chat_template,
    )


def _build_llava_processor(tokenizer: "PreTrainedTokenizerBase") -> "ProcessorMixin":
    from transformers import CLIPImageProcessorPil, LlavaProcessor

    images = CLIPImageProcessorPil(
        size={"height": LLAVA_SIDE, "width": LLAVA_SIDE},
        do_center_crop=False,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    return LlavaProcessor(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        chat_template=tokenizer.chat_template,
        image_token="<image>",
        num_additional_image_tokens=1,
    )


# --- models ---------------------------------------------------------------------------------------------------------


def build_tiny_model(family: str, tokenizer: "PreTrainedTokenizerBase", seed: int = 0) -> "PreTrainedModel":
    """A model with random weights, the same ones for the same seed."""
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


def _find_token_ids(tokenizer: "PreTrainedTokenizerBase") -> dict[str, int]:
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
        text_config=text, vision_config=vision, tie_word_embeddings=True, **_find_token_ids(tokenizer)
    )
    return Qwen3VLForConditionalGeneration(config)


def _build_qwen2_5(tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedModel":
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    vision = _vision_values(window_size=4 * PATCH * MERGE, fullatt_block_indexes=[VISION_DEPTH - 1])
    config = Qwen2_5_VLConfig(
        text_config=_text_values(tokenizer, rope_parameters=_rope_values()),
        vision_config=vision,
        tie_word_embeddings=True,
        **_find_token_ids(tokenizer),
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
