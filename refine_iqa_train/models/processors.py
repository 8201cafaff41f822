"""Processors of vision-language models, with torchvision and without.

Without torchvision no video processor can be made, and the processors of the Qwen-VL families insist on one. Only the
list of their parts does, which `ProcessorMixin` takes from the signature of `__init__`: a subclass without
`video_processor` in it works for images (transformers 5.23).
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from refine_iqa_train.models.adapters import find_adapter
from refine_iqa_train.models.families import FAMILIES, ModelFamily, find_family
from refine_iqa_train.models.protocols import ImageProcessor, Processor, Tokenizer

if TYPE_CHECKING:
    from transformers import AutoProcessor, PretrainedConfig, ProcessorMixin

__all__ = ["check_processor", "load_model_config", "load_processor", "make_image_only_class", "read_size_factor"]


def load_model_config(name: str, revision: str | None = None) -> "PretrainedConfig":
    """Load the configuration of a model in a folder or on the Hub; of adapters, that of the model they belong to.

    Raises
    ------
    UserError
        Where it cannot be opened.
    """
    from transformers import AutoConfig

    adapter = find_adapter(name, revision)
    source, version = (name, revision) if adapter is None else (adapter.base, adapter.base_revision)
    try:
        return AutoConfig.from_pretrained(source, revision=version)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        whose = "" if adapter is None else f" of the adapters in {name}"
        hint = "key model" if adapter is None else "base_model_name_or_path in its adapter_config.json"
        raise UserError(f"the model {source}{whose} cannot be opened: {reason} ({hint})") from error


def load_processor(name: str, revision: str | None = None) -> tuple[Processor, ModelFamily]:
    """Load the processor of a model, padding on the left, and find the model's family.

    Raises
    ------
    UserError
        Where there is none, or it cannot be used for images with text.
    """
    family = find_family(load_model_config(name, revision), name)
    name, revision = _find_processor_source(name, revision)
    kind = _select_processor_class(name, family)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torchvision.*")
            processor = kind.from_pretrained(name, revision=revision, padding_side="left", truncation_side="left")
    except (OSError, ValueError, ImportError) as error:
        raise UserError(f"the processor of {name} cannot be loaded: {str(error).splitlines()[0]}") from error
    check_processor(processor, name)
    return processor, family


def _find_processor_source(name: str, revision: str | None) -> tuple[str, str | None]:
    """Who has the processor: adapters that came without one have that of their model."""
    from transformers.utils import cached_file

    adapter = find_adapter(name, revision)
    optional = {"_raise_exceptions_for_missing_entries": False}
    if adapter is None or cached_file(name, "tokenizer_config.json", revision=revision, **optional):
        return name, revision
    return adapter.base, adapter.base_revision


def _select_processor_class(name: str, family: ModelFamily) -> "type[AutoProcessor | ProcessorMixin]":
    from transformers import AutoProcessor
    from transformers.utils import is_torchvision_available

    whole = is_torchvision_available() and _has_video_part(name)
    return AutoProcessor if whole or family.processor is None else make_image_only_class(family.model_type)


def _has_video_part(name: str) -> bool:
    """Whether a folder has what a stock processor needs; on the Hub they all have."""
    folder = Path(name)
    if not folder.is_dir():
        return True
    text = folder / "processor_config.json"
    return (folder / "video_preprocessor_config.json").exists() or (
        text.exists() and '"video_processor"' in text.read_text(encoding="utf-8")
    )


def check_processor(processor: Processor, name: str) -> None:
    """Raises `UserError` where a processor lacks a tokenizer, images, a pad token, left padding or a chat template."""
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None or getattr(processor, "image_processor", None) is None:
        raise UserError(f"{name} has no processor for images and text; give a vision-language model")
    if tokenizer.pad_token is None:
        raise UserError(
            f"the tokenizer of {name} has no pad token: set one that is not used otherwise and save it with the model "
            "(tokenizer.pad_token = ...; processor.save_pretrained(folder)), then give that folder"
        )
    if tokenizer.padding_side != "left":
        raise UserError(
            f"the tokenizer of {name} pads on the {tokenizer.padding_side}: completions follow their prompts, so "
            'prompts are padded on the left (tokenizer.padding_side = "left")'
        )
    if not (processor.chat_template or tokenizer.chat_template):
        raise UserError(f"{name} has no chat template: give an instruction-tuned model, not a base model")


def read_size_factor(processor: Processor) -> int | None:
    """The number that divides the sides of every image as the model sees it; None where all images get one size."""
    part = processor.image_processor
    merge = getattr(part, "merge_size", None)
    return int(part.patch_size) * int(merge) if merge else None


def make_image_only_class(model_type: str) -> "type[ProcessorMixin]":
    """Make the processor class of a Qwen-VL family without its video part, under the stock name."""
    import transformers
    from transformers.processing_utils import ProcessorMixin

    stock = FAMILIES[model_type].processor
    assert stock is not None
    base: type[ProcessorMixin] = getattr(transformers, stock)

    def __init__(
        self: object,
        image_processor: ImageProcessor | None = None,
        tokenizer: Tokenizer | None = None,
        chat_template: str | None = None,
    ) -> None:
        assert tokenizer is not None
        for part in ("image", "video", "vision_start", "vision_end"):
            token = f"<|{part}_pad|>" if part in ("image", "video") else f"<|{part}|>"
            setattr(self, f"{part}_token", token)
            setattr(self, f"{part}_token_id", tokenizer.convert_tokens_to_ids(token))
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    def model_input_names(self: object) -> list[str]:
        return [*ProcessorMixin.model_input_names.fget(self), "mm_token_type_ids"]

    members = {"__init__": __init__, "model_input_names": property(model_input_names), "__module__": base.__module__}
    return type(base.__name__, (base,), members)
