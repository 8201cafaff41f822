"""Scores by the harness in the card of a trained model."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from bench_samples import write_koniq
from huggingface_hub import ModelCard, parse_eval_result_entries
from in_process import Cli, in_process

import refine_bench
from refine_bench.cli.run_all import Options, run_all
from refine_iqa_train.cli import main
from refine_iqa_train.training.benchmark_card import EVAL_RESULTS

CARD = "---\nbase_model: a/b\ntags:\n- grpo\n---\n\n# ours\n\n## Scores\n\nfew\n\n## Recipe\n\nlong\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A measure on a small KonIQ-10k, asked in full, and the same run as of another model. Not to be changed."""
    root = tmp_path_factory.mktemp("bench")
    write_koniq(root / "koniq", n=12)
    folder = root / "runs" / "noise"
    run_all("noise", ["koniq:all"], root, folder, Options(report=False, quiet=True))
    head = json.loads((folder / "run.json").read_text())
    for facts in head["sets"].values():
        facts["expected"] = 12
    (folder / "run.json").write_text(json.dumps(head))
    shutil.copytree(folder, root / "runs" / "bits")
    head["model"]["spec"] = "bits"
    (root / "runs" / "bits" / "run.json").write_text(json.dumps(head))
    return root / "runs"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    return folder


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return in_process("refine_iqa_train", main, capsys, monkeypatch)


def test_the_card_has_the_scores_of_the_harness(cli: Cli, runs: Path, model: Path) -> None:
    done = cli("card", model, runs / "noise", "--hub-set", "koniq=user/koniq10k")
    assert (done.code, done.out) == (0, f"wrote {model / 'README.md'}\nwrote {model / EVAL_RESULTS}\n")
    card = ModelCard.load(model / "README.md")
    frame = refine_bench.load_runs(runs / "noise").dropna(subset=["value"])
    assert (card.data.model_name, card.data.base_model, len(card.data.eval_results)) == ("ours", "a/b", len(frame))
    (srcc,) = frame[frame.metric == "SRCC"].value
    assert f"| ours | {srcc:.3f} \\[" in card.text
    assert card.text.index("## Scores") < card.text.index("## Benchmarks") < card.text.index("## Recipe")
    (entry,) = parse_eval_result_entries(yaml.safe_load((model / EVAL_RESULTS).read_text()))
    assert (entry.dataset_id, entry.value) == ("user/koniq10k", pytest.approx(srcc, abs=1e-4))
    once = (model / "README.md").read_bytes()
    assert cli("card", model, f"{runs}/nois*", "--hub-set", "koniq=user/koniq10k").code == 0
    assert (model / "README.md").read_bytes() == once


def test_runs_of_several_models_are_refused(cli: Cli, runs: Path, model: Path) -> None:
    done = cli("card", model, f"{runs}/*")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "the card is of one model, and these are runs of bits, noise" in done.err
    assert (model / "README.md").read_text() == CARD


@pytest.mark.parametrize(
    ("text", "says"), [(None, "holds no trained model"), ("# hello", "is no card"), ("---\n[\n---\n", "is no card")]
)
def test_what_is_no_card(cli: Cli, runs: Path, model: Path, text: str | None, says: str) -> None:
    (model / "README.md").unlink() if text is None else (model / "README.md").write_text(text)
    done = cli("card", model, runs / "noise")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert says in done.err
