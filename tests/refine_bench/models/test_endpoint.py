"""The endpoint path against a real HTTP server: answers, faults, saturation, resuming."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from bench_samples import write_koniq, write_llvisionqa
from bench_servers import Server, say_score, serving
from in_process import Cli

from refine_bench.runs.store import Run, read_lines
from refine_bench.scoring.run import score_run

pytestmark = pytest.mark.usefixtures("quick_retries")


def _run(cli: Cli, server: Server, root: Path, *words: object) -> Any:
    model = f"openai:{server.url}#my-model"
    usual = ("--model", model, "--on", "koniq:all", "--data", root, "--out", root / "run", "--no-report", "--json")
    return cli("run", *usual, *words)


def _answers(root: Path) -> list[dict[str, Any]]:
    (path,) = (root / "run" / "answers").iterdir()
    return list(read_lines(path))


def test_a_run_asks_once_and_scores(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=30)
    with serving(say_score) as server:
        done = _run(cli, server, tmp_path, "--protocol", "visualquality-r1")
        assert done.code == 0, done.err
        again = _run(cli, server, tmp_path, "--protocol", "visualquality-r1")
    assert again.code == 0
    (score,) = json.loads(done.out)["sets"]
    assert (score["n"], score["n_read"], score["failures"]) == (30, 30, {})
    assert score["cost"]["completion_tokens"] > 0
    assert len(server.bodies) == 30
    body = server.bodies[0]
    assert body["temperature"] == 1.0
    assert body["model"] == "my-model"
    assert len({json.dumps(b["seed"]) for b in server.bodies}) == 30
    assert Run(tmp_path / "run").head["model"]["revision"] == "weights/7"


def test_a_run_works_where_an_event_loop_runs_already_as_in_a_notebook(cli: Cli, tmp_path: Path) -> None:
    async def run_cell(server: Server) -> Any:
        return _run(cli, server, tmp_path, "--protocol", "visualquality-r1")

    write_koniq(tmp_path / "koniq", n=6)
    # In a thread: that of pytest may have a loop of Playwright.
    with serving(say_score) as server, ThreadPoolExecutor(1) as thread:
        done = thread.submit(asyncio.run, run_cell(server)).result()
    assert done.code == 0, done.err
    assert json.loads(done.out)["sets"][0]["n_read"] == 6


def test_faults_are_tried_again_and_nothing_is_lost(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=20)
    with serving(say_score) as server:
        server.faults = [429, 500, "half", "drop", "nonsense", 503, None, 429, "half"]
        done = _run(cli, server, tmp_path, "--protocol", "visualquality-r1", "--concurrency", 4)
    assert done.code == 0, done.err
    (score,) = json.loads(done.out)["sets"]
    assert (score["n_read"], score["failures"]) == (20, {})


def test_a_server_that_hangs_costs_one_timeout(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=6)
    with serving(say_score) as server:
        server.faults = ["hang"]
        done = _run(cli, server, tmp_path, "--protocol", "visualquality-r1", "--timeout", 0.6)
    (score,) = json.loads(done.out)["sets"]
    assert score["n_read"] == 6


def test_a_server_that_only_hangs_stops_the_run(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=20)
    with serving(say_score) as server:
        server.faults = ["hang"] * 100
        words = ("--protocol", "visualquality-r1", "--timeout", 0.4, "--concurrency", 4)
        done = _run(cli, server, tmp_path, *words)
        server.stop.set()
    assert done.code == 2
    assert "has not answered 4 requests within 0.4 s" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_an_answer_that_never_comes_is_an_error_and_is_asked_again_next_time(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=10)
    with serving(say_score) as server:
        server.faults = [None, 400]
        done = _run(cli, server, tmp_path, "--protocol", "visualquality-r1", "--concurrency", 1)
        (score,) = json.loads(done.out)["sets"]
        assert score["failures"] == {"runtime_error": 1}
        assert not score["ranked"]
        (error,) = [row["error"] for row in _answers(tmp_path) if row.get("error")]
        assert "HTTP 400" in error
        assert "fault 400" in error
        again = _run(cli, server, tmp_path, "--protocol", "visualquality-r1")
    assert json.loads(again.out)["sets"][0]["n_read"] == 10
    assert len(server.bodies) == 11


@pytest.mark.parametrize(
    ("faults", "words"),
    [([401] * 40, ("refuses", "401")), ([404] * 40, ("refuses", "404")), ([400] * 80, ("the first 8 requests", "400"))],
)
def test_a_server_that_refuses_stops_the_run(
    faults: list[int], words: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    write_koniq(tmp_path / "koniq", n=20)
    with serving(say_score) as server:
        server.faults = faults
        done = _run(cli, server, tmp_path, "--protocol", "visualquality-r1", "--concurrency", 4)
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    assert all(word in done.err for word in words), done.err


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("openai:http://127.0.0.1:9/v1#m", ("no answer from", "is the server running")),
        ("openai:localhost#m", ("openai:URL#MODEL",)),
    ],
)
def test_a_server_that_is_not_there(model: str, words: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    done = cli("run", "--model", model, "--on", "koniq", "--data", tmp_path, "--out", tmp_path / "run")
    assert done.code == 2
    assert all(word in done.err for word in words), done.err


def test_an_unknown_model_is_named_beside_the_nearest(cli: Cli, tmp_path: Path) -> None:
    with serving(say_score) as server:
        done = cli("run", "--model", f"openai:{server.url}#my-modle", "--on", "koniq", "--data", tmp_path)
    assert "did you mean 'my-model'" in done.err


def test_the_server_is_kept_busy(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=96)
    with serving(say_score, delay=0.1) as server:
        _run(cli, server, tmp_path, "--protocol", "visualquality-r1", "--concurrency", 24)
    assert server.most == 24
    # Four rounds of 0.1 s would be perfect, 9.6 s one by one.
    assert max(server.times) - min(server.times) < 9.6 / 3


def test_the_beginning_of_an_answer_and_odds_are_asked_for(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=4)
    with serving(lambda body: " good") as server:
        server.top = lambda token: [(" good", 0.6), (" poor", 0.2), (" fine", 0.1)]
        done = _run(cli, server, tmp_path, "--protocol", "q-align")
    body = server.bodies[-1]
    assert body["messages"][-1] == {"role": "assistant", "content": "The quality of the image is"}
    assert (body["continue_final_message"], body["add_generation_prompt"], body["top_logprobs"]) == (True, False, 20)
    points = json.loads(done.out)["sets"][0]["points"]
    # Words beyond the alternatives get the least of them: 0.1 each for excellent, fair and bad.
    expected = (0.1 * 5 + 0.6 * 4 + 0.1 * 3 + 0.2 * 2 + 0.1 * 1) / 1.1
    assert points[0][1] == pytest.approx(expected, abs=1e-4)


def test_the_expectation_over_digits_by_the_server(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=4)
    with serving(lambda body: "<answer>Score:3.40</answer>") as server:
        server.top = lambda token: [("3", 0.5), ("4", 0.5)] if token == "3" else []
        done = _run(cli, server, tmp_path)
    assert server.bodies[-1]["logprobs"] is True
    assert {point[1] for point in json.loads(done.out)["sets"][0]["points"]} == {3.5}
    text = score_run(tmp_path / "run", reader="text")["sets"][0]
    assert {point[1] for point in text["points"]} == {3.4}


def test_samples_are_averaged_with_their_spread(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=6)
    with serving(lambda body: f"<answer>{2 + body['seed'] % 3}</answer>") as server:
        done = _run(cli, server, tmp_path, "--protocol", "visualquality-r1", "--samples", 4)
    (score,) = json.loads(done.out)["sets"]
    assert len(server.bodies) == 24
    assert score["samples"] == 4
    assert score["sample_sd"] > 0
    greedy = _refused(cli, tmp_path)
    assert "greedily" in greedy


def _refused(cli: Cli, root: Path) -> str:
    with serving(say_score) as server:
        model = f"openai:{server.url}#my-model"
        done = cli("run", "--model", model, "--on", "koniq", "--data", root, "--samples", 4, "--out", root / "x")
    assert done.code == 2
    return str(done.err)


def test_options_in_every_order(cli: Cli, tmp_path: Path) -> None:
    write_llvisionqa(tmp_path, n=3)

    def first(body: dict[str, Any]) -> str:
        return "A"

    with serving(first) as server:
        model = f"openai:{server.url}#my-model"
        words = (
            "--on",
            "qbench-a1",
            "--data",
            tmp_path,
            "--out",
            tmp_path / "run",
            "--no-report",
            "--json",
            "--shuffle",
        )
        done = cli("run", "--model", model, *words)
    (score,) = json.loads(done.out)["sets"]
    assert len(server.bodies) == 9
    # Always the first option: never the same one, and right in one order of three.
    assert score["shuffled"]["consistent"] == 0
    assert score["shuffled"]["all_right"] == 0
    assert score["accuracy"] == pytest.approx(1 / 3)
    assert score["questions"] == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=40)
    with serving(say_score, delay=0.08) as server:
        words = [sys.executable, "-m", "refine_bench", "run", "--model", f"openai:{server.url}#my-model", "--json"]
        words += ["--on", "koniq:all", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--no-report"]
        words += ["--protocol", "visualquality-r1", "--concurrency", "4"]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            while len(server.bodies) < 16 and process.poll() is None:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
        saved = _answers(tmp_path)
        assert 4 <= len(saved) < 40
        server.delay = 0
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (score,) = json.loads(done.stdout)["sets"]
    assert score["n_read"] == 40
    keys = [row["key"] for row in _answers(tmp_path)]
    assert len(keys) == len(set(keys)) == 40
    assert max(server.asked.values()) <= 2
    assert sum(count > 1 for count in server.asked.values()) <= 4  # what was under way when it was killed


def test_a_torn_line_is_asked_again(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=8)
    with serving(say_score) as server:
        _run(cli, server, tmp_path, "--protocol", "visualquality-r1")
        (path,) = (tmp_path / "run" / "answers").iterdir()
        path.write_bytes(path.read_bytes()[:-30])
        assert len(_answers(tmp_path)) == 7
        done = _run(cli, server, tmp_path, "--protocol", "visualquality-r1")
    assert json.loads(done.out)["sets"][0]["n_read"] == 8
    assert len(server.bodies) == 9


def test_a_picture_that_cannot_be_read_is_named_and_the_run_goes_on(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=8)
    (tmp_path / "koniq" / "1024x768" / "3.jpg").write_bytes(b"no picture")
    with serving(say_score) as server:
        done = _run(cli, server, tmp_path, "--protocol", "visualquality-r1")
    assert done.code == 0, done.err
    (score,) = json.loads(done.out)["sets"]
    assert score["failures"] == {"runtime_error": 1}
    (row,) = [row for row in _answers(tmp_path) if row.get("error")]
    assert row["item"] == "3.jpg"


def test_another_model_does_not_go_into_the_same_folder(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=4)
    with serving(say_score) as server:
        _run(cli, server, tmp_path, "--protocol", "visualquality-r1")
    done = cli("run", "--model", "sharpness", "--on", "koniq:all", "--data", tmp_path, "--out", tmp_path / "run")
    assert done.code == 2
    assert "holds another run" in done.err
