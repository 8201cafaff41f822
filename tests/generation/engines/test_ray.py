"""Shards on a Ray cluster: two nodes of this machine, one of them killed on the way."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dataset_samples import COMMAND, ENVIRONMENT, Gallery, jobs_of, published, small_recipe

from distortlab.core.errors import BuildFailed, UserError
from distortlab.generation.generate import generate
from distortlab.generation.plan import make_plan
from distortlab.generation.receipt import Receipt
from distortlab.storage.base import Folder, open_storage

pytest.importorskip("ray")
from distortlab.generation.engines import ray as engine

RECIPE = "n = 64\nimages_per_shard = 2\nimages_per_reference = 2\n"


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head and a second node, one processor each."""
    from ray.cluster_utils import Cluster

    running = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield running
    running.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves pipes and sockets to the collector
def test_a_node_is_lost_and_nothing_with_it(cluster: Any, tmp_path: Path) -> None:
    second = cluster.add_node(num_cpus=1)
    recipe, out = tmp_path / "small.toml", tmp_path / "ray"
    recipe.write_text(RECIPE)
    words = [*COMMAND, "generate", "--recipe", str(recipe), "--engine", "ray", "--address", cluster.address, "--json"]
    running = subprocess.Popen(
        [*words, "--out", "ray"],  # relative: workers stand elsewhere
        env=ENVIRONMENT,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: len(list((out / "_distortlab" / "done").glob("*.json"))) >= 6, running)
    assert not (out / "MANIFEST.json").exists()
    cluster.remove_node(second, allow_graceful=False)
    text, said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert json.loads(text)["finished"]
    generate(recipe, "scenes", tmp_path / "here", workers=1)
    assert published(out) == published(tmp_path / "here")
    assert not list(out.rglob("*.tmp"))


def wait_for(happened: Any, process: subprocess.Popen[str], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


# --- what can be known without a cluster -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1"),
        ("ray://127.0.0.1:1", "no Ray cluster answers at ray://127.0.0.1:1"),
        ("somewhere", "not host:port"),
        ("127.0.0.1:99999", "no Ray cluster answers"),
    ],
)
def test_no_cluster_at_the_address(address: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        generate(small_recipe(), Gallery(), tmp_path / "d", engine="ray", address=address)


def test_an_address_without_the_engine(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="add --engine ray"):
        generate(small_recipe(), Gallery(), tmp_path / "d", address="127.0.0.1:6379")
    with pytest.raises(UserError, match="no engine called 'raye'; did you mean 'ray'"):
        generate(small_recipe(), Gallery(), tmp_path / "d", engine="raye")  # type: ignore[arg-type]


def test_a_cluster_needs_a_place_that_is_shared() -> None:
    with pytest.raises(UserError, match="memory of one process"):
        generate(small_recipe(), Gallery(), "memory://ray/d", engine="ray")


def test_ray_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install 'refine-iqa\[ray\]'"):
        generate(small_recipe(), Gallery(), tmp_path / "d", engine="ray")


def test_a_node_with_another_version_says_so(tmp_path: Path) -> None:
    job = jobs_of(make_plan(small_recipe(), Gallery()), tmp_path)[0]
    with pytest.raises(UserError, match=r"a node of the cluster has distortlab .*, this machine 0\.0\.0"):
        engine._run_job(job, "0.0.0", str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_node_that_wrote_elsewhere_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_VISIBLE_WITHIN_S", 0.0)
    monkeypatch.chdir(tmp_path)
    job = jobs_of(make_plan(small_recipe(), Gallery()), Path("there"))[0]
    receipt = engine._run_job(job, engine.__version__, str(tmp_path))
    engine._check_visible(job, receipt)
    with pytest.raises(BuildFailed, match="all nodes must see the same folder"):
        engine._check_visible(replace(job, out=Folder(tmp_path / "here")), receipt)
    assert Receipt.read(open_storage("there"), 0, job.plan_sha256) == receipt
