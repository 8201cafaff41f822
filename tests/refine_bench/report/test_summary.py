"""One table over all sets: what is marked, what it is called, how it is written; and the page that begins with it."""

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from bench_samples import write_agiqa, write_koniq
from hypothesis import given
from hypothesis import strategies as st
from in_process import Cli

from refine_bench.report import FORMATS, format_report, write_report
from refine_bench.report.draw import draw_interval, find_bar_start
from refine_bench.report.latex import escape_latex, format_summary
from refine_bench.report.summary import Summary, summarize
from refine_bench.runs.store import Run

HOSTILE = r"a_b & 50% #1 $x$ {y} ~^\<z>|" + '"\n\\end{table}'


def _score(model: str, name: str, value: float | None, *, of: int = 10, **more: Any) -> dict[str, Any]:
    rows = more.pop("rows", of)
    usual = {
        "model": model,
        "set": name,
        "kind": "rated",
        "protocol": "q-align",
        "reader": "levels",
        "srcc": value,
        "plcc": value,
        "intervals": {"srcc": [-0.5, 0.5], "plcc": None},
        "ranked": rows == of and value is not None,
        "coverage": {"rows": rows, "of": of, "complete": rows == of},
        "facts": {"title": name.partition(":")[0].upper()},
    }
    return {**usual, **more}


def _found(run: str, *scores: Mapping[str, Any], spec: str = "") -> dict[str, Any]:
    return {"run": run, "model": {"spec": spec or run, "revision": "1", "processor": "p"}, "sets": list(scores)}


def _marks(summary: Summary, column: int = 0) -> list[str]:
    cells = [summary.flatten(row)[column] for row in summary.rows]
    return ["" if cell is None else cell.mark for cell in cells]


Rows = st.lists(st.tuples(st.one_of(st.none(), st.integers(-1000, 1000)), st.booleans()), min_size=1, max_size=6)


@given(Rows)
def test_marks_are_those_of_the_ranked_alone(rows: Sequence[tuple[int | None, bool]]) -> None:
    scores = [
        _found(f"r{k}", _score(f"m{k}", "s", None if value is None else value / 1000, rows=10 if whole else 9))
        for k, (value, whole) in enumerate(rows)
    ]
    summary = summarize(scores)
    ranked = [value for value, whole in rows if whole and value is not None]
    order = sorted(set(ranked), reverse=True) if len(ranked) > 1 else []
    expected = ["" for _ in rows]
    for k, (value, whole) in enumerate(rows):
        if whole and value in order[:2]:
            expected[k] = ("best", "second")[order.index(value)]
    assert _marks(summary) == expected
    assert [row.cells[0][0].rows for row in summary.rows if row.cells[0]] == ["" if w else "9 of 10" for _, w in rows]


def test_numbers_that_look_alike_are_marked_alike() -> None:
    values = (0.8001, 0.7999, 0.5, 0.49)
    summary = summarize([_found(f"r{k}", _score(f"m{k}", "s", value)) for k, value in enumerate(values)])
    assert _marks(summary) == ["best", "best", "second", ""]


def test_runs_of_one_model_are_one_row_where_they_fit() -> None:
    one = _found("r1", _score("m", "a", 0.5), spec="x")
    two = _found("r2", _score("m", "b", 0.6), spec="x")
    (row,) = summarize([one, two]).rows
    assert row.model == "m"
    assert all(row.cells)
    again = summarize([one, _found("r3", _score("m", "a", 0.4), spec="x")])
    assert [row.model for row in again.rows] == ["m (r1)", "m (r3)"]
    text = _found("r4", _score("m", "b", 0.4, reader="text"), spec="x")
    assert [row.model for row in summarize([one, text]).rows] == ["m (q-align, levels)", "m (q-align, text)"]
    other = _found("r5", _score("m", "b", 0.4), spec="y")
    assert [row.model for row in summarize([one, other]).rows] == ["m (r1)", "m (r5)"]


def test_variants_of_a_set_are_told_apart() -> None:
    names = ("koniq:acr+all", "koniq:acr+test", "spaq:all")
    summary = summarize([_found("r", *(_score("m", name, 0.5) for name in names))])
    assert [found.title for found in summary.sets] == ["KONIQ (all)", "KONIQ (test)", "SPAQ"]


