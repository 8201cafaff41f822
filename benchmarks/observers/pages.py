"""Random images of a data set on contact pages for a viewer: reference and image beside each other, at native size.

    python benchmarks/observers/pages.py --refs coco:FILE.json,FOLDER --n 32 --seed 13 --out out/pages

Pages carry numbers only, so that the viewer guesses the family before `key.txt` tells it. Of a large image the part
around the region is shown.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from draws import draw_images
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Box
from distortlab.core.seeds import stream
from distortlab.distortions.edit import render
from distortlab.generation.draw import DistortedImage
from distortlab.recipe import default_recipe

_WIDTH, _HEIGHT, _MARGIN, _GAP = 600, 380, 40, 12
_PER_PAGE = 4


def cut_window(size: tuple[int, int], box: Box) -> Box:
    """The part of an image that is shown: the box of the region with a margin, at most `_WIDTH` by `_HEIGHT`."""
    (x1, x2), (y1, y2) = (
        _limit(low - _MARGIN, high + _MARGIN, most, whole)
        for low, high, most, whole in ((box.x1, box.x2, _WIDTH, size[1]), (box.y1, box.y2, _HEIGHT, size[0]))
    )
    return Box(x1, y1, x2, y2)


def _limit(low: int, high: int, most: int, whole: int) -> tuple[int, int]:
    middle, length = (low + high) // 2, min(max(high - low, 260), most, whole)
    first = min(max(middle - length // 2, 0), whole - length)
    return first, first + length


def make_pair(image: DistortedImage, number: int) -> Image:
    """Reference and image beside each other, with the number of the sample on the left."""
    before = image.reference.image
    window = cut_window(before.shape[:2], image.edits[0].bbox)
    parts = [np.ascontiguousarray(each[window.slices]) for each in (before, render(before, image.edits))]
    label = np.full((window.height, 44, 3), 255, np.uint8)
    cv2.putText(label, str(number), (2, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 2, cv2.LINE_AA)
    gap = np.full((window.height, _GAP, 3), 255, np.uint8)
    return np.hstack([label, parts[0], gap, parts[1]])


def stack_pairs(pairs: list[NDArray[np.uint8]]) -> Image:
    """Pairs below each other."""
    width = max(pair.shape[1] for pair in pairs)
    padded = [np.pad(p, ((0, _GAP), (0, width - p.shape[1]), (0, 0)), constant_values=255) for p in pairs]
    return np.vstack(padded)


def describe(image: DistortedImage) -> str:
    """What the key says of a sample."""
    edit, place = image.edits[0], image.places[0]
    v = edit.visibility.v if edit.visibility else 0.0
    return f"{edit.distortion} {edit.severity} of {place.object}, V {v:.2f}, setting {edit.amount:.4g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", action="append", required=True)
    parser.add_argument("--n", type=int, default=32, help="samples of each source")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    recipe = default_recipe(n=given.n, seed=given.seed, splits={"train": 1.0}, images_per_reference=1.0)
    found = [image for spec in given.refs for image in draw_images(spec, recipe)]
    shown = stream(given.seed, "pages").permute(found)
    given.out.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(shown), _PER_PAGE):
        pairs = [make_pair(image, first + at) for at, image in enumerate(shown[first : first + _PER_PAGE])]
        page = stack_pairs(pairs)
        cv2.imwrite(str(given.out / f"page-{first // _PER_PAGE:02d}.png"), cv2.cvtColor(page, cv2.COLOR_RGB2BGR))
    key = [f"{number} {describe(image)}" for number, image in enumerate(shown)]
    (given.out / "key.txt").write_text("\n".join(key) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
