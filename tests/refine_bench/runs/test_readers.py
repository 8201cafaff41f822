"""Servers that lack something: what a run does without log-probabilities, and what it says where it cannot go on."""

import json
from pathlib import Path
from typing import Any

import pytest
from bench_samples import write_koniq
from bench_serve import ANSWER, make_taught_model, serve_model
from bench_servers import Server, say_score, serving
from in_process import Cli

from refine_bench.models import LOGITS, PREFIX, TOP_K
from refine_bench.models.endpoint import Endpoint
from refine_bench.prompts.answers import Answer, Token
from refine_bench.prompts.protocols import PROTOCOLS
from refine_bench.prompts.score_reader import read_score
from refine_bench.report import write_report
from refine_bench.runs.store import Run, read_lines
from refine_bench.scoring.published import match_published

PLAIN = "Rate the quality of this picture."
"""The question that a server is tried with."""


pytestmark = pytest.mark.usefixtures("quick_retries")


def _run(cli: Cli, server: Server, root: Path, *words: object, out: str = "run") -> Any:
    usual = ("--on", "koniq:all", "--data", root, "--out", root / out, "--no-report", "--json")
    return cli("run", "--model", f"openai:{server.url}#my-model", *usual, *words)


def _prompts(server: Server) -> list[str]:
    return [message["content"][-1]["text"] for body in server.bodies for message in body["messages"][:1]]


@pytest.mark.parametrize("refused", [{}, {"logprobs": 400}, {"top_logprobs": 422}, {"logprobs": 500}])
def test_without_log_probabilities_the_text_is_read_and_it_is_said(
    refused: dict[str, int], cli: Cli, tmp_path: Path
) -> None:
    write_koniq(tmp_path / "koniq", n=12)
    with serving(say_score) as server:
        server.gives_logprobs, server.refused = False, refused
        done = _run(cli, server, tmp_path)
    assert done.code == 0, done.err
    (score,) = json.loads(done.out)["sets"]
    assert (score["n_read"], score["failures"], score["reader"]) == (12, {}, "text")
    assert any("read as text" in text for text in score["warnings"])
    (entry,) = Run(tmp_path / "run").head["sets"].values()
    assert (entry["reader"], entry["decoding"]["top_logprobs"]) == ("text", 0)
    assert "log-probabilities" in entry["reader_note"]
    write_report([tmp_path / "run"], tmp_path / "report.html")
    assert "read as text" in (tmp_path / "report.html").read_text()


def test_a_published_number_differs_by_the_reader() -> None:
    (plain, text) = (match_published("koniq:acr+1024+qalign", "q-align", reader=reader) for reader in ("", "text"))
    assert [row.row for row in plain]
    assert all("ours read by text" in row.differs for row in text)
    assert not any("ours read" in note for row in plain for note in row.differs)


def test_the_server_is_tried_once_for_all_sets(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=6)
    with serving(say_score) as server:
        server.gives_logprobs = False
        done = _run(cli, server, tmp_path, "--on", "koniq:all,koniq:training")
    assert done.code == 0, done.err
    assert _prompts(server).count(PLAIN) == 2
    assert len(server.bodies) == 2 + sum(score["n"] for score in json.loads(done.out)["sets"])


def test_with_log_probabilities_the_protocol_is_followed(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=6)
    with serving(lambda body: "<answer>3.40</answer>") as server:
        server.top = lambda token: [("3", 0.5), ("4", 0.5)] if token == "3" else []
        done = _run(cli, server, tmp_path)
    (score,) = json.loads(done.out)["sets"]
    assert score["reader"] == "digits"
    assert not any("read as text" in text for text in score["warnings"])
    assert {point[1] for point in score["points"]} == {3.5}


def test_reader_logits_stops_with_the_remedy_before_anything_is_written(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=6)
    with serving(say_score) as server:
        server.gives_logprobs = False
        done = _run(cli, server, tmp_path, "--reader", "logits")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    assert all(word in done.err for word in ("returns no log-probabilities", "--reader text", "vLLM")), done.err
    assert not (tmp_path / "run").exists()
    assert set(_prompts(server)) == {PLAIN}


def test_reader_text_asks_for_no_log_probabilities(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=6)
    with serving(say_score) as server:
        done = _run(cli, server, tmp_path, "--reader", "text")
    assert json.loads(done.out)["sets"][0]["n_read"] == 6
    assert len(server.bodies) == 6
    assert not any("logprobs" in body for body in server.bodies)


@pytest.mark.parametrize("reader", ["digits", "digits-tenths"])
def test_what_was_never_asked_for_cannot_be_read_later(reader: str, cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=6)
    with serving(say_score) as server:
        server.gives_logprobs = False
        _run(cli, server, tmp_path)
    done = cli("score", tmp_path / "run", "--reader", reader)
    assert done.code == 2
    assert "no log-probabilities" in done.err
    assert cli("score", tmp_path / "run", "--reader", "text").code == 0


