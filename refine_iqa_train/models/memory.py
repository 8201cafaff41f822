"""What a run needs on each GPU, computed from the shapes of the model. An estimate, not a measurement.

Weights, gradients and AdamW's two moments by dtype; with gradient checkpointing the inputs of all layers and the
insides of one; the key-value cache of the rollouts; 10 % and 1.5 GiB for what the allocator and CUDA keep.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PretrainedConfig

__all__ = ["MemoryEstimate", "ModelShape", "Workload", "estimate_memory", "measure_model_shape"]

GIB = 1 << 30
OVERHEAD, RESERVED_GIB = 0.10, 1.5
FOUR_BIT = 0.53
"""Bytes for a weight in NF4 with double quantization: 4 bits and 0.127 bits of constants (arXiv 2305.14314)."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A model: how many weights it has, and what its activations are made of.

    Parameters
    ----------
    weights, linear, vision
        Numbers of all weights, of those that 4 bits can hold, and of those that see.
    vision_hidden, vision_layers
        Width and depth of the part that sees.
    hidden, inner, layers
        Width, inner width and depth of the part that writes.
    kv
        Width of the keys (and of the values) of one layer.
    """

    weights: int
    linear: int
    vision: int
    vision_hidden: int
    vision_layers: int
    hidden: int
    inner: int
    layers: int
    kv: int
    """Width of the keys (and of the values) of one layer."""

    def count_lora_weights(self, r: int) -> int:
        """Weights of adapters of rank r on the seven linear layers of each text layer."""
        per_layer = 4 * (self.hidden + self.hidden) + 3 * (self.hidden + self.inner)
        return r * per_layer * self.layers


@dataclass(frozen=True, slots=True)
class Workload:
    """What one GPU does in a step.

    Parameters
    ----------
    rows
        Of a backward pass.
    rollouts
        Generated at once; 0 where another program generates.
    prompt, completion
        Tokens of the longest row.
    lora
        Rank of the adapters; None: full training.
    four_bit, checkpointing, reference
        4-bit weights, gradient checkpointing, a reference model for the KL term.
    frozen_vision
        The part that sees is not trained, and nothing of it is kept for the backward pass; so it is under adapters.
    trained
        Weights that are trained, where some are taken out of training by name; None: all, or all of the adapters.
    shards
        GPUs that share weights, gradients and moments (ZeRO-3, FSDP).
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
    trained: int | None = None
    shards: int = 1


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
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
        return parts * (1 + OVERHEAD) + RESERVED_GIB

    def as_dict(self) -> Mapping[str, float]:
        """Rounded, with the total."""
        return {name: round(value, 2) for name, value in {**asdict(self), "total": self.total}.items()}


def measure_model_shape(config: "PretrainedConfig") -> ModelShape:
    """Read the shape of a model off its configuration; weights are counted on a model without storage."""
    import torch
    from transformers import AutoModelForImageTextToText

    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    text, vision_config = config.get_text_config(), config.vision_config
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    count = {name: weight.numel() for name, weight in model.named_parameters()}
    vision = sum(size for name, size in count.items() if any(part in name for part in ("visual", "vision")))
    embeddings = sum(size for name, size in count.items() if "embed_tokens" in name or "lm_head" in name)
    return ModelShape(
        weights=sum(count.values()),
        linear=sum(count.values()) - embeddings,
        vision=vision,
        vision_hidden=vision_config.hidden_size,
        vision_layers=getattr(vision_config, "depth", None) or vision_config.num_hidden_layers,
        hidden=text.hidden_size,
        inner=text.intermediate_size,
        layers=text.num_hidden_layers,
        kv=head * text.num_key_value_heads,
    )


def estimate_memory(shape: ModelShape, load: Workload) -> MemoryEstimate:
    """Compute the memory of each GPU, in GiB."""
    base = _base_bytes(shape, load)
    whole = shape.weights - (shape.vision if load.frozen_vision else 0)
    added = 0 if load.lora is None else shape.count_lora_weights(load.lora)
    trainable = load.trained if load.trained is not None else whole if load.lora is None else added
    adapters = 4 * added  # adapters are kept in float32
    copies = 1 + (load.reference and load.lora is None)
    tokens = load.rows * (load.prompt + load.completion)
    # one layer: projections, residuals, gate, up, product
    per_layer = 2 * tokens * (8 * shape.hidden + 3 * shape.inner)
    between_layers = 2 * tokens * shape.hidden * shape.layers
    if load.lora is None and not load.frozen_vision:  # four patches for a token, most of a prompt is its image
        between_layers += 2 * load.rows * 4 * load.prompt * shape.vision_hidden * shape.vision_layers
    saved = between_layers + per_layer if load.checkpointing else between_layers + per_layer * shape.layers
    return MemoryEstimate(
        weights=(base * copies + adapters) / load.shards / GIB,
        gradients=4 * trainable / load.shards / GIB,
        optimizer=8 * trainable / load.shards / GIB,
        activations=saved / GIB,
        cache=2 * 2 * shape.kv * shape.layers * load.rollouts * (load.prompt + load.completion) / GIB,
    )


def _base_bytes(shape: ModelShape, load: Workload) -> float:
    """Full training keeps float32 weights (updates of 1e-6 vanish in bfloat16); under adapters 2 bytes or 4 bits do."""
    if load.lora is None:
        return 4.0 * shape.weights
    if load.four_bit:
        return FOUR_BIT * shape.linear + 2.0 * (shape.weights - shape.linear)
    return 2.0 * shape.weights
