"""Tables as Markdown and CSV."""

import csv
import io
from pathlib import Path

from in_process import Cli


def test_markdown_and_csv_have_the_same_rows(measure_runs: tuple[Path, ...], cli: Cli) -> None:
    text = cli("report", *measure_runs, "--format", "markdown").out
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3
    assert {line.count("|") for line in lines} == {6}
    assert (text.count("**"), text.count("<ins>"), text.count("(24 of 25)")) == (8, 4, 2)
    table = list(csv.DictReader(io.StringIO(cli("report", *measure_runs, "--format", "csv", "--intervals").out)))
    assert [row["model"] for row in table] == ["sharpness", "noise", "bits"]
    assert table[2]["incomplete"] == "KonIQ-10k: 24 of 25"
    for row in table:
        low, value, high = (float(row[f"KonIQ-10k SRCC{part}"]) for part in (" low", "", " high"))
        assert low <= value <= high
