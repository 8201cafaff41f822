"""Tabs of a real browser that show a page, and what a test asks of them."""

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from view_samples import Pixels, decoded

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext
    from playwright.sync_api import Page as Tab

__all__ = ["PHONE", "WIDE", "Open", "drawn", "settled", "shown", "wait"]

WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}


@dataclass
class Open:
    """Opens pages, and keeps what was complained about or asked for from elsewhere. `ready`: what holds when one can
    begin.
    """

    browser: "Browser"
    complaints: list[str] = field(default_factory=list)
    contexts: list["BrowserContext"] = field(default_factory=list)
    ready: str = "Boolean(stage.dataset.shown)"

    def __call__(self, path: Path, hash: str = "", **options: Any) -> "Tab":
        self.contexts.append(self.browser.new_context(**{**WIDE, **options}))
        tab = self.contexts[-1].new_page()
        tab.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        tab.on("request", lambda request: self.complaints.append(request.url) if _leaves(request.url, path) else None)
        tab.goto(path.as_uri() + hash)
        wait(tab, self.ready)
        return tab


def _leaves(url: str, path: Path) -> bool:
    return not (url.startswith("data:") or url.partition("#")[0] == path.as_uri())


def wait(tab: "Tab", condition: str) -> None:
    """Wait until something holds. Playwright's own way needs `eval`, and the page's policy allows none."""
    for _ in range(1000):
        if tab.evaluate(condition):
            return
        tab.wait_for_timeout(10)
    raise AssertionError(f"never came: {condition}")


def settled(tab: "Tab", image_id: str) -> None:
    """Wait until an image is drawn and its pixels are checked."""
    wait(tab, f"stage.dataset.shown === {image_id!r} && document.getElementById('exact').textContent !== ''")


def shown(tab: "Tab") -> str:
    return tab.inner_text("#panel .under >> nth=0").partition(" ")[0]


def drawn(tab: "Tab", x: int, y: int, width: int, height: int) -> Pixels:
    """A part of what the canvas shows, (x, y) from its corner."""
    picture = decoded(base64.b64decode(tab.evaluate("canvas.toDataURL('image/png')").partition(",")[2]))
    return picture[y : y + height, x : x + width]
