"""Patterns of names of weights that are not trained: what they fit, and what is refused."""

from typing import Any

import pytest
from torch import nn

from distortlab.core.errors import UserError
from refine_iqa_train.models.families import FAMILIES
from refine_iqa_train.models.freezing import freeze, is_frozen_by

FAMILY = FAMILIES["qwen3_vl"]


@pytest.fixture
def model() -> nn.Module:
    def layer() -> nn.Module:
        return nn.ModuleDict({"mlp": nn.Linear(2, 2), "norm": nn.LayerNorm(2)})

    return nn.ModuleDict(
        {
            "model": nn.ModuleDict(
                {"visual": layer(), "language_model": nn.ModuleDict({"layers": nn.ModuleList([layer(), layer()])})}
            )
        }
    )


def trained(model: nn.Module) -> set[str]:
    return {name for name, weight in model.named_parameters() if weight.requires_grad}


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("visual.*", "model.visual.mlp.weight", True),
        ("visual.*", "base_model.model.model.visual.mlp.lora_A.default.weight", True),
        ("visual", "model.visual.mlp.weight", False),
        ("isual.*", "model.visual.mlp.weight", False),
        ("*.bias", "model.visual.mlp.bias", True),
        ("layers.[01].*", "model.language_model.layers.1.norm.weight", True),
        ("layers.1.*", "model.language_model.layers.10.norm.weight", False),
        ("Visual.*", "model.visual.mlp.weight", False),
    ],
)
def test_a_pattern_begins_after_any_dot_and_ends_with_the_name(pattern: str, name: str, fits: bool) -> None:
    assert is_frozen_by(pattern, name) == fits


def test_what_fits_is_not_trained_and_all_else_is(model: nn.Module) -> None:
    everything = trained(model)
    freeze(model, FAMILY, ["visual.*", "norm.*"])
    assert everything - trained(model) == {
        *(f"model.visual.{part}.{kind}" for part in ("mlp", "norm") for kind in ("weight", "bias")),
        *(f"model.language_model.layers.{n}.norm.{kind}" for n in (0, 1) for kind in ("weight", "bias")),
    }


def test_the_older_key_freezes_what_sees(model: nn.Module) -> None:
    freeze(model, FAMILY, (), vision=True)
    assert trained(model)
    assert not any("visual" in name for name in trained(model))
    freeze(model, FAMILY, (), vision=True)


@pytest.mark.parametrize(
    ("patterns", "sentence"),
    [
        (
            ["visuals.*"],
            "frozen: 'visuals.*' freezes nothing: no weight of the model is called so; there are, e.g., model.",
        ),
        (["visual.*", "lm_head.*"], "frozen: 'lm_head.*' freezes nothing"),
        (["*"], "frozen: *: all of the 12 weights that could be trained are frozen"),
        (["visual.*", "layers.*"], "frozen: visual.*, layers.*: all of the 12"),
    ],
)
def test_patterns_that_freeze_nothing_or_everything(model: nn.Module, patterns: list[str], sentence: str) -> None:
    before = trained(model)
    with pytest.raises(UserError) as caught:
        freeze(model, FAMILY, patterns)
    assert sentence in str(caught.value)
    assert trained(model) == before


def test_both_keys_together_freeze_everything(model: nn.Module) -> None:
    with pytest.raises(UserError, match=r"frozen_vision and frozen: layers\.\*: all of the 12 weights"):
        freeze(model, FAMILY, ["layers.*"], vision=True)


def test_what_adapters_leave_alone_is_frozen_already(model: Any) -> None:
    for name, weight in model.named_parameters():
        weight.requires_grad = "language_model" in name
    with pytest.raises(UserError, match=r"'visual\.\*' freezes nothing, for what it names is not trained beside"):
        freeze(model, FAMILY, ["visual.*"])
