"""A target of the entropy that is a share of what a run begins with: measured in the first step, kept in checkpoints.

TRL's controller does the rest. It reads its target anew in every step (`args.entropy_target`).
"""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from transformers import TrainerCallback

from distortlab.core.errors import UserError
from distortlab.storage.atomic import read_json, write_json
from refine_iqa_train.config.schema import ExplorationRules

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

__all__ = ["STATE_FILE", "EntropyTargetCallback", "check_target", "read_first_entropy"]

STATE_FILE = "exploration.json"


class EntropyTrainer(Protocol):
    """TRL's trainer: its arguments, and the entropy of its last step, infinite before the first one."""

    args: "TrainingArguments"
    _last_world_entropy: float


def check_target(rules: ExplorationRules | None, stage: str, most: float) -> None:
    """Check that a target can be computed and reached.

    Parameters
    ----------
    rules
        None: nothing is held.
    stage
        "sft", "stage1" or "stage2".
    most
        The entropy of a model to which all tokens are alike, in nats.

    Raises
    ------
    UserError
        For a cold start, which answers nothing, and a target that no answer reaches.
    """
    if rules is None:
        return
    if stage == "sft":
        raise UserError("exploration is for stages: a cold start samples no answers whose entropy could be held")
    if rules.unit == "nats" and rules.entropy_target >= most:
        raise UserError(
            f"exploration.entropy_target = {rules.entropy_target:g} nats cannot be reached: where all tokens are alike "
            f"the entropy is {most:.2f}; look at `entropy` in the first steps, or give a share of it with unit: start"
        )


def read_first_entropy(checkpoint: Path) -> float:
    """Read the entropy of the first step of the run that a checkpoint is of.

    Raises
    ------
    UserError
        Where the checkpoint does not hold it.
    """
    state = read_json(checkpoint / STATE_FILE)
    value = state.get("first_entropy") if isinstance(state, dict) else None
    if not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise UserError(
            f"{checkpoint} does not hold the entropy of the first step ({STATE_FILE}), of which "
            "exploration.entropy_target is a share (unit: start); begin a new run from its weights "
            f"(model: {checkpoint}) with another out"
        )
    return float(value)


class EntropyTargetCallback(TrainerCallback):  # type: ignore[misc]
    """Sets the target when the first step has been measured, and writes it into every checkpoint.

    Parameters
    ----------
    trainer
        The one whose target it is.
    rules
        With the unit "start".
    first
        The entropy of the first step, where a run goes on.
    """

    def __init__(self, trainer: EntropyTrainer, rules: ExplorationRules, first: float | None = None) -> None:
        self._trainer, self._rules = trainer, rules
        self._first: float | None = None
        if first is not None:
            self._set_target(first)

    def _set_target(self, first: float) -> None:
        self._first = first
        self._trainer.args.entropy_target = self._rules.entropy_target * first

    def on_step_end(
        self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **_: object
    ) -> None:
        """After the first step; raises `UserError` where no entropy was measured, or none was left."""
        if self._first is not None:
            return
        first = float(self._trainer._last_world_entropy)
        if not isfinite(first) or first <= 0:
            raise UserError(
                f"exploration.entropy_target cannot be computed (unit: start): the entropy of the first step is "
                f"{first:g}. Give a target in nats; or, where all answers were cut off and left out "
                "(trainer.mask_truncated_completions), a larger trainer.max_completion_length"
            )
        self._set_target(first)

    def on_save(self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **_: object) -> None:
        """After a checkpoint was saved; before `RecordCallback`, which says that all is there."""
        if state.is_world_process_zero and self._first is not None:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            write_json(folder / STATE_FILE, {"first_entropy": self._first})
