"""Entropy that is held up while a model trains: the keys below `exploration` of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from distortlab.core.errors import UserError

__all__ = ["ENTROPY_KEYS", "ExplorationRules", "make_entropy_values"]

ENTROPY_KEYS = (
    "use_adaptive_entropy",
    "entropy_coef",
    "entropy_coef_min",
    "entropy_coef_max",
    "entropy_coef_delta",
    "entropy_target",
)
"""The keys of TRL that stand for the same."""


@dataclass(frozen=True, slots=True)
class ExplorationRules:
    """A bonus for uncertain answers that grows while their entropy is below a target (arXiv 2505.22312, as in TRL).

    Parameters
    ----------
    entropy_target
        The mean entropy of a token that is held, above 0.
    unit
        Of the target: "nats", or "start", the entropy of the first step (.5 is half of it).
    coef, coef_step, coef_max
        The weight of the bonus at first, what is added to it after a step whose entropy is not above the target and
        taken off after any other, and the largest. The bonus counts only while the entropy is not above the target.
    """

    entropy_target: float
    unit: Literal["nats", "start"] = "nats"
    coef: float = 0.0
    coef_step: float = 0.005
    coef_max: float = 1.0


def make_entropy_values(rules: ExplorationRules | None, trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Make TRL's values for the rules; a target in the unit "start" is 0 until the first step has been measured.

    Parameters
    ----------
    rules
        None: none.
    trainer
        The keys below `trainer`.

    Raises
    ------
    UserError
        Where keys of TRL ask for another bonus.
    """
    if rules is None:
        return {}
    given = next((key for key in ENTROPY_KEYS if key in trainer), None)
    if given is not None:
        raise UserError(
            f"trainer.{given} and exploration set the same bonus; leave one of them out (exploration.entropy_target "
            "stands for trainer.entropy_target, exploration.coef for trainer.entropy_coef)"
        )
    return {
        "use_adaptive_entropy": True,
        "entropy_coef": rules.coef,
        "entropy_coef_delta": rules.coef_step,
        "entropy_coef_max": rules.coef_max,
        "entropy_target": rules.entropy_target if rules.unit == "nats" else 0.0,
    }
