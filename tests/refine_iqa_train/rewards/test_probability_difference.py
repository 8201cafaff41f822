"""The probability difference against one token at a time, for three architectures, and what it does with odd rows."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from PIL import Image

from distortlab.core.errors import UserError
from distortlab.tasks import quality
from refine_iqa_train.models.chat import direct_prompt
from refine_iqa_train.models.processors import load_processor
from refine_iqa_train.rewards.probability_difference import ProbabilityDifference, split_at_score, weighted_difference
from refine_iqa_train.rewards.teacher_forcing import find_digit_ids

FAMILIES = ("llava", "qwen2_5_vl", "qwen3_vl")
ROWS = (
    # completion, true score: digits in the thinking, two ways to write the score, MOS of 5.0 and 3.5, wrong, unparsable
    ("<think>The image looks blurry.</think><answer>Score: 3.21</answer>", 3.44),
    ("<think>iso 400, 4.5 of 5, Score: 2.22 </think> <answer> Score:1.10</answer>", 1.0),
    ("<think>fine é 图</think><answer>Score:4.90</answer>", 5.0),
    ("<think>a\nb</think>\n<answer>\nScore:  3.55 </answer>", 3.5),
    ("<think>x</think><answer>Score: 4.9</answer>", 4.9),
    ("no format at all", 2.5),
    ("<think>far</think><answer>Score: 1.00</answer>", 4.71),
    ("<think>twice</think><answer>Score: 3.00</answer>", 3.0),
)
OPEN = [0, 1, 2, 3, 7]


@pytest.fixture(scope="module", params=FAMILIES)
def bound(request: pytest.FixtureRequest, tiny: Any) -> tuple[ProbabilityDifference, list[Any], list[list[int]]]:
    """The reward on a model, prompts with images of different sizes, completions as tokens."""
    from transformers import AutoModelForImageTextToText

    folder = tiny(request.param)
    processor, _ = load_processor(str(folder))
    model = AutoModelForImageTextToText.from_pretrained(folder, attn_implementation="eager").train()
    reward = ProbabilityDifference("per-token", micro_batch=3)
    reward.bind(SimpleNamespace(model=model, processing_class=processor, accelerator=Accelerator(cpu=True)))
    tokenizer = processor.tokenizer
    ids = [[*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id] for text, _ in ROWS]
    letters = [token for char in ROWS[0][0] for token in tokenizer.encode(char, add_special_tokens=False)]
    ids[0] = [*letters, tokenizer.eos_token_id]  # not how the tokenizer would write it, but how a model may
    return reward, [_prompt(row) for row in range(len(ROWS))], ids


def _prompt(row: int) -> list[dict[str, Any]]:
    pixels = np.random.default_rng(row).integers(0, 255, (96, 96 + 16 * row, 3), dtype=np.uint8)
    content = [{"type": "image", "image": Image.fromarray(pixels)}, {"type": "text", "text": quality.question()}]
    return [{"role": "user", "content": content}]


def columns(prompts: list[Any], ids: list[list[int]]) -> dict[str, Any]:
    return {
        "prompts": prompts,
        "completions": [[{"role": "assistant", "content": text}] for text, _ in ROWS],
        "completion_ids": ids,
        "task": ["quality"] * len(ROWS),
        "solution": [quality.truth(mos) for _, mos in ROWS],
        "sample_id": [str(row) for row in range(len(ROWS))],
    }


def brute_force(reward: ProbabilityDifference, prompt: Any, tail: list[int], score: str) -> list[float]:
    """One sequence at a time, unpadded, one token after the other."""
    chat = reward.forcing.processor.apply_chat_template(
        [prompt], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    found, given = [], list(tail)
    for char in score:
        batch = dict(chat)
        added = torch.tensor([given], dtype=torch.long)
        batch["input_ids"] = torch.cat([chat["input_ids"], added], 1)
        batch["attention_mask"] = torch.ones_like(batch["input_ids"])
        if "mm_token_type_ids" in chat:
            batch["mm_token_type_ids"] = torch.cat([chat["mm_token_type_ids"], torch.zeros_like(added)], 1)
        with torch.no_grad():
            logits = reward.forcing.trainer.model.eval()(**batch).logits[0, -1]
        if char.isdigit():
            found.append(logits.softmax(-1)[reward.ids[char]].item())
        given.append(reward.ids[char])
    return found


def test_it_is_what_one_token_at_a_time_gives(bound: Any) -> None:
    reward, prompts, ids = bound
    asked = columns(prompts, ids)
    values = reward(**asked)
    spread = 0.0
    for row in range(len(ROWS)):
        if row not in OPEN:
            assert values[row] == 0.0
            continue
        head, stem = split_at_score(reward.tokenizer, ids[row])
        think = brute_force(reward, prompts[row], head, asked["solution"][row])
        tail = reward.tokenizer.encode(stem, add_special_tokens=False)
        direct = brute_force(reward, direct_prompt(prompts[row]), tail, asked["solution"][row])
        weights = torch.full((3,), 1 / 3, dtype=torch.float64)
        exact = weighted_difference(
            torch.tensor([think], dtype=torch.float64), torch.tensor([direct], dtype=torch.float64), weights
        )
        assert values[row] == pytest.approx(exact.item(), abs=1e-6)
        spread = max(spread, abs(sum(think) - sum(direct)))
    assert spread > 1e-5, "a test in which the two sides agree would show nothing"


def test_the_two_passes_alone_are_exact_too(bound: Any) -> None:
    """The difference is clamped at 0; what it is made of is compared here."""
    reward, prompts, ids = bound
    heads = [split_at_score(reward.tokenizer, ids[row])[0] for row in OPEN]
    jobs = [reward.make_job(prompts[row], head, "5.00") for row, head in zip(OPEN, heads, strict=True)]
    found = reward.compute_probabilities(jobs, prompts[0])
    for row, (job, head) in enumerate(zip(jobs, heads, strict=True)):
        exact = brute_force(reward, job.prompt, head, "5.00")
        assert found[row].tolist() == pytest.approx(exact, abs=1e-6)


def test_no_gradient_no_dropout_and_the_model_is_left_as_it_was(bound: Any) -> None:
    reward, prompts, ids = bound
    model = reward.forcing.trainer.model.train()
    reward(**columns(prompts, ids))
    assert model.training
    assert all(weight.grad is None for weight in model.parameters())


def test_the_split_keeps_every_token_before_the_score(bound: Any) -> None:
    reward, _, ids = bound
    decode = reward.tokenizer.decode
    for row, (text, _) in enumerate(ROWS):
        found = split_at_score(reward.tokenizer, ids[row])
        if quality.find_digit(text) is None:
            assert found is None
            continue
        head, stem = found
        assert ids[row][: len(head)] == head
        assert decode(head) == text[: quality.find_digit(text)]
        assert decode(head).endswith(stem)


def test_rows_of_other_tasks_are_not_its_business(bound: Any) -> None:
    reward, prompts, ids = bound
    asked = columns(prompts, ids) | {"task": ["grounding"] * len(ROWS)}
    assert reward(**asked) == [None] * len(ROWS)


def test_weights_and_clamp() -> None:
    think = torch.tensor([[0.9, 0.5, 0.1], [0.1, 0.1, 0.1], [1.0, 1.0, 1.0]])
    direct = torch.tensor([[0.8, 0.2, 0.3], [0.2, 0.2, 0.2], [0.0, 0.0, 0.0]])
    assert weighted_difference(think, direct, torch.tensor([0.0, 1.0, 0.0])).tolist() == pytest.approx([0.3, 0.0, 1.0])
    assert weighted_difference(think, direct, torch.full((3,), 1 / 3)).tolist() == pytest.approx([0.2 / 3, 0.0, 1.0])
    assert ProbabilityDifference("released").weights.tolist() == [0.0, 1.0, 0.0]


def test_a_tokenizer_that_joins_digits_is_refused() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<unk>": 0, "Score:": 1, "3.44": 2, **{char: 3 + n for n, char in enumerate("0123456789.")}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    with pytest.raises(UserError, match="digit by digit"):
        find_digit_ids(PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>"))
