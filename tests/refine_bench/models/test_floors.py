"""Floors: what is reached without looking."""

import json
from pathlib import Path
from typing import Any

from bench_samples import write_koniq
from bench_servers import brightness, serving
from in_process import Cli

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