def test_runs_that_were_read_otherwise_do_not_mix(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=6)
    with serving(say_score) as server:
        server.top = lambda token: [(token, 1.0)]
        assert _run(cli, server, tmp_path, out="odds").code == 0
        server.gives_logprobs = False
        assert _run(cli, server, tmp_path, out="text").code == 0
        again = _run(cli, server, tmp_path, out="odds")
    assert again.code == 2
    assert "another reader" in again.err
    merged = cli("merge", tmp_path / "odds", tmp_path / "text", "-o", tmp_path / "both")
    assert merged.code == 2
    assert "asked in two ways" in merged.err
    compared = json.loads(cli("compare", tmp_path / "odds", tmp_path / "text", "--json").out)
    assert any("read by digits and text" in note for test in compared["tests"] for note in test["notes"])


@pytest.mark.parametrize("status", [400, 422, 500, 501])
def test_a_refused_beginning_is_not_a_broken_server(status: int, cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=12)
    with serving(say_score) as server:
        server.top = lambda token: [(token, 1.0)]
        server.refused = {"continue_final_message": status}
        done = _run(cli, server, tmp_path, "--protocol", "q-align")
        other = _run(cli, server, tmp_path, "--protocol", "refine-iqa-no-think", out="other")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    assert all(word in done.err for word in ("to continue the beginning", f"HTTP {status}", "refine-iqa-no-think"))
    assert other.code == 0, other.err


@pytest.mark.parametrize("protocol", ["q-align", "refine-iqa-no-think", "q-insight"])
@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_broken_server_is_called_broken(status: int, protocol: str, cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=12)
    with serving(say_score) as server:
        server.refused = {"messages": status}
        done = _run(cli, server, tmp_path, "--protocol", protocol)
    assert done.code == 2
    assert "does not answer a plain question" in done.err
    assert f"HTTP {status}" in done.err


@pytest.mark.parametrize(
    ("refused", "missing"),
    [
        ({}, {LOGITS}),
        ({"continue_final_message": 400}, {LOGITS, PREFIX}),
        ({"top_k": 422}, {LOGITS, TOP_K}),
        ({"top_k": 422, "continue_final_message": 400}, {LOGITS, PREFIX, TOP_K}),
    ],
)
def test_each_limit_is_found_by_itself(refused: dict[str, int], missing: set[str]) -> None:
    with serving(lambda body: "good") as server:
        server.gives_logprobs, server.refused = False, refused
        found = Endpoint(f"openai:{server.url}#my-model").find_limits({LOGITS, PREFIX, TOP_K})
    assert set(found) == missing


def test_a_failing_picture_after_a_good_start_still_stops_a_run_that_gets_nothing(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=20)
    with serving(lambda body: "<answer>3</answer>") as server:
        server.top = lambda token: [(token, 1.0)]
        server.faults = [None, None, *[413] * 40]
        done = _run(cli, server, tmp_path, "--concurrency", 2)
    assert done.code == 2
    assert "the first 8 requests" in done.err


@pytest.mark.parametrize("text", ["good", "The quality is good.", " Good"])
def test_a_level_word_is_read_from_the_text(text: str) -> None:
    odds = (Token(text, ((" bad", -0.1), (" good", -2.0))),)
    assert read_score(Answer(text=text, tokens=odds), PROTOCOLS["q-align"], "text").value == 4.0


@pytest.mark.parametrize(
    ("model", "words", "sentence"),
    [
        ("sharpness", ("--reader", "text"), "metric reads value"),
        ("constant", ("--reader", "logits"), "answers in text alone"),
        ("constant", ("--reader", "logits", "--protocol", "visualquality-r1"), "visualquality-r1 reads text"),
        ("constant", ("--reader", "logit"), "did you mean 'logits'"),
    ],
)
def test_a_reader_that_makes_no_sense(
    model: str, words: tuple[str, ...], sentence: str, cli: Cli, tmp_path: Path
) -> None:
    write_koniq(tmp_path / "koniq", n=4)
    done = cli("run", "--model", model, "--on", "koniq", "--data", tmp_path, "--out", tmp_path / "run", *words)
    assert done.code == 2
    assert sentence in done.err


@pytest.mark.slow
def test_transformers_serve(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    for package in ("transformers", "fastapi", "uvicorn", "openai"):
        pytest.importorskip(package)
    make_taught_model(tmp_path / "model")
    write_koniq(tmp_path / "koniq", n=6)
    with serve_model(tmp_path / "model", tmp_path / "log") as url:
        server = Server(say_score)
        server.url = url
        words = ("--model", f"openai:{url}#{tmp_path / 'model'}")
        done = _run(cli, server, tmp_path, *words)
        logits = _run(cli, server, tmp_path, *words, "--reader", "logits", out="logits")
        prefix = _run(cli, server, tmp_path, *words, "--protocol", "q-align", out="prefix")
        top_k = _run(cli, server, tmp_path, *words, "--protocol", "q-insight", out="top-k")
    assert done.code == 0, done.err
    (score,) = json.loads(done.out)["sets"]
    assert (score["n_read"], score["failures"], score["reader"]) == (6, {}, "text")
    (path,) = (tmp_path / "run" / "answers").iterdir()
    assert {row["text"] for row in read_lines(path)} == {ANSWER}
    for refused, sentence in ((logits, "no log-probabilities"), (prefix, "the beginning"), (top_k, "refuses top_k")):
        assert refused.code == 2
        assert sentence in refused.err
