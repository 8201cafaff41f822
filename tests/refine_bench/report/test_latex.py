"""Tables in LaTeX: one table, hostile names as text, and a document that compiles."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from bench_scores import make_rated_score, make_run_score
from in_process import Cli

from refine_bench.report.latex import escape_latex, format_summary
from refine_bench.report.summary import summarize

HOSTILE = r"a_b & 50% #1 $x$ {y} ~^\<z>|" + '"\n\\end{table}'


def test_latex_is_one_table(measure_runs: tuple[Path, ...], cli: Cli) -> None:
    done = cli("report", *measure_runs, "--format", "latex")
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
    intervals = cli("report", *measure_runs, "--format", "latex", "--intervals").out
    assert intervals.count("\\scriptsize [") >= 6


def test_hostile_names_are_text_in_latex() -> None:
    text = format_summary(summarize([make_run_score("r", make_rated_score(HOSTILE, "s", 0.5))]))
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
    scores = [
        make_run_score(f"r{k}", *(make_rated_score(f"{HOSTILE} {k}", name, -0.1 * k) for name in sets))
        for k in range(3)
    ]
    head = (
        "\\documentclass[twocolumn]{article}\\usepackage[margin=2cm]{geometry}\\usepackage{booktabs}\\begin{document}"
    )
    (tmp_path / "x.tex").write_text(head + format_summary(summarize(scores), intervals=intervals) + "\\end{document}")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
