"""What the keys about single weights come to, on a model without storage: before anything large is loaded."""

from typing import TYPE_CHECKING

from refine_iqa_train.config.schema import Config
from refine_iqa_train.models.families import ModelFamily
from refine_iqa_train.models.freezing import freeze
from refine_iqa_train.models.processors import load_model_config
from refine_iqa_train.models.vision_weights import check_vision_weights
from refine_iqa_train.training.trl_arguments import make_lora_config

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["count_trained_weights"]


def count_trained_weights(config: Config, family: ModelFamily) -> int | None:
    """Check `vision` and `frozen`, and count the weights that are trained.

    Parameters
    ----------
    config
        The run's.
    family
        Of its model.

    Returns
    -------
    int or None
        None where no pattern takes weights out of training.

    Raises
    ------
    UserError
        Where weights for `vision` do not fit the model, or a pattern of `frozen` freezes nothing, or all freeze
        everything.
    """
    if config.vision is None and not config.frozen:
        return None
    model = _build_without_storage(config)
    if config.vision is not None:
        check_vision_weights(config.vision, model, family, config.model)
    if not config.frozen:
        return None
    lora = make_lora_config(config, family)
    if lora is not None:
        from peft import get_peft_model

        model = get_peft_model(model, lora)
    freeze(model, family, config.frozen, vision=config.frozen_vision)
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def _build_without_storage(config: Config) -> "Module":
    import torch
    from transformers import AutoModelForImageTextToText

    with torch.device("meta"):
        return AutoModelForImageTextToText.from_config(load_model_config(config.model, config.revision))
