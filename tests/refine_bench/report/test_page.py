"""The page: hostile text stays text, it fits its window and loads nothing."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from bench_runs import HOSTILE
from in_process import Cli

from distortlab.tasks.terms import DIFFICULTIES
from refine_bench.report import format_report, write_report


def test_the_page_shows_hostile_text_as_text(model_runs: tuple[Path, Path], tmp_path: Path) -> None:
    run = json.loads((model_runs[0] / "run.json").read_text())
    run["model"]["name"] = HOSTILE
    (model_runs[0] / "run.json").write_text(json.dumps(run))
    write_report(model_runs, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "<script" not in text
    assert "onerror=alert" in text  # there, as text
    assert "<img src=x" not in text
    assert "default-src 'none'" in text
    assert not re.search(r"""(?:src|href)=["'](?!data:image/jpeg;base64|#)""", text)
    assert "http://" not in re.sub(r"<dd>[^<]*</dd>", "", text)


def test_scores_on_a_data_set_of_ours_are_shown_by_difficulty(made: Path, tmp_path: Path, cli: Cli) -> None:
    assert (
        cli("run", "--model", "constant", "--on", f"local:{made}", "--out", tmp_path / "run", "--no-report").code == 0
    )
    write_report([tmp_path / "run"], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "object: by difficulty of telling the family" in text
    assert any(f">{name}<" in text for name in DIFFICULTIES)


def _chromium() -> Any:
    sync = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium")
    return sync, path


@pytest.mark.slow
def test_the_page_in_a_browser(model_runs: tuple[Path, Path], tmp_path: Path) -> None:
    sync, path = _chromium()
    write_report(model_runs, tmp_path / "report.html")
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


def test_the_page_begins_with_all_sets(measure_runs: tuple[Path, ...]) -> None:
    text = format_report(measure_runs, "html")
    first = text[text.index("<table") : text.index("</table>")]
    assert all(name in first for name in ("KonIQ-10k", "AGIQA-3K", "sharpness", "noise", "bits", "24 of 25"))
    assert (first.count("<b>"), first.count("<u>")) == (4, 4)


@pytest.mark.slow
def test_no_table_is_wider_than_the_window(
    measure_runs: tuple[Path, ...], cli: Cli, made: Path, tmp_path: Path
) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium")
    for name in ("constant", "random"):
        words = ("--on", f"local:{made}", "--out", tmp_path / name, "--no-report", "--name", f"{name}-" + "x" * 60)
        assert cli("run", "--model", name, *words).code == 0
    write_report([*measure_runs, tmp_path / "constant", tmp_path / "random"], tmp_path / "report.html")
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
