"""What differs between families of vision-language models, by the `model_type` of their configuration.

Boxes: Qwen2.5-VL was taught absolute pixels of the image as it is resized for the model, Qwen2-VL and Qwen3-VL
thousandths of its sides (QwenLM/Qwen3-VL#721, #1427, #1633). All others are asked in thousandths, which need no frame.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from distortlab.tasks.grounding import Coordinates

if TYPE_CHECKING:
    from transformers import PretrainedConfig

__all__ = ["FAMILIES", "ModelFamily", "find_family"]


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """What differs between families of models.

    Parameters
    ----------
    model_type
        Its name in the configurations of transformers.
    coordinates
        How boxes are asked for.
    vision
        Names of the modules that see.
    processor
        The class that stands in where torchvision is missing; None: the stock one works without.
    """

    model_type: str
    coordinates: Coordinates = "thousandths"
    vision: tuple[str, ...] = ("visual", "vision_tower", "vision_model", "multi_modal_projector", "connector")
    processor: str | None = None


FAMILIES: Mapping[str, ModelFamily] = MappingProxyType(
    {
        family.model_type: family
        for family in (
            ModelFamily("qwen2_vl", processor="Qwen2VLProcessor"),
            ModelFamily("qwen2_5_vl", "pixels", processor="Qwen2_5_VLProcessor"),
            ModelFamily("qwen3_vl", processor="Qwen3VLProcessor"),
            ModelFamily("qwen3_vl_moe", processor="Qwen3VLProcessor"),
            ModelFamily("llava"),
            ModelFamily("llava_next"),
        )
    }
)


def find_family(config: "PretrainedConfig", name: str) -> ModelFamily:
    """Find the family of a model by its configuration. Raises `UserError` for a model that sees no images."""
    kind = str(getattr(config, "model_type", "unknown"))
    if kind in FAMILIES:
        return FAMILIES[kind]
    if getattr(config, "vision_config", None) is None:
        raise UserError(
            f"{name} is no vision-language model (its model_type is {kind!r}); give one that takes images, e.g. of "
            f"the families {', '.join(FAMILIES)}, or make one: python -m refine_iqa_train tiny --out models/tiny"
        )
    return ModelFamily(kind)
