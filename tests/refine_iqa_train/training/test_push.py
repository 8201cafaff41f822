"""Pushing a model: one commit with what belongs to it, to a stand-in that speaks the Hub's protocol; and failures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from distortlab.core.errors import UserError
from refine_iqa_train.config.schema import Config, HubRules
from refine_iqa_train.training.push import push
try:
    push(Config("m", sys.argv[1], hub=HubRules(id=sys.argv[2], private=True)))
except UserError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    out = tmp_path / "run"
    for name in ("README.md", "model.safetensors", "config.yaml", "checkpoint-2/optimizer.pt", "samples/index.html"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(f"# {name}\n")
    return out


def pushed(model: Path, repo: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", PROGRAM, str(model), repo]
    return subprocess.run(words, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


def test_the_model_and_its_card_go_in_one_commit(model: Path) -> None:
    hub_of = pytest.importorskip("stand_in_hub", reason="the stand-in for the Hub is not here")
    with hub_of.StandInHub() as hub:
        online = {
            "HF_ENDPOINT": hub.endpoint,
            "HF_TOKEN": "hf_writer",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
        }
        run = pushed(model, "me/model", **online)
        assert run.returncode == 0, run.stderr
        repo = hub.repos["models", "me/model"]
        assert set(repo.tree()) - {".gitattributes"} == {"README.md", "model.safetensors", "config.yaml"}
        assert repo.private
        refused = pushed(model, "me/model", **{**online, "HF_TOKEN": "hf_reader"})
    assert refused.returncode == 1
    assert "could not be pushed" in refused.stderr


def test_without_the_hub_the_model_stays_and_the_sentence_says_where(model: Path) -> None:
    run = pushed(model, "me/model", HF_HUB_OFFLINE="1")
    assert run.returncode == 1
    assert run.stderr.startswith("me/model could not be pushed: ")
    assert f"The model is in {model}" in run.stderr
    assert "Traceback" not in run.stderr
    assert (model / "model.safetensors").exists()


def test_a_name_that_is_none(model: Path) -> None:
    run = pushed(model, "not a name", HF_HUB_OFFLINE="0", HF_ENDPOINT="http://127.0.0.1:9")
    assert run.returncode == 1
    assert "could not be pushed" in run.stderr
