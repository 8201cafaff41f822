"""Tiny models and their processors: three architectures, the same ones for a seed, and what is no model for this."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, Qwen2Config

from distortlab.core.errors import UserError
from refine_iqa_train.models.families import FAMILIES, find_family
from refine_iqa_train.models.processors import check_processor, load_processor, read_size_factor
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
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 130, 3), dtype=np.uint8))
    content = [{"type": "image", "image": image}, {"type": "image", "image": image}, {"type": "text", "text": "3.44"}]
    batch = processor.apply_chat_template(
        [[{"role": "user", "content": content}]],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
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


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_model_that_sees_nothing(tmp_path: Path) -> None:
    Qwen2Config(hidden_size=8, num_hidden_layers=1).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"is no vision-language model \(its model_type is 'qwen2'\)"):
        load_processor(str(tmp_path))


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    for name in (str(tmp_path / "nothing"), "nobody/nothing"):
        with pytest.raises(UserError, match="cannot be opened"):
            load_processor(name)


def test_families_nobody_has_heard_of_are_asked_in_thousandths() -> None:
    class Config:
        model_type = "new_vl"
        vision_config = object()

    assert find_family(Config(), "x").coordinates == "thousandths"


def test_no_pad_token_right_padding_no_template(tiny: Any) -> None:
    processor, _ = load_processor(str(tiny("llava")))
    processor.tokenizer.padding_side = "right"
    with pytest.raises(UserError, match="pads on the right"):
        check_processor(processor, "m")
    processor.tokenizer.padding_side = "left"
    processor.chat_template = processor.tokenizer.chat_template = None
    with pytest.raises(UserError, match="no chat template"):
        check_processor(processor, "m")
    processor.tokenizer.pad_token = None
    with pytest.raises(UserError, match="no pad token"):
        check_processor(processor, "m")


def test_a_folder_without_a_video_part_is_read_with_torchvision_too(tiny: Any) -> None:
    """Stock processors need one; which of the two is used is decided by what the folder has."""
    from refine_iqa_train.models.processors import _has_video_part

    folder = tiny("qwen3_vl")
    has = '"video_processor"' in json.dumps(json.loads((folder / "processor_config.json").read_text()))
    assert _has_video_part(str(folder)) == has
    assert _has_video_part("Qwen/Qwen3-VL-4B-Instruct")
    assert read_size_factor(load_processor(str(folder))[0]) == 16
