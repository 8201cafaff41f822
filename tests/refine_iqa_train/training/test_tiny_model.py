"""Tiny models: three architectures, the same ones for a seed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from trainer_runs import encode_question
from transformers import AutoModelForImageTextToText

from distortlab.core.errors import UserError
from refine_iqa_train.models.families import FAMILIES
from refine_iqa_train.models.processors import load_processor
from refine_iqa_train.training.tiny_model import TINY_MODELS, save_tiny_model


@pytest.mark.parametrize("family", TINY_MODELS)
def test_a_tiny_model_comes_back_from_its_folder(tiny: Any, family: str) -> None:
    folder = tiny(family)
    processor, found = load_processor(str(folder))
    model = AutoModelForImageTextToText.from_pretrained(folder)
    assert found == FAMILIES[family]
    assert processor.tokenizer.padding_side == "left"
    weights = sum(weight.numel() for weight in model.parameters())
    assert 0.5e6 < weights < 2e6
    batch = encode_question(processor, "3.44", (90, 130), images=2)
    assert torch.isfinite(model(**batch).logits).all()


def test_the_seed_decides_the_weights(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        save_tiny_model(tmp_path / name, "llava", seed)
    a, b, c = (load_file(tmp_path / name / "model.safetensors") for name in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def test_digits_are_tokens_of_their_own(tiny: Any) -> None:
    processor, _ = load_processor(str(tiny("qwen3_vl")))
    assert processor.tokenizer.tokenize("3.44")[-4:] == ["3", ".", "4", "4"]


def test_what_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'qwen3_vl'"):
        save_tiny_model(tmp_path / "a", "qwen3vl")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("")
    with pytest.raises(UserError, match="is in use"):
        save_tiny_model(tmp_path / "used")
