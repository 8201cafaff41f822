"""What holds for every task: the registry, the scores from two strings, and what the package imports."""

import pickle
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab import recipe
from distortlab.tasks import (
    TASKS,
    Unread,
    Verdict,
    comparison,
    diagnosis,
    format_score,
    grounding,
    object,
    quality,
    recognition,
    score,
)
from distortlab.tasks.answer import format_completion, format_instruction

ASK: dict[str, Callable[[int], str]] = {
    "recognition": lambda wording: recognition.question(["noise", "blur"], False, wording),
    "recognition_reference": lambda wording: recognition.question(["noise", "blur"], True, wording),
    "object": lambda wording: object.question(["dog", "hot dog"], wording),
    "grounding": lambda wording: grounding.question("pixels", (640, 480), wording),
    "diagnosis": lambda wording: diagnosis.question("pixels", (640, 480), wording),
    "comparison": comparison.question,
    "comparison_regions": lambda wording: comparison.question_about_regions(
        (1, 2, 3, 4), (5, 6, 7, 8), (640, 480), "pixels", wording
    ),
    "quality": quality.question,
}
SOLUTIONS = {
    "recognition": "Noise, Severe",
    "recognition_reference": "Noise, Severe",
    "object": "hot dog",
    "grounding": "[1, 2, 3, 4]",
    "diagnosis": '[{"box": [1, 2, 3, 4], "type": "Noise", "severity": "Severe"}]',
    "comparison": "Second",
    "comparison_regions": "Second",
    "quality": "3.44",
}
MODULES = (recognition, recognition, object, grounding, diagnosis, comparison, comparison, quality)
SHAPES = {task: module.SHAPE for task, module in zip(TASKS, MODULES, strict=True)}
RATED = "quality"
"""Asked about rated images, in the published words; the generator asks the others."""


def test_the_tasks_are_those_of_the_recipe() -> None:
    assert tuple(TASKS) == (*recipe.TASKS, RATED) == tuple(ASK)
    assert all(task.name == name for name, task in TASKS.items())
    assert {name: task.images for name, task in TASKS.items()} == {
        "recognition": 1,
        "recognition_reference": 2,
        "object": 1,
        "grounding": 1,
        "diagnosis": 1,
        "comparison": 2,
        "comparison_regions": 1,
        "quality": 1,
    }


def test_a_task_says_what_it_shows_and_what_it_is_about() -> None:
    assert {name for name, task in TASKS.items() if task.shows_reference} == {"recognition_reference"}
    assert all(task.images == 2 for task in TASKS.values() if task.shows_reference)
    assert {name: task.subject for name, task in TASKS.items()} == {
        **dict.fromkeys(recipe.DEFAULT_TASKS, "region"),
        "diagnosis": "image",
        "comparison": "pair",
        "comparison_regions": "pair",
        RATED: "image",
    }


@pytest.mark.parametrize("task", TASKS)
def test_every_wording_can_be_asked_and_ends_with_the_instruction(task: str) -> None:
    prompts = [ASK[task](wording) for wording in range(TASKS[task].wordings)]
    assert len(set(prompts)) == len(prompts) >= (1 if task == RATED else 5)
    for prompt in prompts:
        assert prompt.endswith(quality.THINK if task == RATED else format_instruction(SHAPES[task]))
        assert prompt.count("<answer>") == 2
    with pytest.raises(ValueError, match="no wording"):
        ASK[task](len(prompts))


@pytest.mark.parametrize("task", TASKS)
def test_the_truth_scores_one(task: str) -> None:
    completion = format_completion(SOLUTIONS[task], thinking="Let me see.")
    assert score(task, completion, SOLUTIONS[task]) == Verdict(1.0)
    assert format_score(completion) == 1.0


@pytest.mark.parametrize("task", TASKS)
def test_the_form_given_as_an_example_is_never_right(task: str) -> None:
    echoed = ASK[task](0).splitlines()[-1]
    assert format_score(echoed) == 1.0
    assert score(task, echoed, SOLUTIONS[task]).reward == 0.0


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("reason", [Unread.MISSING, Unread.REPEATED, Unread.EMPTY])
def test_unread_is_not_wrong(task: str, reason: Unread) -> None:
    answer = format_completion(SOLUTIONS[task], thinking="Let me see.")
    completions = {Unread.MISSING: "", Unread.REPEATED: answer * 2, Unread.EMPTY: "<answer> </answer>"}
    assert score(task, completions[reason], SOLUTIONS[task]) == Verdict(None, reason.value)


@given(task=st.sampled_from(list(TASKS)), completion=st.text(max_size=100), tagged=st.booleans())
def test_a_completion_never_raises(task: str, completion: str, tagged: bool) -> None:
    verdict = score(task, f"<answer>{completion}</answer>" if tagged else completion, SOLUTIONS[task])
    assert 0.0 <= verdict.reward <= 1.0


def test_an_unknown_task_is_an_error() -> None:
    with pytest.raises(ValueError, match="no task called 'recogniton'; known: recognition"):
        score("recogniton", "", "")


def test_tasks_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(TASKS["grounding"])) == TASKS["grounding"]


def test_only_the_standard_library_is_imported() -> None:
    """The parent package is replaced by an empty one: what it imports is not the tasks' doing."""
    program = """
import importlib.util, sys, types
parent = types.ModuleType("distortlab")
parent.__path__ = list(importlib.util.find_spec("distortlab").submodule_search_locations)
sys.modules["distortlab"] = parent
before = set(sys.modules)
import distortlab.tasks
print(*sorted(set(sys.modules) - before))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = run.stdout.split()
    assert "distortlab.tasks.grounding" in names
    for name in names:
        assert name.startswith("distortlab.tasks") or name.split(".")[0] in sys.stdlib_module_names, name
