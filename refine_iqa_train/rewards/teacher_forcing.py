"""Teacher-forced passes of the model that is trained: what it would say next after texts that it is given.

No gradient, nothing is generated. Rows are padded on the left. All processes run the same number of passes (ZeRO-3 and
FSDP need that), the idle ones over a row that is thrown away.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Module

from distortlab.core.errors import UserError
from refine_iqa_train.models.protocols import PolicyTrainer, Tokenizer
from refine_iqa_train.models.rows import Chat

__all__ = ["TeacherForcing", "TeacherForcingJob", "find_digit_ids", "has_digit_tokens", "pad_left"]

DIGITS = "0123456789"


@dataclass(frozen=True, slots=True)
class TeacherForcingJob:
    """One row of a pass: a chat with its images, and the tokens that follow it."""

    prompt: Chat
    tail: tuple[int, ...]


class TeacherForcing:
    """Runs jobs through the model of a trainer, `micro_batch` rows in a pass."""

    def __init__(self, trainer: PolicyTrainer, micro_batch: int = 8) -> None:
        self.trainer, self.micro_batch = trainer, micro_batch
        self.processor = trainer.processing_class
        self.tokenizer = self.processor.tokenizer

    def run(
        self,
        jobs: Sequence[TeacherForcingJob],
        spare: Chat,
        keep: int,
        read: Callable[[Tensor, Tensor], Tensor],
    ) -> list[Tensor]:
        """What `read` returns for each pass, on the CPU.

        Parameters
        ----------
        jobs
            The rows of this process; other processes may have more or fewer.
        spare
            A prompt for the passes that other processes need and this one does not.
        keep
            How many last positions have logits.
        read
            Called with logits (B, keep, V) and the ids of the rows, padded on the left, (B, T).
        """
        batches = [jobs[start : start + self.micro_batch] for start in range(0, len(jobs), self.micro_batch)]
        tail = (self.tokenizer.pad_token_id,) * keep
        idle = [[TeacherForcingJob(spare, tail)]] * (self._agree_on_passes(len(batches)) - len(batches))
        with torch.no_grad(), _evaluation_mode(self.trainer.model):
            outputs = [self._run_pass(batch, keep, read) for batch in [*batches, *idle]]
        return outputs[: len(batches)]

    def _agree_on_passes(self, passes: int) -> int:
        """The largest number of passes that a process needs."""
        accelerator = self.trainer.accelerator
        return int(accelerator.gather(torch.tensor([passes], device=accelerator.device)).max())

    def _run_pass(
        self, jobs: Sequence[TeacherForcingJob], keep: int, read: Callable[[Tensor, Tensor], Tensor]
    ) -> Tensor:
        accelerator = self.trainer.accelerator
        batch = {name: value.to(accelerator.device) for name, value in self._make_batch(jobs).items()}
        with accelerator.autocast():
            logits = self.trainer.model(**batch, logits_to_keep=keep, use_cache=False).logits
        return read(logits[:, -keep:], batch["input_ids"]).cpu()

    def _make_batch(self, jobs: Sequence[TeacherForcingJob]) -> dict[str, Tensor]:
        """Inputs of the model, padded on the left: chat, then tail."""
        encoded = self.processor.apply_chat_template(
            [job.prompt for job in jobs], add_generation_prompt=True, tokenize=True, return_dict=True
        )
        heads = encoded.pop("input_ids")
        encoded.pop("attention_mask")
        rows = [[*head, *job.tail] for head, job in zip(heads, jobs, strict=True)]
        batch = {
            "input_ids": pad_left(rows, self.tokenizer.pad_token_id),
            "attention_mask": pad_left([[1] * len(row) for row in rows], 0),
        }
        for name, value in encoded.items():
            if name.endswith("token_type_ids"):  # of the prompt alone; text follows it
                batch[name] = pad_left([[*v, *[0] * len(job.tail)] for v, job in zip(value, jobs, strict=True)], 0)
            else:
                batch[name] = value if isinstance(value, Tensor) else torch.as_tensor(_stack_arrays(value))
        return batch


def pad_left(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Put rows of different lengths into one tensor, (B, longest), filled up on the left."""
    width = max(map(len, rows))
    return torch.tensor([[fill] * (width - len(row)) + list(row) for row in rows])


def _stack_arrays(value: object) -> object:
    import numpy as np

    return np.stack(value) if isinstance(value, list) else value


@contextmanager
def _evaluation_mode(model: Module) -> Iterator[None]:
    """Without dropout, and without checkpointing, which only training needs."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


# --- tokens -----------------------------------------------------------------------------------------------------


def has_digit_tokens(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer writes scores digit by digit: only then has a digit a probability."""
    ids = [tokenizer.convert_tokens_to_ids(char) for char in "3.44"]
    return None not in ids and tokenizer.encode("Score: 3.44", add_special_tokens=False)[-4:] == ids


def find_digit_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """Look up the token of every digit and of the point. Raises `UserError` for a tokenizer that joins digits."""
    if not has_digit_tokens(tokenizer):
        raise UserError(
            "the probability difference needs a tokenizer that spells numbers digit by digit, as those of Qwen and "
            "Llama 2 do; set rewards.weights.probability_difference: 0, or take another model"
        )
    ids = {char: tokenizer.convert_tokens_to_ids(char) for char in f"{DIGITS}."}
    return {char: number for char, number in ids.items() if number is not None}
