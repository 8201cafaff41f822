"""The probability difference of Refine-IQA: how much the model's own thinking helps it to the true score.

The digits of the true score are put in place of the model's own. Their probability after the thinking, less their
probability where the same question is answered at once, is the reward, in [0, 1], where form and answer are right.
Two teacher-forced passes without gradient; nothing is generated.

The splice is made on tokens, not on text: what the model wrote before its score is left exactly as it wrote it. Only
rows that pass the gate are computed.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from distortlab.tasks import quality
from refine_iqa_train.models.chat import direct_prompt
from refine_iqa_train.models.protocols import PolicyTrainer, Tokenizer
from refine_iqa_train.models.rows import Chat, Completion
from refine_iqa_train.rewards.task_rewards import LogMetric, get_text, is_fully_correct
from refine_iqa_train.rewards.teacher_forcing import TeacherForcing, TeacherForcingJob, find_digit_ids

__all__ = [
    "DIGIT_WEIGHTS",
    "ProbabilityDifference",
    "digit_probabilities",
    "split_at_score",
    "weighted_difference",
]

DIGIT_WEIGHTS = {"released": (0.0, 1.0, 0.0), "per-token": (1 / 3, 1 / 3, 1 / 3)}
"""Weights of the digits of "d.dd": the released code counts the first decimal, the figure sums over the digits."""

SCORE_TOKENS, DIGIT_POSITIONS = len("3.44"), [0, 2, 3]
"""Tokens of a score, and those that are digits."""


# --- tensors --------------------------------------------------------------------------------------------------------


def digit_probabilities(logits: Tensor, targets: Tensor) -> Tensor:
    """Probabilities of the last K ids of each row.

    Parameters
    ----------
    logits
        (B, K + 1, V) of the last K + 1 positions.
    targets
        (B, K), the ids.

    Returns
    -------
    Tensor
        (B, K) float, 0 to 1.
    """
    return logits[:, :-1].float().softmax(-1).gather(-1, targets[..., None])[..., 0]  # (B, K)


def weighted_difference(think: Tensor, direct: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum over the digits of the differences of probabilities, between 0 and 1.

    Parameters
    ----------
    think, direct
        (B, D) float: with thinking and without.
    weights
        (D,) float.

    Returns
    -------
    Tensor
        (B,) float, 0 to 1.
    """
    return ((think - direct) @ weights).clamp(0, 1)


# --- tokens ---------------------------------------------------------------------------------------------------------


def split_at_score(tokenizer: Tokenizer, ids: Sequence[int]) -> tuple[list[int], str] | None:
    """Split a completion where its score begins.

    A token that holds other characters in front of the first digit is cut, and they are written again.

    Parameters
    ----------
    tokenizer
        That of the model.
    ids
        The tokens of the completion.

    Returns
    -------
    tuple or None
        The tokens before the first digit of the score, and the text from `<answer>` to that digit; None without a
        score.
    """
    text = tokenizer.decode(ids, skip_special_tokens=True)
    digit_place = quality.find_digit(text)
    if digit_place is None:
        return None
    low, high = 1, len(ids)
    while low < high:  # the shortest beginning that holds the digit
        middle = (low + high) // 2
        if len(tokenizer.decode(ids[:middle], skip_special_tokens=True)) > digit_place:
            high = middle
        else:
            low = middle + 1
    head = list(ids[: low - 1])
    cut = text[len(tokenizer.decode(head, skip_special_tokens=True)) : digit_place]
    return head + tokenizer.encode(cut, add_special_tokens=False) if cut else head, text[
        text.rindex("<answer>", 0, digit_place) : digit_place
    ]


# --- the reward -----------------------------------------------------------------------------------------------------


class ProbabilityDifference:
    """TRL reward; `bind` it to its trainer.

    Parameters
    ----------
    weights
        Of the digits of "d.dd": three numbers, or a name of `DIGIT_WEIGHTS`.
    threshold
        The largest distance to the true score that the gate lets through.
    micro_batch
        Rows in a pass.
    """

    __name__ = "probability_difference"

    def __init__(
        self, weights: str | Sequence[float] = "released", threshold: float = 0.5, micro_batch: int = 8
    ) -> None:
        self.weights = torch.tensor(DIGIT_WEIGHTS[weights] if isinstance(weights, str) else tuple(weights))
        self.threshold, self.micro_batch = threshold, micro_batch

    def bind(self, trainer: PolicyTrainer) -> None:
        """The trainer has the model, the processor and the other processes."""
        self.forcing = TeacherForcing(trainer, self.micro_batch)
        self.tokenizer = self.forcing.tokenizer
        self.ids = find_digit_ids(self.tokenizer)

    def __call__(
        self,
        prompts: Sequence[Chat],
        completions: Sequence[Completion],
        completion_ids: Sequence[Sequence[int]],
        task: Sequence[str],
        solution: Sequence[str],
        sample_id: Sequence[str],
        log_metric: LogMetric | None = None,
        **_: object,
    ) -> list[float | None]:
        """A value for each row about quality, 0 where the gate is shut; None for other tasks."""
        values: list[float | None] = [0.0 if name == "quality" else None for name in task]
        think: dict[int, TeacherForcingJob] = {}
        direct: dict[tuple[str, ...], TeacherForcingJob] = {}
        keys: dict[int, tuple[str, ...]] = {}
        for row, name in enumerate(task):
            if name != "quality" or not is_fully_correct(get_text(completions[row]), solution[row], self.threshold):
                continue
            head, stem = self._split_completion(completion_ids[row])
            think[row] = self.make_job(prompts[row], head, solution[row])
            keys[row] = (sample_id[row], stem, solution[row])
            tail = self.tokenizer.encode(stem, add_special_tokens=False)
            direct[keys[row]] = self.make_job(direct_prompt(prompts[row]), tail, solution[row])
        found = self.compute_probabilities([*think.values(), *direct.values()], prompts[0])  # (jobs, 3)
        if not think:
            return values
        after = found[: len(think)]
        place = {key: len(think) + number for number, key in enumerate(direct)}
        at_once = found[[place[keys[row]] for row in think]]
        for row, value in zip(think, weighted_difference(after, at_once, self.weights).tolist(), strict=True):
            values[row] = value
        if log_metric is not None:
            log_metric("pd/mean", sum(values[row] or 0.0 for row in think) / len(think))
            log_metric("pd/think", float((after @ self.weights).mean()))
            log_metric("pd/no_think", float((at_once @ self.weights).mean()))
        return values

    def make_job(self, prompt: Chat, tail: Sequence[int], score: str) -> TeacherForcingJob:
        """A row that ends with the digits of a score."""
        return TeacherForcingJob(prompt, (*tail, *(self.ids[char] for char in score)))

    def _split_completion(self, ids: Sequence[int]) -> tuple[list[int], str]:
        found = split_at_score(self.tokenizer, list(ids))
        assert found is not None, "a completion that passed the gate has a score"
        return found

    def compute_probabilities(self, jobs: Sequence[TeacherForcingJob], spare: Chat) -> Tensor:
        """Probability of each of the three digits at the end of each job's tail, (jobs, 3), on the CPU."""

        def read(logits: Tensor, ids: Tensor) -> Tensor:
            return digit_probabilities(logits, ids[:, -SCORE_TOKENS:])[:, DIGIT_POSITIONS]  # (B, 3)

        found = self.forcing.run(jobs, spare, SCORE_TOKENS + 1, read)
        return torch.cat(found) if found else torch.zeros(0, 3)
