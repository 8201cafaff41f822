"""Make docs/images/view.webp: the page of `distortlab view` in Chromium, over images from the built-in references."""

import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image as pillow
from playwright.sync_api import sync_playwright

from distortlab.generation.generate import generate
from distortlab.recipe import load_recipe
from distortlab.visualization.viewer import write_page

OUT = Path(__file__).parent / "images" / "view.webp"
SHOWN = 1  # which image of the sample, from 0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        generate(load_recipe("smoke", n=40, images_per_shard=40), "scenes", f"{folder}/scenes", workers=1)
        write_page(f"{folder}/scenes", f"{folder}/view.html", sample=24)
        picture = screenshot(Path(folder, "view.html"))
    with pillow.open(BytesIO(picture)) as shot:
        shot.convert("RGB").save(OUT, quality=80, method=6)


def screenshot(page: Path) -> bytes:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(page.as_uri())
        for key in ["c", *["ArrowRight"] * SHOWN]:
            tab.keyboard.press(key)
            tab.wait_for_timeout(500)
        data = tab.screenshot()
        browser.close()
    return data


if __name__ == "__main__":
    main()
