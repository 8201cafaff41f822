"""Processors of vision-language models: where torchvision is missing, and how many pixels they show."""

from typing import Any

from distortlab.core.errors import UserError
from refine_bench.models.adapters import find_adapter

__all__ = ["load_processor", "set_pixels"]


def load_processor(transformers: Any, spec: str) -> Any:
    """The stock processor; of adapters that came without one, that of their model.

    Qwen's needs torchvision for videos alone: without it, the same without videos.
    """
    from transformers.utils import cached_file, is_torchvision_available

    adapter = find_adapter(spec)
    family = transformers.AutoConfig.from_pretrained(adapter.base if adapter else spec).model_type
    if adapter and not cached_file(spec, "tokenizer_config.json", _raise_exceptions_for_missing_entries=False):
        spec = adapter.base
    names = {"qwen3_vl": "Qwen3VLProcessor", "qwen2_5_vl": "Qwen2_5_VLProcessor"}
    if is_torchvision_available() or family not in names:
        return transformers.AutoProcessor.from_pretrained(spec)
    return _drop_videos(getattr(transformers, names[family])).from_pretrained(spec)


def _drop_videos(base: Any) -> Any:
    """A Qwen processor for images and text. Sub-processors are those that `__init__` names."""
    from transformers.processing_utils import ProcessorMixin

    class ImagesOnly(base):  # type: ignore[misc]
        def __init__(
            self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None, **_: Any
        ) -> None:
            marks = {"image": "<|image_pad|>", "video": "<|video_pad|>"}
            marks |= {name: f"<|{name}|>" for name in ("vision_start", "vision_end")}
            for name, text in marks.items():
                setattr(self, f"{name}_token", text)
                setattr(self, f"{name}_token_id", tokenizer.convert_tokens_to_ids(text))
            ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

        @property
        def model_input_names(self) -> list[str]:
            return [*ProcessorMixin.model_input_names.fget(self), "mm_token_type_ids"]

    ImagesOnly.__name__ = ImagesOnly.__qualname__ = base.__name__
    return ImagesOnly


def set_pixels(processor: Any, least: int | None, most: int | None) -> None:
    """The image-size policy of a processor that has one (Qwen)."""
    if least is None and most is None:
        return
    size = dict(getattr(processor.image_processor, "size", None) or {})
    if "longest_edge" not in size or "shortest_edge" not in size:
        raise UserError("this model's image processor has no least and most pixels to set")
    processor.image_processor.size = {
        "shortest_edge": least or size["shortest_edge"],
        "longest_edge": most or size["longest_edge"],
    }
