"""What a run needs on each GPU, computed from the shapes of the model. An estimate, not a measurement.

Weights, gradients and AdamW's two moments by dtype; with gradient checkpointing the inputs of all layers and the
insides of one; the key-value cache of the rollouts; 10 % and 1.5 GiB for what the allocator and CUDA keep.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Load", "Memory", "Shape", "estimate", "shape_of"]

GIB = 1 << 30
OVERHEAD, KEPT = 0.10, 1.5
FOUR_BIT = 0.53
"""Bytes for a weight in NF4 with double quantization: 4 bits and 0.127 bits of constants (arXiv 2305.14314)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A model: numbers of weights, and what its activations are made of. `linear`: weights that 4 bits can hold;
    `seeing`: those of the part that sees.
    """

    weights: int
    linear: int
    seeing: int
    seeing_hidden: int
    seeing_layers: int
    hidden: int
    inner: int
    layers: int
    kv: int
    """Width of the keys (and of the values) of one layer."""

    def lora(self, r: int) -> int:
        """Weights of adapters of rank r on the seven linear layers of each text layer."""
        per_layer = 4 * (self.hidden + self.hidden) + 3 * (self.hidden + self.inner)
        return r * per_layer * self.layers


@dataclass(frozen=True, slots=True)
class Load:
    """A run. `rows` of a backward pass, `rollouts` generated at once, both on one GPU; tokens of the longest row.

    `shards`: GPUs that share weights, gradients and moments (ZeRO-3, FSDP). `frozen_vision`: the part that sees is not
    trained, and nothing of it is kept for the backward pass; so it is under adapters.
    """

    rows: int
    rollouts: int
    prompt: int
    completion: int
    lora: int | None = None
    four_bit: bool = False
    checkpointing: bool = True
    reference: bool = False
    frozen_vision: bool = False
    shards: int = 1


@dataclass(frozen=True, slots=True)
class Memory:
    """GiB on one GPU."""

    weights: float
    gradients: float
    optimizer: float
    activations: float
    cache: float

    @property
    def total(self) -> float:
        """With what the allocator keeps. Activations and cache are not there at the same time: the larger counts."""
        parts = self.weights + self.gradients + self.optimizer + max(self.activations, self.cache)
        return parts * (1 + OVERHEAD) + KEPT

    def as_dict(self) -> Mapping[str, float]:
        """Rounded, with the total."""
        return {name: round(value, 2) for name, value in {**asdict(self), "total": self.total}.items()}


def shape_of(config: Any) -> Shape:
    """The shape of a model from its configuration; weights are counted on a model without storage."""
    import torch
    from transformers import AutoModelForImageTextToText

    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    text, sight = config.get_text_config(), config.vision_config
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    count = {name: weight.numel() for name, weight in model.named_parameters()}
    seeing = sum(size for name, size in count.items() if any(part in name for part in ("visual", "vision")))
    embedded = sum(size for name, size in count.items() if "embed_tokens" in name or "lm_head" in name)
    return Shape(
        weights=sum(count.values()),
        linear=sum(count.values()) - embedded,
        seeing=seeing,
        seeing_hidden=sight.hidden_size,
        seeing_layers=getattr(sight, "depth", None) or sight.num_hidden_layers,
        hidden=text.hidden_size,
        inner=text.intermediate_size,
        layers=text.num_hidden_layers,
        kv=head * text.num_key_value_heads,
    )


def estimate(shape: Shape, load: Load) -> Memory:
    """GiB on each GPU."""
    base = _base_bytes(shape, load)
    whole = shape.weights - (shape.seeing if load.frozen_vision else 0)
    trained = whole if load.lora is None else shape.lora(load.lora)
    adapters = 0 if load.lora is None else 4 * trained  # adapters are kept in float32
    copies = 1 + (load.reference and load.lora is None)
    tokens = load.rows * (load.prompt + load.completion)
    inside = 2 * tokens * (8 * shape.hidden + 3 * shape.inner)  # one layer: projections, residuals, gate, up, product
    between = 2 * tokens * shape.hidden * shape.layers
    if load.lora is None and not load.frozen_vision:  # four patches for a token, most of a prompt is its image
        between += 2 * load.rows * 4 * load.prompt * shape.seeing_hidden * shape.seeing_layers
    kept = between + inside if load.checkpointing else between + inside * shape.layers
    return Memory(
        weights=(base * copies + adapters) / load.shards / GIB,
        gradients=4 * trained / load.shards / GIB,
        optimizer=8 * trained / load.shards / GIB,
        activations=kept / GIB,
        cache=2 * 2 * shape.kv * shape.layers * load.rollouts * (load.prompt + load.completion) / GIB,
    )


def _base_bytes(shape: Shape, load: Load) -> float:
    """Full training keeps float32 weights (updates of 1e-6 vanish in bfloat16); under adapters 2 bytes or 4 bits do."""
    if load.lora is None:
        return 4.0 * shape.weights
    if load.four_bit:
        return FOUR_BIT * shape.linear + 2.0 * (shape.weights - shape.linear)
    return 2.0 * shape.weights
