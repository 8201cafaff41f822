"""Processors, with torchvision and without; models that cannot be trained are refused."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from transformers import Qwen2Config

from distortlab.core.errors import UserError
from refine_iqa_train.models.processors import check_processor, load_processor, read_size_factor


def test_a_model_that_sees_nothing(tmp_path: Path) -> None:
    Qwen2Config(hidden_size=8, num_hidden_layers=1).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"is no vision-language model \(its model_type is 'qwen2'\)"):
        load_processor(str(tmp_path))


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    for name in (str(tmp_path / "nothing"), "nobody/nothing"):
        with pytest.raises(UserError, match="cannot be opened"):
            load_processor(name)


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


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_qwen_processors_take_their_parts_from_the_signature() -> None:
    from transformers.processing_utils import ProcessorMixin

    from refine_iqa_train.models.processors import make_image_only_class

    assert ProcessorMixin.__init__ is not make_image_only_class("qwen3_vl").__init__
    assert parameters(make_image_only_class("qwen3_vl").__init__)[1:] == [
        "image_processor",
        "tokenizer",
        "chat_template",
    ]
