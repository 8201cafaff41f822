"""The command line: help, lists, misuse, and the program itself."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from cli_outcomes import assert_misused, assert_refused
from dataset_samples import (
    COMMAND,
    ENVIRONMENT,
    command,
)
from in_process import Cli

from distortlab.distortions.catalog import CATALOG, FAMILIES, find
from distortlab.severity.human_scores import describe_basis, describe_severities, find_human_score

COMMANDS = (
    "generate",
    "list",
    "distort",
    "verify",
    "sheet",
    "stats",
    "view",
    "gallery",
    "study",
    "push",
    "export",
    "croissant",
    "materialize",
)


# --- help and lists ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *COMMANDS])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(cli: Cli, name: str, flag: str) -> None:
    outcome = cli(*filter(None, [name]), flag)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Usage" in outcome.out
    assert len(outcome.out.splitlines()) > 6


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example(cli: Cli, name: str) -> None:
    assert f"distortlab {name} " in cli(name, "--help").out.replace(f"Usage: distortlab {name}", "")


def test_help_names_every_command(cli: Cli) -> None:
    text = cli("--help").out
    assert all(name in text for name in COMMANDS)


def test_nothing_to_do_shows_the_help(cli: Cli) -> None:
    outcome = cli()
    assert "Usage" in outcome.out + outcome.err


@pytest.mark.parametrize("words", [("genrate",), ("list", "--colour"), *((name,) for name in COMMANDS[2:7])])
def test_misuse(cli: Cli, words: tuple[str, ...]) -> None:
    assert_misused(cli(*words), "Usage")


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, time\nsys.argv = ['distortlab', '--help']\n"
        "from distortlab.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'cv2', 'pyarrow', 'pydantic', 'skimage', 'PIL', 'torch', 'datasets', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)), time.process_time(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    heavy, _, seconds = done.stderr.rpartition(" ")
    print(f"distortlab --help: {float(seconds):.2f} s of CPU")  # noqa: T201
    assert heavy == "[]"


def test_list(cli: Cli) -> None:
    outcome = cli("list")
    assert (outcome.code, outcome.err) == (0, "")
    assert all(row.name in outcome.out and row.unit in outcome.out for row in CATALOG)


def test_list_as_json(cli: Cli) -> None:
    rows = json.loads(cli("list", "--json").out)
    assert [row["name"] for row in rows] == [row.name for row in CATALOG]
    for row in rows:
        assert len(row["ladders"]["matched"]["values"]) == 5
        assert row["ladders"]["matched"]["source"]
        assert row["unit"]


def test_list_says_what_people_would_say(cli: Cli) -> None:
    text = " ".join(cli("list").out.split())
    assert describe_severities() in text
    line = next(line for line in cli("list").out.splitlines() if "noise.impulse" in line)
    assert describe_basis("noise.impulse") in [cell.strip() for cell in line.split("│")]
    for row in json.loads(cli("list", "--json").out):
        wanted = [find_human_score(row["name"], severity) for severity in range(1, 6)]
        assert row["human_scores"] == [asdict(score) for score in wanted]
    assert describe_severities() not in " ".join(cli("list", "--profile", "dq").out.split())


def test_list_says_which_severities_a_variant_is_not_drawn_for(cli: Cli) -> None:
    text = cli("list", "--family", "compression").out
    cells = [cell.strip() for cell in next(line for line in text.splitlines() if "webp" in line).split("│")]
    assert [cell.endswith("*") for cell in cells[3:8]] == [False, False, False, True, True]
    assert "*: left to other variants of the family" in text
    for row in json.loads(cli("list", "--family", "compression", "--json").out):
        assert row["reach"] == list(find(row["name"]).reach)
        assert row["served"] == ([1, 2, 3] if row["name"].endswith("webp") else [1, 2, 3, 4, 5])
    assert "*" not in cli("list", "--family", "compression", "--profile", "dq").out


@pytest.mark.parametrize("family", FAMILIES)
def test_list_a_family(cli: Cli, family: str) -> None:
    rows = json.loads(cli("list", "--family", family, "--json").out)
    assert rows
    assert {row["family"] for row in rows} == {family}


def test_list_the_other_ladder(cli: Cli) -> None:
    assert cli("list", "--profile", "dq").out != cli("list").out
    assert_misused(cli("list", "--profile", "dd"), "matched", "dq")


def test_list_an_unknown_family(cli: Cli) -> None:
    assert_refused(cli("list", "--family", "blurr"), "no family called 'blurr'", "'blur'")


def test_a_reader_that_goes_away() -> None:
    """`distortlab list | head -1`: quiet."""
    reading, writing = os.pipe()
    os.close(reading)
    words = [*COMMAND, "list", "--json"]
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(words, stdout=pipe, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, check=False)
    assert done.stderr == ""


# --- the program itself -----------------------------------------------------------------------------------------------


def test_it_is_installed() -> None:
    script = Path(sys.executable).with_name("distortlab")
    if not script.exists():
        pytest.skip("not installed as a script")
    done = subprocess.run([script, "list", "--json"], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert len(json.loads(done.stdout)) == len(CATALOG)


def test_errors_go_to_stderr_and_end_with_a_code(tmp_path: Path) -> None:
    assert_refused(command("verify", tmp_path), str(tmp_path), "is no data set")
