"""Attention over windows of one length at once gives what the loop of transformers gives, whatever the windows are."""

import json
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from refine_iqa_train.models.vision_attention import NAME, attend_to_windows, use_batched_attention
from refine_iqa_train.training.tiny_model import build_tiny_model
from refine_iqa_train.training.tiny_processor import build_tiny_tokenizer

ALIKE, UNEQUAL, SOME = [(1, 8, 8)] * 3, [(1, 8, 8), (1, 6, 10)], [(1, 8, 8), (1, 12, 10), (1, 4, 4), (1, 8, 8)]


@pytest.fixture(scope="module", params=["qwen3_vl", "qwen2_5_vl"])
def model(request: pytest.FixtureRequest) -> Any:
    return build_tiny_model(request.param, build_tiny_tokenizer(request.param))


def see(model: Any, sizes: list[tuple[int, int, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """What the model sees in images of noise, and the gradient of a weight of the first attention."""
    grid, visual = torch.tensor(sizes), model.model.visual
    pixels = torch.randn(int(grid.prod(1).sum()), 384, generator=torch.Generator().manual_seed(0))
    model.zero_grad()
    tokens = visual(pixels, grid_thw=grid).pooler_output
    tokens.square().mean().backward()
    return tokens.detach(), visual.blocks[0].attn.qkv.weight.grad.clone()


@pytest.mark.parametrize("sizes", [ALIKE, UNEQUAL, SOME])
def test_tokens_and_gradients_are_those_of_the_stock_code(
    model: Any, sizes: list[tuple[int, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model.set_attn_implementation({"vision_config": "sdpa"})
    stock = see(model, sizes)
    calls: list[int] = []
    monkeypatch.setattr(
        "refine_iqa_train.models.vision_attention.scaled_dot_product_attention",
        lambda *parts, **options: calls.append(len(parts[0])) or scaled_dot_product_attention(*parts, **options),
    )
    assert use_batched_attention(model)
    for ours, theirs in zip(see(model, sizes), stock, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    assert calls, "the stock code was run twice"
    if sizes == ALIKE:
        assert len(calls) == len(model.model.visual.blocks), "one call for a layer"


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=7), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_window_sees_itself_alone(lengths: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    query, key, value = (torch.randn(1, 2, sum(lengths), 4, generator=generator, dtype=torch.float64) for _ in range(3))
    ends = torch.tensor([0, *lengths]).cumsum(0)
    found, _ = attend_to_windows(torch.nn.Identity(), query, key, value, cu_seq_lens_q=ends, scaling=0.7)
    parts = [part.split(lengths, 2) for part in (query, key, value)]
    alone = [scaled_dot_product_attention(q, k, v, scale=0.7) for q, k, v in zip(*parts, strict=True)]
    torch.testing.assert_close(found, torch.cat(alone, 2).transpose(1, 2))


def test_the_language_model_and_the_files_stay_as_they_are(model: Any) -> None:
    assert use_batched_attention(model)
    assert use_batched_attention(model), "twice is once"
    assert model.config.vision_config._attn_implementation == NAME
    assert model.config._attn_implementation == model.config.text_config._attn_implementation == "sdpa"
    assert NAME not in json.dumps(model.config.to_dict())


def test_other_models_are_left_alone(model: Any) -> None:
    assert not use_batched_attention(build_tiny_model("llava", build_tiny_tokenizer("llava")))
    model.set_attn_implementation({"vision_config": "eager"})
    assert not use_batched_attention(model)
    assert model.config.vision_config._attn_implementation == "eager"
    model.set_attn_implementation({"vision_config": "sdpa"})
