"""The probability difference of Refine-IQA: how much the model's own thinking helps it to the true score.

The digits of the true score are put in place of the model's own. Their probability after the thinking, less their
probability where the same question is answered at once, is the reward, in [0, 1], where form and answer are right.
Two teacher-forced passes without gradient; nothing is generated.

The splice is made on tokens, not on text: what the model wrote before its score is left exactly as it wrote it. Only
rows that pass the gate are computed. All processes run the same number of passes (ZeRO-3 and FSDP need that), the
idle ones over a row that is thrown away.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from distortlab.errors import UserError
from distortlab.tasks import quality
from refine_iqa_train.rewards import Log, fully_right, text_of

__all__ = [
    "DIGITS",
    "Job",
    "ProbabilityDifference",
    "difference",
    "digit_ids",
    "digit_probabilities",
    "direct_prompt",
    "split_at_score",
]

DIGITS = {"released": (0.0, 1.0, 0.0), "per-token": (1 / 3, 1 / 3, 1 / 3)}
"""Weights of the digits of "d.dd": the released code counts the first decimal, the figure sums over the digits."""


# --- tensors --------------------------------------------------------------------------------------------------------


def digit_probabilities(logits: Tensor, targets: Tensor) -> Tensor:
    """Probabilities (B, K) of the last K ids: `logits` (B, K + 1, V) of the last K + 1 positions, `targets` (B, K)."""
    return logits[:, :-1].float().softmax(-1).gather(-1, targets[..., None])[..., 0]  # (B, K)


def difference(think: Tensor, direct: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum over the digits of (B, D) - (B, D), between 0 and 1; `weights` (D,). Result (B,)."""
    return ((think - direct) @ weights).clamp(0, 1)


