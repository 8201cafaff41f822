"""The part that sees, from elsewhere: read from files and folders of any kind, and refused in one sentence."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from distortlab.core.errors import UserError
from refine_iqa_train.models.families import FAMILIES
from refine_iqa_train.models.vision_weights import check_vision_weights, replace_vision_weights
from refine_iqa_train.training.tiny_model import build_tiny_model, save_tiny_model
from refine_iqa_train.training.tiny_processor import build_tiny_tokenizer

Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def model() -> Any:
    return build_tiny_model("qwen3_vl", build_tiny_tokenizer())


@pytest.fixture(scope="module")
def eye() -> Weights:
    """What sees in a model with other weights."""
    weights: Weights = build_tiny_model("qwen3_vl", build_tiny_tokenizer(), seed=1).model.visual.state_dict()
    return weights


def refusal(path: Path, model: Any) -> str:
    with pytest.raises(UserError) as caught:
        check_vision_weights(str(path), model, FAMILIES["qwen3_vl"], "MODEL")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def save_torch(eye: Weights, folder: Path) -> Path:
    torch.save(eye, folder / "eye.pt")
    return folder / "eye.pt"


def save_safetensors(eye: Weights, folder: Path) -> Path:
    save_file(eye, folder / "eye.safetensors")
    return folder / "eye.safetensors"


def save_whole_names(eye: Weights, folder: Path) -> Path:
    """As a model of the Hub has them, with weights that do not see beside them, in two files."""
    parts = {"a.safetensors": {f"visual.{name}": weight for name, weight in eye.items()}}
    parts["b.safetensors"] = {"model.layers.0.norm.weight": torch.zeros(3)}
    for file, weights in parts.items():
        save_file(weights, folder / file)
    index = {name: file for file, weights in parts.items() for name in weights}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return folder


@pytest.mark.parametrize("save", [save_torch, save_safetensors, save_whole_names])
def test_files_and_folders(save: Callable[[Weights, Path], Path], eye: Weights, tmp_path: Path) -> None:
    model = build_tiny_model("qwen3_vl", build_tiny_tokenizer())
    words = model.model.language_model.embed_tokens.weight.clone()
    check_vision_weights(str(save(eye, tmp_path)), model, FAMILIES["qwen3_vl"], "MODEL")
    assert not torch.equal(model.model.visual.merger.linear_fc2.weight, eye["merger.linear_fc2.weight"])
    replace_vision_weights(str(save(eye, tmp_path)), model, FAMILIES["qwen3_vl"], "MODEL")
    assert all(torch.equal(weight, eye[name]) for name, weight in model.model.visual.state_dict().items())
    assert torch.equal(model.model.language_model.embed_tokens.weight, words)


@pytest.mark.parametrize("family", ["qwen2_5_vl", "llava"])
def test_the_folder_of_a_model_whose_files_have_other_names(family: str, tiny: Any, tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "other", family, seed=1)
    from transformers import AutoModelForImageTextToText

    model, other = (AutoModelForImageTextToText.from_pretrained(path) for path in (tiny(family), tmp_path / "other"))
    replace_vision_weights(str(tmp_path / "other"), model, FAMILIES["qwen3_vl"], "MODEL")
    sees = ("visual", "vision_tower", "multi_modal_projector")
    own, wanted = model.state_dict(), other.state_dict()
    assert all(
        torch.equal(own[name], wanted[name]) == any(part in name for part in sees) for name in own if own[name].std()
    )


def test_half_precision_is_taken_in_the_dtype_of_the_model(eye: Weights, tmp_path: Path) -> None:
    model = build_tiny_model("qwen3_vl", build_tiny_tokenizer())
    path = save_safetensors({name: weight.bfloat16() for name, weight in eye.items()}, tmp_path)
    replace_vision_weights(str(path), model, FAMILIES["qwen3_vl"], "MODEL")
    assert model.model.visual.pos_embed.weight.dtype == torch.float32
    assert torch.equal(model.model.visual.pos_embed.weight, eye["pos_embed.weight"].bfloat16().float())


# --- what is refused ------------------------------------------------------------------------------------------------


def test_an_eye_of_another_size(model: Any, eye: Weights, tmp_path: Path) -> None:
    path = save_safetensors({**eye, "merger.linear_fc2.weight": torch.zeros(64, 256)}, tmp_path)
    assert "visual.merger.linear_fc2.weight is 64 x 256 and not 128 x 256" in refusal(path, model)


def test_an_eye_of_another_architecture_or_depth(model: Any, eye: Weights, tiny: Any, tmp_path: Path) -> None:
    sentence = refusal(tiny("qwen2_5_vl"), model)
    assert "of another architecture or depth than in MODEL: it lacks visual.patch_embed.proj.bias and " in sentence
    assert " and has visual.blocks.0.mlp.down_proj.bias and " in sentence
    shallow = {name: weight for name, weight in eye.items() if "blocks.2" not in name}
    assert "it lacks visual.blocks.2." in refusal(save_torch(shallow, tmp_path), model)
    assert " and has " not in refusal(save_torch(shallow, tmp_path), model)


def test_what_is_not_there(model: Any, eye: Weights, tmp_path: Path) -> None:
    assert "there is no " in refusal(tmp_path / "nowhere", model)
    assert "holds no weights (model.safetensors or pytorch_model.bin)" in refusal(tmp_path, model)
    (tmp_path / "adapter_config.json").write_text("{}")
    assert "holds adapters alone; merge them" in refusal(tmp_path, model)
    save_whole_names(eye, tmp_path)
    (tmp_path / "a.safetensors").unlink()
    assert "names files that are not beside it" in refusal(tmp_path, model)
    index = tmp_path / "model.safetensors.index.json"
    shutil.copy(save_safetensors(eye, tmp_path), tmp_path.parent / "outside.safetensors")
    index.write_text(json.dumps({"weight_map": {"visual.merger.norm.weight": "../outside.safetensors"}}))
    assert "names files that are not beside it" in refusal(tmp_path, model)
    index.write_text("[]")
    assert "cannot be read (TypeError" in refusal(tmp_path, model)


class Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_would_run_something_is_not_opened(model: Any, eye: Weights, tmp_path: Path) -> None:
    torch.save({**eye, "merger.norm.weight": Hostile(tmp_path / "harmed")}, tmp_path / "eye.pt")
    assert "it is no file of weights alone (UnpicklingError" in refusal(tmp_path / "eye.pt", model)
    (tmp_path / "plain.bin").write_bytes(pickle.dumps(Hostile(tmp_path / "harmed")))
    assert "it is no file of weights alone" in refusal(tmp_path / "plain.bin", model)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("stored", [[], {}, {"a": 1}, {1: torch.zeros(1)}, torch.zeros(2)])
def test_files_without_weights_by_name(stored: object, model: Any, tmp_path: Path) -> None:
    torch.save(stored, tmp_path / "eye.pt")
    assert "holds no state dict" in refusal(tmp_path / "eye.pt", model)


def test_damaged_files_and_values(eye: Weights, model: Any, tmp_path: Path) -> None:
    path = save_safetensors(eye, tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    assert "is no file of safetensors that can be read" in refusal(path, model)
    broken = save_torch({**eye, "merger.norm.weight": torch.full_like(eye["merger.norm.weight"], torch.nan)}, tmp_path)
    with pytest.raises(UserError, match=r"values in visual\.merger\.norm\.weight that are no numbers"):
        replace_vision_weights(
            str(broken), build_tiny_model("qwen3_vl", build_tiny_tokenizer()), FAMILIES["qwen3_vl"], "MODEL"
        )
