"""Data sets that a page must show: a usual one, and one in which every row is odd in a way of its own."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from dataset_samples import edit_manifest
from numpy.typing import NDArray
from PIL import Image as pillow
from reference_samples import encoded

from distortlab.api import distort
from distortlab.core.image import pixels_sha256
from distortlab.dataset.schema import TABLES, decode_edits
from distortlab.dataset.writer import make_table, open_writer
from distortlab.distortions.edit import render
from distortlab.imaging.decode import decode_image
from distortlab.storage.atomic import hash_file

Pixels = NDArray[np.uint8]
Row = dict[str, Any]

HOSTILE = "</script><script>hacked=1</script><img src=x onerror=hacked=2>\u2028\u2029'\"&amp;${hacked=3}\x00{{script}}"
"""What a name or a prompt may hold."""


def rewrite(folder: Path, kind: str, change: Callable[[Row, int], None]) -> None:
    """Change the rows of a table (`change` is told the row and its number) and the manifest with them."""
    number = 0
    for path in sorted((folder / kind).glob("*.parquet")):
        rows = pq.read_table(path).to_pylist()
        for row in rows:
            change(row, number)
            number += 1
        with path.open("wb") as sink:
            writer = open_writer(sink, TABLES[kind])
            writer.write_table(make_table(rows, TABLES[kind]))
            writer.close()
        name, size = path.relative_to(folder).as_posix(), path.stat().st_size
        entry = {"bytes": size, "sha256": hash_file(path), "rows": len(rows)}
        edit_manifest(folder, lambda m, name=name, entry=entry: m["files"].update({name: entry}))


def make_odd(row: Row, number: int) -> None:
    """Row 0 pristine, 1 two regions, 2 no reference, 3 a reference of another size, 4 changed outside of its region,
    5 hostile text, 6 no numbers, 7 a region that leads out, 8 other text for params, 9 nothing to decode the mask from.
    """
    region = row["regions"][0]
    reference = decode_image(row["reference"]["bytes"]).image
    if number == 0:
        row["regions"] = []
        set_pixels(row, reference)
    elif number == 1:
        first, second = dict(region), dict(region)
        where = distort(reference, "noise.poisson", 4, box=(200, 200, 300, 260), seed=7).edit
        second |= {"bbox": list(where.bbox), "mask_rle": where.region.rle, "distortion": "noise", "variant": "poisson"}
        row["regions"] = [first, second | {"severity": 4, "params": json.dumps(where.params)}]
        set_pixels(row, render(reference, decode_edits(row)))
    elif number == 2:
        row["reference"] = None
    elif number == 3:
        row["reference"]["bytes"] = encoded(reference[:200, :200], "PNG")
    elif number == 4:
        image = decode_image(row["image"]["bytes"]).image.copy()
        image[0, 0] ^= 1
        set_pixels(row, image)
    elif number == 5:
        row |= {"reference_source": HOSTILE, "reference_license": HOSTILE, "generator_version": HOSTILE}
        region |= {"object": HOSTILE, "variant": HOSTILE, "params": json.dumps({HOSTILE: HOSTILE, "unit": HOSTILE})}
    elif number == 6:
        region["visibility"] = dict.fromkeys(region["visibility"], float("nan"))
        region["params"] = '{"amount": NaN, "scale": 1e999, "version": -Infinity}'
    elif number == 7:
        region["bbox"] = [-5, -5, 2_000_000_000, 2_000_000_000]
    elif number == 8:
        region["params"] = "[" * 100_000
    elif number == 9:
        region["mask_rle"] = {"size": [2_000_000_000, 2_000_000_000], "counts": "\U0001f600 ~~~~~~~~"}


def set_pixels(row: Row, image: Pixels) -> None:
    row["image"]["bytes"] = encoded(image, "PNG")
    row["pixels_sha256"] = pixels_sha256(image)


def make_odd_question(row: Row, number: int) -> None:
    """Hostile words in the questions about the sixth image and everywhere in the last question."""
    if row["image_id"].endswith("000005"):
        row["prompt"] = [{"role": "user", "content": f"{HOSTILE}\n- {HOSTILE}\n\n{HOSTILE}"}]
        row["solution"] = HOSTILE


# --- a page, taken apart again --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """What stands in a page."""

    text: str
    data: dict[str, Any]
    files: list[bytes]

    def pixels(self, number: int, kind: str = "after") -> Pixels:
        """The distorted image (`after`) or the reference (`before`), put together as the page does it."""
        entry = self.data["images"][number]["pictures"]
        out = decoded(self.files[entry["base"]]).copy()
        if entry[kind] is not None:
            top, (x, y) = decoded(self.files[entry[kind]]), entry["corner"]
            out[y : y + top.shape[0], x : x + top.shape[1]] = top
        return out


def decoded(data: bytes) -> Pixels:
    with pillow.open(BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def read_page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert held
    files = re.findall(r'<script type="text/plain" id="file-(\d+)">(.*?)</script>', text)
    assert [int(number) for number, _ in files] == list(range(len(files)))
    return Page(text, json.loads(held[1]), [base64.b64decode(data, validate=True) for _, data in files])


def stored_images(folder: Path) -> dict[str, Row]:
    """The rows of `images` by id, with their pictures decoded."""
    out = {}
    for path in sorted((folder / "images").glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            held = {name: row[name] and decode_image(row[name]["bytes"]).image for name in ("image", "reference")}
            out[row["image_id"]] = row | {"after": held["image"], "before": held["reference"]}
    return out
