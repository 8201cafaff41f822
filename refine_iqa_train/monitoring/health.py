"""What can be seen to go wrong while a model trains: a collapse of entropy, and a form that is not learnt."""

from refine_iqa_train.monitoring.held_out import Logs

__all__ = ["HealthMonitor", "is_supervised"]

ENTROPY_COLLAPSE = 1 / 3
"""Of the entropy at the start: below it the policy has nearly stopped trying different answers."""
LEAST_FORMAT, PATIENCE = 0.6, 30
"""A form reward below this for so many steps holds everything else up."""


class HealthMonitor:
    """Watches logged steps for a collapse of entropy and for a form that is not learnt."""

    def __init__(self) -> None:
        self._first_entropy: float | None = None
        self._last_formed_step = 0
        self._noted_names: set[str] = set()

    def check_step(self, logs: Logs, step: int) -> list[str]:
        """Look at a logged step of GRPO; returns notes, each of them once in the life of the monitor."""
        if is_supervised(logs):  # its entropy falls as it should
            return []
        notes = {"entropy": self._check_entropy(logs.get("entropy")), "form": self._check_form(logs, step)}
        new_notes = {name: note for name, note in notes.items() if note and name not in self._noted_names}
        self._noted_names |= set(new_notes)
        return list(new_notes.values())

    def _check_entropy(self, entropy: float | None) -> str:
        if entropy is None:
            return ""
        self._first_entropy = entropy if self._first_entropy is None else self._first_entropy
        if entropy >= ENTROPY_COLLAPSE * self._first_entropy:
            return ""
        return (
            f"entropy is {entropy:.3f}, less than a third of its {self._first_entropy:.3f} at the start: answers "
            "become alike, and groups of equal rewards teach nothing (zero std). A lower trainer.learning_rate, "
            "trainer.beta or trainer.entropy_coef above 0, or trainer.epsilon_high keep it up (docs/training.md)"
        )

    def _check_form(self, logs: Logs, step: int) -> str:
        form = logs.get("rewards/format/mean")
        if form is None or form >= LEAST_FORMAT:
            self._last_formed_step = self._last_formed_step if form is None else step
            return ""
        if step - self._last_formed_step < PATIENCE:
            return ""
        return (
            f"the form reward has been below {LEAST_FORMAT:g} for {step - self._last_formed_step} steps (now "
            f"{form:.3f}): answers without the form earn little else. Look at the pages below out/samples; a cold "
            "start (sft) teaches the form, and where `clipped` is high, trainer.max_completion_length is too short"
        )


def is_supervised(logs: Logs) -> bool:
    """Whether a logged step is one of the cold start."""
    return "mean_token_accuracy" in logs
