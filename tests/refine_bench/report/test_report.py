"""Reports, comparisons, merging, the command line."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench_samples import WRITERS, write_kadid, write_koniq, write_llvisionqa
from bench_servers import brightness, serving
from in_process import Cli

from distortlab.core.errors import UserError
from refine_bench.report import FORMATS, format_report, write_report
from refine_bench.runs.merge import merge_runs
from refine_bench.runs.store import AnswerLog, Run, hash_request, read_lines
from refine_bench.scoring.published import load_published, match_published
from refine_bench.scoring.run import score_run

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>&\"' $x$ |_{}\\ =1+1"


def _asked(cli: Cli, root: Path, out: Path, noise: float = 0.0, n: int = 60, *words: object) -> None:
    if not (root / "koniq").exists():
        write_koniq(root / "koniq", n=n)

    def say(body: dict[str, Any]) -> str:
        value = 1 + 4 * (brightness(body) * (1 - noise) + noise * (body["seed"] % 100) / 100)
        return HOSTILE if body["seed"] % 50 == 0 else f"<answer>{value:.3f}</answer>"

    with serving(say) as server:
        usual = ("--on", "koniq:all", "--data", root, "--out", out, "--no-report", "--protocol", "visualquality-r1")
        done = cli("run", "--model", f"openai:{server.url}#my-model", *usual, *words)
    assert done.code == 0, done.err


@pytest.fixture
def runs(cli: Cli, tmp_path: Path) -> tuple[Path, Path]:
    _asked(cli, tmp_path, tmp_path / "a")
    _asked(cli, tmp_path, tmp_path / "b", noise=0.9)
    return tmp_path / "a", tmp_path / "b"


# --- compare --------------------------------------------------------------------------------------------------------


def test_paired_tests_over_what_both_have_read(runs: tuple[Path, Path], cli: Cli) -> None:
    done = cli("compare", *runs, "--json")
    found = json.loads(done.out)
    assert {test["metric"] for test in found["tests"]} == {"plcc", "srcc"}
    for test in found["tests"]:
        assert test["p_holm"] >= test["p"]
        assert test["n"] <= 60
        low, high = test["interval"]
        assert low <= test["difference"] <= high
    assert "Holm" in cli("compare", *runs).out


def test_images_that_share_references_are_compared_by_reference(cli: Cli, tmp_path: Path) -> None:
    write_kadid(tmp_path / "kadid")
    for name in ("sharpness", "noise"):
        cli("run", "--model", name, "--on", "kadid", "--data", tmp_path, "--out", tmp_path / name, "--no-report")
    found = json.loads(cli("compare", tmp_path / "sharpness", tmp_path / "noise", "--json").out)
    assert {test["test"] for test in found["tests"]} == {"paired jackknife by reference"}
    assert all(test["few_clusters"] for test in found["tests"])


@pytest.mark.parametrize("names", [("a",), ("a", "nowhere")])
def test_what_cannot_be_compared(names: tuple[str, ...], runs: tuple[Path, Path], cli: Cli) -> None:
    done = cli("compare", *(runs[0].parent / name for name in names))
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1


# --- merge ----------------------------------------------------------------------------------------------------------


def test_parts_of_a_set_are_merged(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=30)
    for k in (1, 2, 3):
        words = (
            "--on",
            "koniq:all",
            "--data",
            tmp_path,
            "--out",
            tmp_path / f"p{k}",
            "--no-report",
            "--shard",
            f"{k}/3",
        )
        assert cli("run", "--model", "sharpness", *words).code == 0
    whole = ("--on", "koniq:all", "--data", tmp_path, "--out", tmp_path / "whole", "--no-report")
    cli("run", "--model", "sharpness", *whole)
    assert cli("merge", tmp_path / "p1", tmp_path / "p2", tmp_path / "p3", "-o", tmp_path / "all").code == 0
    one, other = (score_run(tmp_path / name)["sets"][0] for name in ("all", "whole"))
    assert one["n"] == other["n"] == 30
    assert one["srcc"] == pytest.approx(other["srcc"], abs=1e-12)
    assert cli("run", "--model", "sharpness", *whole[:4], "--out", tmp_path / "all", "--no-report").code == 0


def test_runs_of_two_models_are_not_merged(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    for name in ("sharpness", "noise"):
        cli("run", "--model", name, "--on", "koniq:all", "--data", tmp_path, "--out", tmp_path / name, "--no-report")
    with pytest.raises(UserError, match="another model"):
        merge_runs([tmp_path / "sharpness", tmp_path / "noise"], tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_keys_change_with_all_that_could_change_an_answer() -> None:
    usual = {
        "images": ["a"],
        "prompt": ("", "q", ""),
        "decoding": {"temperature": 0},
        "model": ("m", "1", "p"),
        "sample": 0,
    }
    keys = {hash_request(**usual)}
    for name, value in (("images", ["b"]), ("prompt", ("", "Q", "")), ("decoding", {"temperature": 1}), ("sample", 1)):
        keys.add(hash_request(**{**usual, name: value}))
    keys.add(hash_request(**{**usual, "model": ("m", "2", "p")}))
    keys.add(hash_request(**{**usual, "model": ("m", "1", "q")}))
    assert len(keys) == 7


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / "x.jsonl") as log:
        log.append({"key": "1"})
        log.append({"key": "2", "error": "gone"})
        assert log.done == {"1"}
    (tmp_path / "x.jsonl").write_bytes(b'{"key": "1"}\n{"key": \n{"key": "3"}\n')
    with pytest.raises(UserError, match=r"x\.jsonl, row 2"):
        list(read_lines(tmp_path / "x.jsonl"))


# --- report ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_hostile_text_as_text(runs: tuple[Path, Path], tmp_path: Path) -> None:
    run = json.loads((runs[0] / "run.json").read_text())
    run["model"]["name"] = HOSTILE
    (runs[0] / "run.json").write_text(json.dumps(run))
    write_report(runs, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "<script" not in text
    assert "onerror=alert" in text  # there, as text
    assert "<img src=x" not in text
    assert "default-src 'none'" in text
    assert not re.search(r"""(?:src|href)=["'](?!data:image/jpeg;base64|#)""", text)
    assert "http://" not in re.sub(r"<dd>[^<]*</dd>", "", text)


