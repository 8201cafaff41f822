"""Make docs/images/view.webp, view-sets.webp and study.webp: the pages of `distortlab view` and `distortlab study` in
Chromium, of built-in references. With names of pictures as arguments, only those.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image as pillow
from playwright.sync_api import sync_playwright

from distortlab.generation.generate import generate
from distortlab.recipe import load_recipe
from distortlab.visualization.study import write_study
from distortlab.visualization.viewer import write_page

IMAGES = Path(__file__).parent / "images"
PAGES = (
    ("view.webp", "smoke", "", ("c", "ArrowRight")),
    ("view-sets.webp", "diagnosis-25k", "3", ()),
)
"""File, recipe, the kind of image that is chosen, keys that are pressed."""


STUDY = "study.webp"
WIDE = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 800}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def main() -> None:
    wanted = sys.argv[1:] or [*(name for name, *_ in PAGES), STUDY]
    for name, recipe, kind, keys in PAGES:
        if name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            generate(load_recipe(recipe, n=40, images_per_shard=40), "scenes", f"{folder}/scenes", workers=1)
            write_page(f"{folder}/scenes", f"{folder}/view.html", sample=24)
            picture = screenshot(Path(folder, "view.html"), kind, keys)
        with pillow.open(BytesIO(picture)) as shot:
            shot.convert("RGB").save(IMAGES / name, quality=80, method=6)
    if STUDY in wanted:
        with tempfile.TemporaryDirectory() as folder:
            generate(load_recipe("smoke", n=40, images_per_shard=40), "scenes", f"{folder}/scenes", workers=1)
            write_study(f"{folder}/scenes", f"{folder}/study.html", tasks=["recognition"], trials=12, orders=2)
            join_study(Path(folder, "study.html")).save(IMAGES / STUDY, quality=82, method=6)


def join_study(page: Path) -> pillow.Image:
    """A question on a wide screen, and what the training says on a phone, side by side."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shots = []
        for screen, trained in ((WIDE, 4), (PHONE, 0)):
            tab = browser.new_page(**screen)
            tab.goto(page.as_uri() + "#2")
            for text in ("Begin", "I have no card", "Begin the training"):
                tab.get_by_role("button", name=text, exact=True).click()
            for _ in range(trained + 1):
                tab.wait_for_timeout(800)
                shown = tab.evaluate("steps()[session.at].truth?.right")
                if shown:
                    tab.locator(f'#choices [data-value="{shown}"]').click()
                if trained and shown:
                    tab.locator("#choices .primary").click()
            if trained:
                tab.locator("#card .primary").click()
                tab.wait_for_timeout(800)
            shots.append(pillow.open(BytesIO(tab.screenshot())).convert("RGB"))
        browser.close()
    wide, phone = shots[0], shots[1].resize((390, 800), pillow.Resampling.LANCZOS)
    joined = pillow.new("RGB", (wide.width + 24 + phone.width, 800), (255, 255, 255))
    joined.paste(wide, (0, 0))
    joined.paste(phone, (wide.width + 24, 0))
    return joined


def screenshot(page: Path, kind: str, keys: Sequence[str]) -> bytes:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(page.as_uri())
        if kind:
            tab.select_option("#kind", kind)
            tab.wait_for_timeout(500)
        for key in keys:
            tab.keyboard.press(key)
            tab.wait_for_timeout(500)
        data = tab.screenshot()
        browser.close()
    return data


if __name__ == "__main__":
    main()
