"""Processors of the tiny models: a tokenizer that spells digits one by one as Qwen's does, and images."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from distortlab.tasks import comparison, diagnosis, grounding, quality, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.answer import format_completion
from distortlab.tasks.terms import FAMILIES
from refine_iqa_train.data.cold_start import write_thinking
from refine_iqa_train.models.processors import make_image_only_class

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, ProcessorMixin

__all__ = ["LLAVA_SIDE", "MERGE", "PATCH", "build_tiny_processor", "build_tiny_tokenizer"]

PATCH, MERGE = 8, 2
"""Side of a patch in pixels, and how many patches side by side become one token."""
MOST_PIXELS = 256 * 256
"""Of an image; larger ones are resized."""
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


# --- tokenizer ------------------------------------------------------------------------------------------------------


def build_tiny_tokenizer(family: str = "qwen3_vl", size: int = 1024) -> "PreTrainedTokenizerBase":
    """Train a byte-level BPE on the questions and answers of the tasks, `size` tokens."""
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
        *(diagnosis.question("thousandths", None, n) for n in range(diagnosis.WORDINGS)),
        *(diagnosis.question("pixels", (640, 480), n) for n in range(diagnosis.WORDINGS)),
        *(comparison.question(n) for n in range(comparison.WORDINGS)),
        *(
            comparison.question_about_regions((0, 9, 99, 480), (100, 0, 640, 99), (640, 480), "pixels", n)
            for n in range(comparison.WORDINGS)
        ),
    ]
    kinds = [(family, recognition.truth(family, severity)) for family in families for severity in (1, 2, 3, 4, 5)]
    answers = [format_completion(right, write_thinking("recognition", right, family)) for family, right in kinds]
    ratings = [format_completion(f"Score:{n}.44", write_thinking("quality", f"{n}.44", None)) for n in (1, 2, 3, 4)]
    regions = [diagnosis.DistortedRegion((10, 20, 300, 480), family, level) for family in families for level in (1, 5)]
    lists = [diagnosis.truth([region], (640, 480), "pixels") for region in regions]
    diagnoses = [format_completion(right, write_thinking("diagnosis", right, None)) for right in [*lists, "[]"]]
    return chain(*([text] * 4 for text in [*questions, *answers, *ratings, *diagnoses]))


# --- processors -----------------------------------------------------------------------------------------------------


def build_tiny_processor(
    family: str = "qwen3_vl", patch: int = PATCH, most_pixels: int = MOST_PIXELS
) -> "ProcessorMixin":
    """Build a stock processor where torchvision is there, one for images alone where it is not.

    Parameters
    ----------
    family
        A `model_type` of `TINY_MODELS`.
    patch, most_pixels
        Of a Qwen-VL model: side of a patch in pixels, and the largest area of an image.
    """
    tokenizer = build_tiny_tokenizer(family)
    if family == "llava":
        return _build_llava_processor(tokenizer)
    return _build_qwen_processor(family, tokenizer, patch, most_pixels)


def _build_qwen_processor(
    family: str, tokenizer: "PreTrainedTokenizerBase", patch: int, most_pixels: int
) -> "ProcessorMixin":
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    from transformers.utils import is_torchvision_available

    side = patch * MERGE
    image_values = {
        "patch_size": patch,
        "merge_size": MERGE,
        "temporal_patch_size": 2,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "size": {"shortest_edge": side * side, "longest_edge": most_pixels},
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
