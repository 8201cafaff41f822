"""Floors: what is reached without looking."""

import json
from pathlib import Path
from typing import Any

import pytest
from bench_samples import write_koniq
from bench_servers import brightness, serving
from in_process import Cli

from distortlab.tasks import diagnosis, grounding, read_answer, recognition, score
from refine_bench.models.base import Request
from refine_bench.models.floors import FLOORS, Floor
from refine_bench.prompts.protocols import Decoding
from refine_bench.runs.store import Run


def test_prompt_only_shows_grey(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=4)
    seen: list[float] = []

    def say(body: dict[str, Any]) -> str:
        seen.append(brightness(body))
        return "<answer>3</answer>"

    with serving(say) as server:
        model = f"prompt-only:openai:{server.url}#my-model"
        words = ("--on", "koniq:all", "--data", tmp_path, "--out", tmp_path / "run", "--json", "--no-report")
        done = cli("run", "--model", model, "--protocol", "visualquality-r1", *words)
    assert {round(value, 3) for value in seen} == {0.498}
    (score,) = json.loads(done.out)["sets"]
    assert score["srcc"] is None
    assert score["undefined"] == "the predictions are constant"
    assert Run(tmp_path / "run").head["model"]["images"] == "grey"


@pytest.mark.parametrize("spec", FLOORS)
@pytest.mark.parametrize("task", ["diagnosis", "comparison", "comparison_regions"])
def test_questions_about_sets_and_pairs_are_answered_in_their_form(spec: str, task: str) -> None:
    solution = "[]" if task == "diagnosis" else "First"
    truth = {"task": task, "solution": solution}
    requests = [Request(str(n), f"item-{n}", 0, (), "", Decoding(), 0, truth=truth) for n in range(20)]
    verdicts = [score(task, response.answer.text, solution) for response in Floor(spec).answer(requests)]
    assert {verdict.status for verdict in verdicts} == {"scored"}
    values = {verdict.value for verdict in verdicts}
    if spec == "random":
        assert 0.0 < sum(v.reward for v in verdicts) < 20
    else:
        assert values == {0.1 if (spec, task) == ("whole", "diagnosis") else 1.0}


@pytest.mark.parametrize("coordinates", ["thousandths", "pixels"])
@pytest.mark.parametrize("task", ["diagnosis", "grounding"])
def test_the_whole_image_in_the_units_of_the_question(task: str, coordinates: Any) -> None:
    size = (640, 480)
    module = diagnosis if task == "diagnosis" else grounding
    truth = {"task": task, "solution": "", "size": list(size)}
    request = Request("1", "1", 0, (), module.question(coordinates, size), Decoding(), 0, truth=truth)
    (response,) = Floor("whole").answer([request])
    frame = [0, 0, 1000, 1000] if coordinates == "thousandths" else [0, 0, 640, 480]
    assert str(frame) in response.answer.text


def test_none_is_chosen_by_lot_where_it_is_offered() -> None:
    truth = {"task": "recognition", "solution": "None"}

    def answer(may_be_none: bool) -> set[str]:
        prompt = recognition.question(["noise", "blur"], False, may_be_none=may_be_none)
        requests = [Request(str(n), f"item-{n}", 0, (), prompt, Decoding(), 0, truth=truth) for n in range(30)]
        texts = (str(read_answer(response.answer.text)) for response in Floor("random").answer(requests))
        return {text.split(",")[0] for text in texts}

    assert answer(may_be_none=True) == {"None", "Noise", "Blur"}
    assert answer(may_be_none=False) == {"Noise", "Blur"}
