"""What is noted while a model trains: a collapse of entropy, a form that is not learnt; each thing once."""

import pytest

from refine_iqa_train.monitoring.health import HealthMonitor


def notes(rows: list[tuple[int, float, float]]) -> list[tuple[int, str]]:
    """(step, first word) of the notes about steps with a form reward and an entropy."""
    health, found = HealthMonitor(), []
    for step, form, entropy in rows:
        logs = {"reward": 1.0, "rewards/format/mean": form, "entropy": entropy}
        found += [(step, note.split()[1]) for note in health.check_step(logs, step)]
    return found


def test_a_collapse_of_entropy_is_noted_once() -> None:
    assert notes([(1, 1.0, 0.9), (2, 1.0, 0.31), (3, 1.0, 0.29), (4, 1.0, 0.2), (5, 1.0, 0.9), (6, 1.0, 0.1)]) == [
        (3, "is")
    ]
    cold = HealthMonitor()
    assert [cold.check_step({"entropy": n, "mean_token_accuracy": 0.5}, 1) for n in (4.0, 0.1)] == [[], []]


@pytest.mark.parametrize("every", [1, 5, 10])
def test_a_form_that_is_not_learnt_is_noted_after_thirty_steps(every: int) -> None:
    steps = range(every, 101, every)
    assert notes([(step, 0.5, 1.0) for step in steps]) == [(30, "form")]
    assert notes([(step, 0.6, 1.0) for step in steps]) == []
    risen = [(step, 0.7 if step == 20 else 0.5, 1.0) for step in steps]
    assert notes(risen) == [(50, "form")]