def pad_left(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Rows of different lengths as one tensor, (B, longest)."""
    width = max(map(len, rows))
    return torch.tensor([[fill] * (width - len(row)) + list(row) for row in rows])


# --- tokens ---------------------------------------------------------------------------------------------------------


def digit_ids(tokenizer: Any) -> dict[str, int]:
    """The token of every digit and of the point. A tokenizer that joins digits is refused: they have no probability."""
    ids = {char: tokenizer.convert_tokens_to_ids(char) for char in "0123456789."}
    spelled = tokenizer.encode("Score: 3.44", add_special_tokens=False)[-4:]
    if None in ids.values() or spelled != [ids[char] for char in "3.44"]:
        raise UserError(
            "the probability difference needs a tokenizer that spells numbers digit by digit, as those of Qwen and "
            "Llama 2 do; set rewards.weights.probability_difference: 0, or take another model"
        )
    return ids


def split_at_score(tokenizer: Any, ids: Sequence[int]) -> tuple[list[int], str] | None:
    """(tokens before the first digit of the score, text from `<answer>` to that digit), or None without a score.

    A token that holds other characters in front of the digit is cut, and they are written again.
    """
    text = tokenizer.decode(ids, skip_special_tokens=True)
    at = quality.score_digit(text)
    if at is None:
        return None
    low, high = 1, len(ids)
    while low < high:  # the shortest beginning that holds the digit
        middle = (low + high) // 2
        if len(tokenizer.decode(ids[:middle], skip_special_tokens=True)) > at:
            high = middle
        else:
            low = middle + 1
    head = list(ids[: low - 1])
    cut = text[len(tokenizer.decode(head, skip_special_tokens=True)) : at]
    return head + tokenizer.encode(cut, add_special_tokens=False) if cut else head, text[
        text.rindex("<answer>", 0, at) : at
    ]


def direct_prompt(prompt: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same question with its images, to be answered without thinking."""
    text = quality.question(think=False)

    def changed(message: dict[str, Any]) -> dict[str, Any]:
        if message["role"] != "user":
            return message
        if isinstance(message["content"], str):
            return {**message, "content": text}
        return {**message, "content": [{**c, "text": text} if c["type"] == "text" else c for c in message["content"]]}

    return [changed(message) for message in prompt]


# --- the reward -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """One row of a pass: a chat with its images, what follows it, and the score whose digits are looked up."""

    prompt: Sequence[dict[str, Any]]
    tail: tuple[int, ...]
    score: str


class ProbabilityDifference:
    """TRL reward; `bind` it to its trainer. `micro_batch`: rows in a pass."""

    __name__ = "probability_difference"

    def __init__(
        self, weights: str | Sequence[float] = "released", threshold: float = 0.5, micro_batch: int = 8
    ) -> None:
        self.weights = torch.tensor(DIGITS[weights] if isinstance(weights, str) else tuple(weights))
        self.threshold, self.micro_batch = threshold, micro_batch
        self.trainer: Any = None

    def bind(self, trainer: Any) -> None:
        """The trainer has the model, the processor and the other processes."""
        self.trainer, self.processor = trainer, trainer.processing_class
        self.tokenizer = self.processor.tokenizer
        self.ids = digit_ids(self.tokenizer)

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        task: Sequence[str],
        solution: Sequence[str],
        sample_id: Sequence[str],
        log_metric: Log | None = None,
        **_: Any,
    ) -> list[float | None]:
        """A value for each row about quality, 0 where the gate is shut; None for other tasks."""
        values: list[float | None] = [0.0 if name == "quality" else None for name in task]
        think: dict[int, Job] = {}
        direct: dict[tuple[str, ...], Job] = {}
        keys: dict[int, tuple[str, ...]] = {}
        for row, name in enumerate(task):
            if name != "quality" or not fully_right(text_of(completions[row]), solution[row], self.threshold):
                continue
            head, stem = self._split(completion_ids[row])
            think[row] = Job(prompts[row], tuple(head), solution[row])
            keys[row] = (sample_id[row], stem, solution[row])
            tail = self.tokenizer.encode(stem, add_special_tokens=False)
            direct[keys[row]] = Job(direct_prompt(prompts[row]), tuple(tail), solution[row])
        found = self.probabilities([*think.values(), *direct.values()], prompts[0])  # (jobs, 3)
        if not think:
            return values
        after = found[: len(think)]
        place = {key: len(think) + number for number, key in enumerate(direct)}
        at_once = found[[place[keys[row]] for row in think]]
        for row, value in zip(think, difference(after, at_once, self.weights).tolist(), strict=True):
            values[row] = value
        if log_metric is not None:
            log_metric("pd/mean", sum(values[row] or 0.0 for row in think) / len(think))
            log_metric("pd/think", float((after @ self.weights).mean()))
            log_metric("pd/no_think", float((at_once @ self.weights).mean()))
        return values

    def _split(self, ids: Sequence[int]) -> tuple[list[int], str]:
        found = split_at_score(self.tokenizer, list(ids))
        assert found is not None, "a completion that passed the gate has a score"
        return found

    def probabilities(self, jobs: Sequence[Job], spare: Sequence[dict[str, Any]]) -> Tensor:
        """Probability of each of the three digits of each job's score, (jobs, 3), on the CPU.

        `spare` is a prompt for the passes that other processes need and this one does not.
        """
        batches = [jobs[start : start + self.micro_batch] for start in range(0, len(jobs), self.micro_batch)]
        idle = [[Job(spare, (), "3.00")]] * (self._agreed(len(batches)) - len(batches))
        with torch.no_grad(), _evaluating(self.trainer.model):
            found = [self._pass(batch) for batch in [*batches, *idle]]
        return torch.cat(found[: len(batches)]) if batches else torch.zeros(0, 3)

    def _agreed(self, passes: int) -> int:
        """The largest number of passes that a process needs."""
        accelerator = self.trainer.accelerator
        return int(accelerator.gather(torch.tensor([passes], device=accelerator.device)).max())

    def _pass(self, jobs: Sequence[Job]) -> Tensor:
        targets = [[self.ids[char] for char in job.score] for job in jobs]
        batch = self._batch(jobs, targets)
        accelerator = self.trainer.accelerator
        batch = {name: value.to(accelerator.device) for name, value in batch.items()}
        with accelerator.autocast():
            logits = self.trainer.model(**batch, logits_to_keep=len(targets[0]) + 1, use_cache=False).logits
        wanted = batch["input_ids"][:, -len(targets[0]) :]
        found = digit_probabilities(logits[:, -len(targets[0]) - 1 :], wanted).cpu()
        return found[:, [place for place, char in enumerate(jobs[0].score) if char.isdigit()]]

    def _batch(self, jobs: Sequence[Job], targets: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """Inputs of the model, padded on the left: chat, tail, digits."""
        encoded = self.processor.apply_chat_template(
            [job.prompt for job in jobs], add_generation_prompt=True, tokenize=True, return_dict=True
        )
        heads = encoded.pop("input_ids")
        encoded.pop("attention_mask")
        added = [[*job.tail, *target] for job, target in zip(jobs, targets, strict=True)]
        rows = [[*head, *tail] for head, tail in zip(heads, added, strict=True)]
        batch = {
            "input_ids": pad_left(rows, self.tokenizer.pad_token_id),
            "attention_mask": pad_left([[1] * len(row) for row in rows], 0),
        }
        for name, value in encoded.items():
            if name.endswith("token_type_ids"):  # of the prompt alone; text follows it
                batch[name] = pad_left([[*v, *[0] * len(a)] for v, a in zip(value, added, strict=True)], 0)
            else:
                batch[name] = value if isinstance(value, Tensor) else torch.as_tensor(_stacked(value))
        return batch


def _stacked(value: Any) -> Any:
    import numpy as np

    return np.stack(value) if isinstance(value, list) else value


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Without dropout, and without checkpointing, which only training needs."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
