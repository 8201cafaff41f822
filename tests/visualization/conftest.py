"""Data sets, their pages, and a real browser to open them in."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser_tabs import Open
from dataset_samples import Gallery, small_recipe
from set_samples import SETS
from view_samples import make_odd, make_odd_question, rewrite

from distortlab import generate
from distortlab.visualization.viewer import write_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve images of six references."""
    out = tmp_path_factory.mktemp("view") / "usual"
    generate(small_recipe(), Gallery(), out, workers=1)
    return out


@pytest.fixture(scope="session")
def odd(usual: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but hardly a row is as it should be."""
    out = Path(shutil.copytree(usual, tmp_path_factory.mktemp("view") / "odd <b>&amp;"))
    rewrite(out, "images", make_odd)
    rewrite(out, "samples", make_odd_question)
    return out


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of every kind, with all questions about sets."""
    out = tmp_path_factory.mktemp("view") / "sets"
    generate(SETS, Gallery(), out, workers=1)
    return out


@pytest.fixture(scope="session")
def sets_page(sets: Path) -> Path:
    write_page(sets, sets.parent / "sets.html")
    return sets.parent / "sets.html"


@pytest.fixture(scope="session")
def usual_page(usual: Path) -> Path:
    write_page(usual, usual.parent / "usual.html")
    return usual.parent / "usual.html"


@pytest.fixture(scope="session")
def odd_page(odd: Path) -> Path:
    write_page(odd, odd.parent / "odd.html")
    return odd.parent / "odd.html"


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium without a window. Where there is none, the tests are left out; never in continuous integration."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("no Chromium here: tools/system_packages.sh installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # Chromium has no sandbox for root, as whom containers run; it sees only pages that the tests made.
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: "Browser") -> Iterator[Open]:
    """In the end, nothing may have been complained about, and nothing asked for from anywhere."""
    opener = Open(browser)
    yield opener
    for context in opener.contexts:
        context.close()
    assert opener.complaints == []
