"""The list of sets, protocols and models."""

import json
from pathlib import Path

from bench_samples import write_koniq
from in_process import Cli


def test_the_list_names_everything(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    found = json.loads(cli("list", "--data", tmp_path, "--json").out)
    names = [
        "koniq",
        "spaq",
        "kadid",
        "clive",
        "csiq",
        "tid2013",
        "live",
        "agiqa",
        "flive",
        "pipal",
        "bid",
        "uhdiqa",
        "qbench-a1",
        "qbench-a2",
        "qbench2",
        "abench",
    ]
    assert [entry["name"] for entry in found["sets"]][:-1] == names
    koniq = found["sets"][0]
    assert koniq["found"]["n"] == 2
    assert (koniq["low"], koniq["high"], koniq["direction"]) == (1, 5, "up")
    text = cli("list", "--data", tmp_path).out
    assert all(name in text for name in (*names, "local:", "qbench-a3", "visualquality-r1", "prompt-only"))
