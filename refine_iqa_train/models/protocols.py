"""What this package uses of objects of transformers and TRL, whose types differ between releases. Types alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from refine_iqa_train.models.rows import Chat

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch.nn import Module

__all__ = ["ImageProcessor", "PolicyTrainer", "Processor", "Tokenizer"]


class Tokenizer(Protocol):
    """Of transformers: text to ids and back."""

    pad_token: str | None
    pad_token_id: int
    padding_side: str
    chat_template: str | None

    def __len__(self) -> int:
        """How many tokens there are."""
        ...

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """The ids of a text."""
        ...

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        """The text of ids."""
        ...

    def convert_tokens_to_ids(self, tokens: str) -> int | None:
        """The id of a token."""
        ...


class ImageProcessor(Protocol):
    """Of a model that sees images at their own size: `size` has `shortest_edge` and `longest_edge`, areas in pixels."""

    size: dict[str, int]
    patch_size: int
    image_mean: Sequence[float]


class Processor(Protocol):
    """A tokenizer and an image processor with a chat template."""

    tokenizer: Tokenizer
    image_processor: ImageProcessor
    chat_template: str | None

    def apply_chat_template(self, conversation: Sequence[Chat], **options: object) -> dict[str, Any]:
        """Inputs of the model for several chats."""
        ...

    def save_pretrained(self, save_directory: str | Path) -> object:
        """Write all that is needed to load it again."""
        ...


class PolicyTrainer(Protocol):
    """The trainer that a reward is bound to: its model, its processor, and the other processes."""

    accelerator: "Accelerator"
    model: "Module"
    processing_class: Processor
    num_generations: int
    num_generations_eval: int
