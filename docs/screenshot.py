"""Make docs/images/view.webp and view-sets.webp: the page of `distortlab view` in Chromium, of built-in references."""

import shutil
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image as pillow
from playwright.sync_api import sync_playwright

from distortlab.generation.generate import generate
from distortlab.recipe import load_recipe
from distortlab.visualization.viewer import write_page

IMAGES = Path(__file__).parent / "images"
PAGES = (
    ("view.webp", "smoke", "", ("c", "ArrowRight")),
    ("view-sets.webp", "diagnosis-25k", "3", ()),
)
"""File, recipe, the kind of image that is chosen, keys that are pressed."""


def main() -> None:
    for name, recipe, kind, keys in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            generate(load_recipe(recipe, n=40, images_per_shard=40), "scenes", f"{folder}/scenes", workers=1)
            write_page(f"{folder}/scenes", f"{folder}/view.html", sample=24)
            picture = screenshot(Path(folder, "view.html"), kind, keys)
        with pillow.open(BytesIO(picture)) as shot:
            shot.convert("RGB").save(IMAGES / name, quality=80, method=6)


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