def _chromium() -> Any:
    sync = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium")
    return sync, path


@pytest.mark.slow
def test_the_page_in_a_browser(runs: tuple[Path, Path], tmp_path: Path) -> None:
    sync, path = _chromium()
    write_report(runs, tmp_path / "report.html")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 400, "height": 800})
        said: list[str] = []
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
        page.goto((tmp_path / "report.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert page.locator("figure svg circle").count() > 40
        assert page.locator(".card img").count() >= 8
        page.locator("table a").first.click()
        assert page.evaluate("scrollY") > 0
        browser.close()
    assert not said


@pytest.mark.parametrize("ending", [".md", ".csv", ".tex"])
def test_tables_keep_text_text(ending: str, runs: tuple[Path, Path]) -> None:
    for folder in runs:
        run = json.loads((folder / "run.json").read_text())
        run["model"]["name"] = "=HYPERLINK(1) a_b & 50% | <b>"
        (folder / "run.json").write_text(json.dumps(run))
    text = format_report(runs, FORMATS[ending], per_set=True)
    if ending == ".md":
        rows = [line for line in text.splitlines() if "HYPERLINK" in line]
        assert all(len(re.findall(r"(?<!\\)\|", row)) == 13 for row in rows)
        assert "\\<b\\>" in text
    elif ending == ".tex":
        assert r"a\_b \& 50\%" in text
    else:
        rows = list(csv.DictReader(io.StringIO(text)))
        assert {row["model"][:2] for row in rows} == {"'="}
        assert {row["metric"] for row in rows} >= {"PLCC", "SRCC"}


def test_a_report_on_questions(cli: Cli, tmp_path: Path) -> None:
    write_llvisionqa(tmp_path, n=6)
    for name in ("constant", "random"):
        done = cli("run", "--model", name, "--on", "qbench-a1", "--data", tmp_path, "--out", tmp_path / name, "--json")
        assert json.loads(done.out)["sets"][0]["chance"] == pytest.approx(1 / 3)
    assert "Q-Bench A1" in (tmp_path / "random" / "report.html").read_text()
    hidden = cli(
        "run", "--model", "random", "--on", "qbench-a1:test", "--data", tmp_path, "--out", tmp_path / "x", "--json"
    )
    (score,) = json.loads(hidden.out)["sets"]
    assert score["accuracy"] is None
    assert "not public" in score["undefined"]


def test_descriptions_are_saved_and_not_scored(cli: Cli, tmp_path: Path) -> None:
    WRITERS["qbench-a2"](tmp_path / "set")
    words = ("--on", "qbench-a2", "--data", tmp_path, "--out", tmp_path / "run")
    done = cli("run", "--model", "constant", *words)
    assert done.code == 0, done.err
    assert "not public" in done.out
    assert "LLDescribe" in (tmp_path / "run" / "report.html").read_text()


def test_an_unknown_kind_of_report(runs: tuple[Path, Path], cli: Cli) -> None:
    done = cli("report", *runs, "-o", runs[0].parent / "report.pdf")
    assert done.code == 2
    assert "no kind of report" in done.err


# --- published numbers ----------------------------------------------------------------------------------------------


def test_published_numbers_are_numbers_with_sources() -> None:
    assert len(load_published()) > 200
    for row in load_published():
        assert -1 <= row.plcc <= 1
        assert -1 <= row.srcc <= 1
        assert row.source
        assert row.mapping in ("none", "logistic-4", "isotonic")


def test_what_differs_is_said() -> None:
    rows = match_published("koniq:acr+1024+qalign-2010", "deqa")
    deqa = [row for row in rows if row.row.model == "DeQA-Score"]
    assert deqa[0].differs == ("PLCC after logistic-4",)
    align = next(row for row in rows if row.row.model == "Q-Align")
    assert "protocol q-align" in align.differs
    other = match_published("koniq:acr+1024+official-2015", "deqa")
    assert any("on koniq:qalign-2010" in row.differs for row in other)
    exact = match_published("koniq:acr+1024+all", "qbench-a3")
    assert not exact[0].differs


# --- the command line -----------------------------------------------------------------------------------------------

COMMANDS = ("list", "run", "score", "compare", "report", "merge")


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_has_examples_and_is_quick(name: str, cli: Cli) -> None:
    done = cli(*([name] if name else []), "--help")
    assert done.code == 0
    assert "refine-bench" in done.out


def test_help_imports_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "scipy", "numpy", "httpx", "jinja2", "pyarrow", "cv2")
    code = (
        "import sys; sys.argv = ['refine-bench', '--help']\n"
        "from refine_bench.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(repr([name for name in {heavy} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]"


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("score",), "name a run folder"),
        (("score", "nowhere"), "no run"),
        (("score", "--predictions", "x.json", "--on", "koniq"), "x.json is not a file"),
        (("run", "--model", "ssim", "--on", "koniq", "--data", "nowhere"), "KonIQ-10k is not in nowhere"),
        (("run", "--model", "ssim", "--on", "konik"), "did you mean 'koniq'"),
        (("run", "--model", "openai:", "--on", "koniq"), "openai:URL#MODEL"),
        (("report", "nowhere"), "no run"),
        (("list", "--data", "nowhere"), "not a folder"),
    ],
)
def test_misuse_is_one_sentence(words: tuple[str, ...], said: str, cli: Cli) -> None:
    done = cli(*words)
    assert done.code == 2
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("refine-bench: ")
    assert said in lines[0]


def test_a_measure_that_needs_a_reference_is_refused_before_anything_is_asked(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    done = cli("run", "--model", "ssim", "--on", "koniq", "--data", tmp_path, "--out", tmp_path / "run")
    assert done.code == 2
    assert "compares with a reference" in done.err
    assert not (tmp_path / "run").exists()


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
