"""Controls: runs in which something is permuted on purpose, so that what they teach can be compared with nothing."""

from collections.abc import Sequence

from distortlab.core.errors import UserError
from refine_iqa_train.config.schema import Config

__all__ = ["check_not_pushed", "format_marks", "list_controls"]


def list_controls(config: Config) -> tuple[str, ...]:
    """List what makes a run a control, one sentence each; none of an ordinary run."""
    controls = []
    if config.data.shuffle_solutions:
        controls.append("solutions are permuted among the questions of each task (data.shuffle_solutions)")
    if config.rewards.shuffle == "group":
        controls.append("rewards are permuted among the answers to each question (rewards.shuffle: group)")
    if config.rewards.shuffle == "batch":
        controls.append("rewards are permuted among all answers of a task in a batch (rewards.shuffle: batch)")
    return tuple(controls)


def check_not_pushed(config: Config) -> None:
    """Raise `UserError` where a control is to be pushed."""
    controls = list_controls(config)
    if config.hub.id is not None and controls:
        raise UserError(
            f"hub.id: this run is a control, {' and '.join(controls)}, and its model is not pushed; leave hub.id out, "
            "or turn the control off"
        )


def format_marks(controls: Sequence[str]) -> str:
    """What a card says of a control in Markdown, a paragraph for each sentence; "" where there is none."""
    return "".join(f"\n> **CONTROL, not a model to use**: {control}.\n" for control in controls)