def test_blocks_hold_every_cell_once() -> None:
    scores = [_found(f"r{k}", *(_score(f"m{k}", f"s{n}", n / 10) for n in range(k, 8))) for k in range(3)]
    summary = summarize(scores)
    blocks = list(summary.blocks(3))
    assert [len(block.sets) for block in blocks] == [3, 3, 2]
    count = sum(cell is not None for block in blocks for row in block.rows for cell in block.flatten(row))
    assert count == sum(cell is not None for row in summary.rows for cell in summary.flatten(row))


# --- writing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def runs(cli: Cli, tmp_path: Path) -> tuple[Path, ...]:
    """Three measures on two sets; whole, but for one run on KonIQ-10k."""
    write_koniq(tmp_path / "koniq", n=24)
    write_agiqa(tmp_path / "agiqa")
    folders = tuple(tmp_path / name for name in ("sharpness", "noise", "bits"))
    for folder in folders:
        words = ("--on", "koniq:all,agiqa", "--data", tmp_path, "--out", folder, "--no-report")
        assert cli("run", "--model", folder.name, *words).code == 0
        head = json.loads((folder / "run.json").read_text())
        for entry, facts in head["sets"].items():
            n = len((folder / "items" / f"{entry}.jsonl").read_text().splitlines())
            facts["expected"] = n + (folder.name == "bits" and facts["set"].startswith("koniq"))
        (folder / "run.json").write_text(json.dumps(head))
    return folders


def test_latex_is_one_table(runs: tuple[Path, ...], cli: Cli) -> None:
    done = cli("report", *runs, "--format", "latex")
    assert done.code == 0, done.err
    text = done.out
    assert text.count("\\begin{table") == text.count("\\begin{tabular}") == 1
    assert all(f"\\{rule}" in text for rule in ("toprule", "midrule", "bottomrule", "cmidrule"))
    assert "KonIQ-10k" in text
    assert "AGIQA-3K" in text
    assert text.count("\\textbf{") == 4
    assert text.count("\\underline{") == 4
    (bits,) = [line for line in text.splitlines() if line.startswith("bits")]
    assert bits.count("dagger") == 2
    assert "24 of 25 rows" in text
    cells = {line.count("&") for line in text.splitlines() if line.split(" ")[0] in ("sharpness", "noise", "bits")}
    assert cells == {4}
    assert "[" not in re.sub(r"\\\\\[2pt\]", "", text.split("midrule")[-1])
    intervals = cli("report", *runs, "--format", "latex", "--intervals").out
    assert intervals.count("\\scriptsize [") >= 6


def test_hostile_names_are_text_in_latex() -> None:
    text = format_summary(summarize([_found("r", _score(HOSTILE, "s", 0.5))]))
    assert text.count("\\end{table}") == 1
    (line,) = [line for line in text.splitlines() if line.startswith("a\\_b")]
    assert line.count("&") == 3  # one of them escaped
    assert not re.search(r"(?<!\\)[%#$_~^]", escape_latex(HOSTILE).replace("\\textasciitilde{}", ""))


@pytest.mark.slow
@pytest.mark.parametrize("intervals", [False, True])
def test_latex_compiles(intervals: bool, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex")
    sets = [f"s{n}" for n in range(9)]
    scores = [_found(f"r{k}", *(_score(f"{HOSTILE} {k}", name, -0.1 * k) for name in sets)) for k in range(3)]
    head = (
        "\\documentclass[twocolumn]{article}\\usepackage[margin=2cm]{geometry}\\usepackage{booktabs}\\begin{document}"
    )
    (tmp_path / "x.tex").write_text(head + format_summary(summarize(scores), intervals=intervals) + "\\end{document}")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_markdown_and_csv_have_the_same_rows(runs: tuple[Path, ...], cli: Cli) -> None:
    text = cli("report", *runs, "--format", "markdown").out
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3
    assert {line.count("|") for line in lines} == {6}
    assert (text.count("**"), text.count("<ins>"), text.count("(24 of 25)")) == (8, 4, 2)
    table = list(csv.DictReader(io.StringIO(cli("report", *runs, "--format", "csv", "--intervals").out)))
    assert [row["model"] for row in table] == ["sharpness", "noise", "bits"]
    assert table[2]["incomplete"] == "KonIQ-10k: 24 of 25"
    for row in table:
        low, value, high = (float(row[f"KonIQ-10k SRCC{part}"]) for part in (" low", "", " high"))
        assert low <= value <= high


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--format", "latx"), "did you mean 'latex'"),
        (("--format", "latex", "-o", "x.md"), "x.md is markdown by its ending"),
        (("-o", "x.pdf"), "no kind of report called '.pdf'"),
        (("--name", "nowhere=X"), "is not RUN=NAME; the runs are"),
        (("--name", "sharpness= "), "is not RUN=NAME"),
        (("--name", "X"), "is not RUN=NAME"),
    ],
)
def test_what_a_report_cannot_be(words: tuple[str, ...], sentence: str, runs: tuple[Path, ...], cli: Cli) -> None:
    done = cli("report", *runs, *words)
    assert done.code == 2
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) == 1


