"""Scores for the cards of models: what huggingface_hub reads of them, and what is refused."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from bench_runs import HOSTILE
from huggingface_hub import ModelCard, ModelCardData, parse_eval_result_entries
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import Cli

import refine_bench
from distortlab.core.errors import UserError
from refine_bench.report import format_report
from refine_bench.report.model_index import Benchmark, read_benchmarks
from refine_bench.report.yaml_text import format_yaml
from refine_bench.runs.store import Run

KONIQ = {"koniq": Benchmark("user/koniq10k", "default")}


def test_every_number_is_a_result_for_the_hub(runs: tuple[Path, ...]) -> None:
    text = format_report(runs[:1], "model-index", benchmarks=KONIQ)
    card = ModelCard(f"---\n{text}---\n\n# a model\n")
    frame = refine_bench.load_runs(runs[0]).dropna(subset=["value"])
    assert card.data.model_name == "noise"
    found = {(result.dataset_name, result.metric_name): result for result in card.data.eval_results}
    assert len(found) == len(card.data.eval_results) == len(frame)
    assert {result.dataset_type for result in card.data.eval_results} == {"user/koniq10k", "agiqa"}
    assert {result.task_type for result in card.data.eval_results} == {"image-text-to-text"}
    for row in frame.itertuples():
        (result,) = (each for (name, metric), each in found.items() if metric == row.metric and _is_of(each, row.set))
        assert result.metric_value == pytest.approx(row.value, abs=1e-4)
        assert result.metric_args["n"] == row.n
        bounds = result.metric_args.get("interval_95")
        assert (bounds is None) == math.isnan(row.low)
        assert bounds is None or bounds == pytest.approx([row.low, row.high], abs=1e-4)
    again = ModelCardData(**yaml.safe_load(text))
    assert again.to_dict() == card.data.to_dict()


def _is_of(result: Any, name: str) -> bool:
    return bool(
        result.dataset_type.partition("/")[2].startswith(name[:5]) or result.dataset_type == name.partition(":")[0]
    )


def test_a_set_that_was_not_asked_in_full_says_so(runs: tuple[Path, ...]) -> None:
    (model,) = yaml.safe_load(format_report(runs[1:], "model-index"))["model-index"]
    names = [result["dataset"]["name"] for result in model["results"]]
    assert [name for name in names if "rows" in name] == ["KonIQ-10k (24 of 25 rows)"]


def test_results_of_benchmarks(runs: tuple[Path, ...], cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "results.yaml"
    words = ("--format", "eval-results", "--hub-set", "koniq=user/koniq10k#mos", "-o", out)
    assert cli("report", runs[0], *words).code == 0
    (entry,) = parse_eval_result_entries(yaml.safe_load(out.read_text()))
    frame = refine_bench.load_runs(runs[0])
    (value,) = frame[frame.set.str.startswith("koniq") & (frame.metric == "SRCC")].value
    assert (entry.dataset_id, entry.task_id) == ("user/koniq10k", "mos")
    assert entry.value == pytest.approx(value, abs=1e-4)
    assert entry.notes.startswith("SRCC, 95 % [")


def test_a_hostile_name_stays_text(own_run: Path) -> None:
    Run(own_run).rename(f"a: [b] # - {HOSTILE} \x7f 名")
    (model,) = yaml.safe_load(format_report([own_run], "model-index"))["model-index"]
    assert model["name"] == f"a: [b] # - {HOSTILE}  名"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--format", "model-index"), "a card is of one model, and these are runs of noise, bits"),
        (
            ("--format", "eval-results", "--name", "noise=x", "--name", "bits=x"),
            "--hub-set SET=USER/NAME; the sets are",
        ),
        (("--format", "eval-results", "--hub-set", "koniq"), "--hub-set 'koniq' is not SET=USER/NAME"),
        (("--format", "model-index", "-o", "x.html"), "is YAML, and x.html is not by its ending"),
        (("-o", "x.yaml"), "--format model-index or --format eval-results"),
        (("--format", "model_index"), "did you mean 'model-index'"),
    ],
)
def test_what_is_no_card(runs: tuple[Path, ...], cli: Cli, words: tuple[str, ...], says: str) -> None:
    done = cli("report", *runs, *words)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert says in done.err


def test_a_part_of_a_set_is_no_result_of_a_benchmark(runs: tuple[Path, ...]) -> None:
    with pytest.raises(UserError, match="24 of 25 rows were asked, and a leaderboard compares whole sets"):
        format_report(runs[1:], "eval-results", benchmarks=KONIQ)


def test_names_of_benchmarks() -> None:
    assert read_benchmarks(["local:a=b=user/x", "koniq=user/k.1#mos_z"]) == {
        "local:a=b": Benchmark("user/x", "default"),
        "koniq": Benchmark("user/k.1", "mos_z"),
    }


printable = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" ")).map(
    lambda t: " ".join(t.split())
)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(-1e6, 1e6).map(lambda x: round(x, 4))
    | printable,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25)
@given(plain)
def test_yaml_is_read_as_it_was(value: Any) -> None:
    assert yaml.safe_load(format_yaml(value)) == value
