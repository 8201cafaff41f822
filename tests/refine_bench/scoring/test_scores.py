"""The keys of every score are those that its type names, for each kind of set."""

from pathlib import Path
from typing import Any

import pytest
from bench_samples import write_kadid, write_koniq, write_lldescribe, write_llvisionqa
from in_process import Cli

from refine_bench.scoring import measures, scores
from refine_bench.scoring.run import score_run

TABLES = {
    "recognition": measures.RecognitionTable,
    "recognition_reference": measures.RecognitionTable,
    "object": measures.ObjectTable,
    "grounding": measures.GroundingTable,
    "diagnosis": measures.DiagnosisTable,
    "comparison": measures.ComparisonTable,
    "comparison_regions": measures.ComparisonTable,
}
KINDS = {
    "rated": scores.RatedScore,
    "choice": scores.ChoiceScore,
    "local": scores.LocalScore,
    "severity": scores.SeverityScore,
    "diagnosis": scores.DiagnosisScore,
    "describe": scores.DescriptionScore,
}


def _score(cli: Cli, root: Path, model: str, on: str, *words: object) -> list[Any]:
    out = root / "run"
    found = cli("run", "--model", model, "--on", on, "--data", root, "--out", out, "--no-report", *words)
    assert found.code == 0, found.err
    return list(score_run(out, save=False)["sets"])


def _has_keys_of(value: object, kind: Any) -> bool:
    return isinstance(value, dict) and kind.__required_keys__ <= value.keys() <= set(kind.__annotations__)


@pytest.mark.parametrize(
    ("model", "on", "words", "kinds"),
    [
        ("random", "koniq:all,kadid,qbench-a1,qbench-a2", (), ["rated", "rated", "choice", "describe"]),
        ("random", "local:{made}", (), ["local"]),
        ("random", "local:{made_sets}", (), ["local"]),
        ("random", "local:{made}", ("--protocol", "diagnosis"), ["diagnosis"]),
        ("psnr", "local:{made}", (), ["severity"]),
    ],
)
def test_a_score_has_the_keys_of_its_type(
    model: str,
    on: str,
    words: tuple[object, ...],
    kinds: list[str],
    made: Path,
    made_sets: Path,
    tmp_path: Path,
    cli: Cli,
) -> None:
    write_koniq(tmp_path / "koniq", n=12)
    write_kadid(tmp_path / "kadid")
    write_llvisionqa(tmp_path / "qbench-a1")
    write_lldescribe(tmp_path / "qbench-a2")
    found = _score(cli, tmp_path, model, on.format(made=made, made_sets=made_sets), *words)
    assert [score["kind"] for score in found] == kinds
    for score in found:
        assert _has_keys_of(score, KINDS[score["kind"]]), score["kind"]
        assert _has_keys_of(score["coverage"], scores.Coverage)
        if score["kind"] == "rated":
            assert all(_has_keys_of(column, measures.Agreement) for column in score["columns"].values())
            assert all(_has_keys_of(fit, measures.MappedFit) for fit in score["mapped"].values())
        if score["kind"] == "local":
            assert all(_has_keys_of(table, TABLES[task]) for task, table in score["tasks"].items())
