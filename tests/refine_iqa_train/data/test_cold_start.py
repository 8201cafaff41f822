"""What the cold start teaches: right answers, with thinking and at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from distortlab.tasks import format_score, quality
from distortlab.tasks.answer import format_completion
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.data.cold_start import make_cold_start_row
from refine_iqa_train.monitoring.held_out import score_answer
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.train import _make_cold_start_rows

DIAGNOSIS = (
    '[{"box": [1, 2, 30, 40], "type": "Noise", "severity": "Slight"}, '
    '{"box": [5, 6, 70, 80], "type": "Over-sharpening", "severity": "Extreme"}]'
)


@pytest.mark.parametrize(
    ("task", "solution", "said"),
    [
        ("recognition", "Over-sharpening, Extreme", "over-sharpening, 5 of 5."),
        ("recognition_reference", "Noise, Slight", "noise, 1 of 5."),
        ("object", "hot dog", "It is the hot dog."),
        ("grounding", "[1, 2, 3, 4]", "It lies at [1, 2, 3, 4]."),
        (
            "diagnosis",
            DIAGNOSIS,
            "At [1, 2, 30, 40] random grain or specks are added: noise, 1 of 5. At [5, 6, 70, 80] ",
        ),
        ("diagnosis", "[]", "as it would in a clean photograph"),
        ("grounding", "None", "as it would in a clean photograph"),
        ("recognition", "None", "as it would in a clean photograph"),
        ("comparison", "First", "The first image is further away"),
        ("comparison_regions", "Second", "The second region is further away"),
        ("quality", "5.00", "excellent"),
        ("quality", "1.00", "very poor"),
    ],
)
def test_answers_of_the_cold_start_are_right(task: str, solution: str, said: str) -> None:

    family = {"recognition": "oversharpen", "quality": None}.get(task, "noise")
    question = {"task": task, "solution": solution, "prompt": [], "images": [], "family": family}
    text = make_cold_start_row(question)["completion"][0]["content"]
    assert said in text
    marks = score_answer("x", task, text, solution).marks
    assert marks["unread"] == 0.0
    assert all(value == 1.0 for name, value in marks.items() if name != "unread")


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_cold_start_teaches_both_manners(run_file: Callable[..., Path], rated: Path, share: float) -> None:
    keys = {"data.perception": None, "data.rated": f"meta:{rated / 'train.json'}+norm", "data.rated_root": str(rated)}
    path = run_file({}, cold_start={"direct_share": share})
    keys |= {"trainer": {"max_steps": 1}, "data.check_images": False}
    rows = list(_make_cold_start_rows(prepare(load_config(path, keys), "sft")))
    texts = [(row["prompt"][0]["content"], row["completion"][0]["content"]) for row in rows]
    direct = [asked == quality.question(think=False) for asked, _ in texts]
    assert [bool(format_score(said)) for _, said in texts] == [not alone for alone in direct]
    assert [said.startswith(quality.STEM) for _, said in texts] == direct
    low, high = {0.0: (0, 0), 0.5: (0.2, 0.8), 1.0: (1, 1)}[share]
    assert low <= np.mean(direct) <= high


def test_an_answer_alone() -> None:
    assert format_completion("Score:3.44", None) == "<answer>Score:3.44</answer>"
    with pytest.raises(ValueError, match="blank"):
        format_completion("x", " ")