# --- names ----------------------------------------------------------------------------------------------------------


def test_a_model_has_the_name_it_was_given(runs: tuple[Path, ...], cli: Cli, tmp_path: Path) -> None:
    one = runs[0]
    words = ("--on", "agiqa", "--data", tmp_path, "--out", tmp_path / "named", "--no-report", "--json")
    done = cli("run", "--model", "noise", *words, "--name", "My  Model")
    assert json.loads(done.out)["sets"][0]["model"] == "My Model"
    assert cli("score", one, "--name", "Sharp = best").code == 0
    assert Run(one).model == "Sharp = best"
    assert json.loads((one / "scores.json").read_text())["sets"][0]["model"] == "Sharp = best"
    names = (f"{runs[1]}=A=B", f"{runs[2].name}=C")
    text = cli("report", *runs, "--format", "csv", "--name", names[0], "--name", names[1]).out
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["Sharp = best", "A=B", "C"]
    assert Run(runs[1]).model == "noise"
    assert "Alone" in cli("report", one, "--format", "latex", "--name", "Alone").out
    for command in (("score", one), ("run", "--model", "noise", *words)):
        assert "--name is empty" in cli(*command, "--name", " ").err


def test_predictions_have_the_name_they_were_given(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("name,score,gt_score\n" + "".join(f"{k}.jpg,{k % 5 + 1},{k % 4 + 1}\n" for k in range(12)))
    words = ("score", "--predictions", file, "--on", "koniq:all", "--json")
    assert json.loads(cli(*words).out)["model"] == "x"
    assert json.loads(cli(*words, "--name", "Mine").out)["model"] == "Mine"


# --- the page -------------------------------------------------------------------------------------------------------


@given(
    st.floats(-1, 1),
    st.lists(st.floats(-1, 1), min_size=2, max_size=2).map(sorted),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_bars_have_room_for_what_they_show(value: float, interval: list[float], floor: float | None) -> None:
    start = find_bar_start([value, *interval])
    assert start <= min(0.0, value, interval[0])
    drawn = draw_interval(value, interval, floor, start)
    a, b = (float(re.search(rf'class="range".*?{end}="([\d.]+)"', drawn)[1]) for end in ("x1", "x2"))
    assert b - a == pytest.approx(112 * (interval[1] - interval[0]) / (1 - start), abs=0.11)
    assert ('class="zero"' in drawn) == (start < 0)


def test_the_page_begins_with_all_sets(runs: tuple[Path, ...]) -> None:
    text = format_report(runs, "html")
    first = text[text.index("<table") : text.index("</table>")]
    assert all(name in first for name in ("KonIQ-10k", "AGIQA-3K", "sharpness", "noise", "bits", "24 of 25"))
    assert (first.count("<b>"), first.count("<u>")) == (4, 4)


@pytest.mark.slow
def test_no_table_is_wider_than_the_window(runs: tuple[Path, ...], cli: Cli, made: Path, tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium")
    for name in ("constant", "random"):
        words = ("--on", f"local:{made}", "--out", tmp_path / name, "--no-report", "--name", f"{name}-" + "x" * 60)
        assert cli("run", "--model", name, *words).code == 0
    write_report([*runs, tmp_path / "constant", tmp_path / "random"], tmp_path / "report.html")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.goto((tmp_path / "report.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # A table may also scroll inside its frame: the page then looks narrow, and the table is cut.
        ends = page.evaluate(
            "[...document.querySelectorAll('table')].map(t => [t.scrollWidth, t.closest('.scroll').clientWidth])"
        )
        browser.close()
    assert len(ends) > 8
    assert all(width <= room for width, room in ends), ends


def test_formats_and_endings_agree() -> None:
    assert set(FORMATS.values()) == {"html", "markdown", "csv", "latex"}
