"""Scores without thinking: against one image at a time and the harness's own reading."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from distortlab.tasks import quality
from refine_bench.prompts.answers import Answer, Token
from refine_bench.prompts.protocols import find_protocol
from refine_bench.prompts.score_reader import read_score
from refine_iqa_train.models.processors import load_processor
from refine_iqa_train.rewards.direct_scores import DirectScorer

FAMILIES = ("llava", "qwen2_5_vl", "qwen3_vl")


def prompt(row: int, think: bool = True) -> list[dict[str, Any]]:
    """A question about a picture of its own size."""
    pixels = np.random.default_rng(row).integers(0, 255, (96, 96 + 16 * row, 3), dtype=np.uint8)
    content = [
        {"type": "image", "image": Image.fromarray(pixels)},
        {"type": "text", "text": quality.question(0, think)},
    ]
    return [{"role": "user", "content": content}]


def likely_digits(folder: Path, adapters: bool) -> Any:
    """A tiny model that gives digits a probability after "Score:", with adapters or without."""
    from transformers import AutoModelForImageTextToText

    model = AutoModelForImageTextToText.from_pretrained(folder, attn_implementation="eager")
    if adapters:
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(0)
        rules = LoraConfig(r=4, target_modules="all-linear", exclude_modules=r".*vision.*|.*visual.*")
        model = get_peft_model(model, rules)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.1)
    return model.train()


def brute_force(model: Any, processor: Any, chat: Any) -> Answer:
    """The answer whose score begins with a digit, with the probabilities of all tokens there: one image, no padding."""
    inputs = processor.apply_chat_template(
        [chat], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    stem = torch.tensor([processor.tokenizer.encode("<answer>Score:", add_special_tokens=False)])
    inputs["input_ids"] = torch.cat([inputs["input_ids"], stem], 1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    if "mm_token_type_ids" in inputs:
        inputs["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(stem)], 1)
    with torch.no_grad():
        odds = model.eval()(**inputs).logits[0, -1].double().log_softmax(-1)
    words = processor.tokenizer.convert_ids_to_tokens(range(len(odds)))
    tokens = (Token("<answer>Score:"), Token("3", tuple(zip(words, odds.tolist(), strict=True))), Token(".00</answer>"))
    return Answer(text="<answer>Score:3.00</answer>", tokens=tokens)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks for it
@pytest.mark.parametrize("adapters", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_what_the_harness_reads_one_image_at_a_time(
    tiny: Any, monkeypatch: pytest.MonkeyPatch, family: str, adapters: bool
) -> None:
    monkeypatch.setattr(quality, "LEAST_MASS", 0.0)  # a model with random weights hardly thinks of digits
    processor, _ = load_processor(str(tiny(family)))
    model = likely_digits(tiny(family), adapters)
    trainer = SimpleNamespace(model=model, processing_class=processor, accelerator=Accelerator(cpu=True))
    names = ["a", "b", "b", "other", "c", "d"]
    rows = [{"sample_id": name, "task": "grounding" if name == "other" else "quality"} for name in names]
    found = DirectScorer(trainer, micro_batch=3).score(rows, [prompt(names.index(name)) for name in names])
    assert list(found) == ["a", "b", "c", "d"]
    assert model.training
    for name, score in found.items():
        answer = brute_force(model, processor, prompt(names.index(name), think=False))
        exact = read_score(answer, find_protocol("refine-iqa-no-think"))
        assert score == pytest.approx(exact.value, abs=1e-5)
    assert len({round(score, 6) for score in found.values() if score is not None}) == 4


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_the_expectation_of_a_digit(weights: list[float]) -> None:
    total = max(1.0, sum(weights))
    odds = {level: weight / total for level, weight in zip(quality.LEVELS, weights, strict=True)}
    found, mass = quality.compute_expected_digit(odds), sum(odds.values())
    assert (found is None) == (mass <= 0.05)
    if found is not None:
        assert found[0] == pytest.approx(np.average(quality.LEVELS, weights=list(odds.values())))
        assert found[1] == pytest.approx(mass)


def test_the_expectation_of_the_paper() -> None:
    assert quality.compute_expected_digit({3: 0.379, 4: 0.621}) == (pytest.approx(3.621), pytest.approx(1.0))
