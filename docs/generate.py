"""Make what the docs show of the code: the tables of distortions and the contact sheets.

python docs/generate.py            write them
python docs/generate.py --check    exit 1 if any is not what the code says now
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as pillow

from distortlab.catalog import CATALOG, FAMILIES, variants
from distortlab.dataset import generate
from distortlab.distortion import Distortion
from distortlab.gallery import catalogue_tiles, dataset_sheet, sample_photograph, sheet
from distortlab.image import Image
from distortlab.recipe import load_recipe
from distortlab.visibility import GATES, TRENDS

DOCS = Path(__file__).parent


def distortions_page() -> str:
    """docs/distortions.md."""
    lines = [
        "# Distortions",
        "",
        "Generated from the catalogue by `make docs`. `distortlab list` prints the same in a terminal.",
        "",
        f"{len(FAMILIES)} families, {len(CATALOG)} variants, five severities. The `matched` ladder is tuned so that a "
        "severity changes a region about as much whatever the variant ([ladders.md](ladders.md)); the `dq` ladder has "
        "DepictQA's values, with the deviations that its faults force.",
    ]
    for family in FAMILIES:
        rows = [row for row in CATALOG if row.family == family]
        lines += ["", f"## {family}", "", *_ladders(rows), "", *_notes(rows), *_rules(family)]
    return "\n".join(lines) + "\n"


def _ladders(rows: list[Distortion]) -> list[str]:
    out = ["| variant | dial | ladder | 1 | 2 | 3 | 4 | 5 |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        for profile in ("matched", "dq"):
            ladder = row.ladder(profile)
            cells = [f"{value:g}" for value in ladder.values] if ladder else ["-"] * 5
            out.append(f"| {row.variant} | {row.unit} | {profile} | {' | '.join(cells)} |")
    return out


def _notes(rows: list[Distortion]) -> list[str]:
    out = []
    for row in rows:
        text = " ".join((row.operator.__doc__ or "").split())
        where = "spatial: times the short side over 512" if row.spatial else ""
        extent = "" if row.local else "defined on the aligned crop"
        deviation = f"`dq`: {row.dq.deviation}" if row.dq and row.dq.deviation else ""
        tail = "; ".join(part for part in (where, extent, deviation) if part)
        out.append(f"- **{row.variant}**: {text}" + (f" *({tail}.)*" if tail else ""))
    return out


def _rules(family: str) -> list[str]:
    out = []
    for name in (family, *(row.name for row in CATALOG if row.family == family)):
        gates = [f"{g.stat} {g.low:g} to {g.high:g} ({g.reason} otherwise)" for g in GATES.get(name, ())]
        if gates:
            out.append(f"- Regions `{name}` is drawn for: {'; '.join(gates)}.")
        if name in TRENDS:
            out.append(f"- Kept when `{name}` reached {TRENDS[name].least:g} {TRENDS[name].unit}.")
    return ["", *out] if out else out


def families_picture() -> Image:
    """One variant of every family at five severities, two families in a row."""
    photograph, mask = sample_photograph()
    rows = [variants(family, "matched")[0] for family in FAMILIES]
    tiles = catalogue_tiles(photograph, mask, rows)
    named = [replace(tile, title=f"{rows[i // 5].family} {i % 5 + 1}") for i, tile in enumerate(tiles)]
    return sheet(named, columns=10, width=136, height=160)


def samples_picture() -> Image:
    """Twenty images of a data set made from the built-in references."""
    with tempfile.TemporaryDirectory() as folder:
        generate(load_recipe("smoke", n=40, images_per_shard=40), "scenes", folder, workers=1)
        return dataset_sheet(folder, 20, width=220)


PAGES: dict[str, Callable[[], str]] = {"distortions.md": distortions_page}
PICTURES: dict[str, Callable[[], Image]] = {
    "images/families.jpg": families_picture,
    "images/samples.jpg": samples_picture,
}


def stale_page(name: str, text: str) -> bool:
    path = DOCS / name
    return not path.exists() or path.read_text(encoding="utf-8") != text


def stale_picture(name: str, picture: Image) -> bool:
    """JPEG changes every pixel a little, but the mean of a patch of a tile hardly at all."""
    path = DOCS / name
    if not path.exists():
        return True
    with pillow.open(path) as known:
        old = np.asarray(known.convert("RGB"))
    return old.shape != picture.shape or float(np.abs(_means(old) - _means(picture)).max()) > 10


def _means(picture: Image) -> np.ndarray:
    size = (picture.shape[1] // 32, picture.shape[0] // 32)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, make_page in PAGES.items():
        text = make_page()
        if stale_page(name, text):
            stale.append(name)
            if not check:
                (DOCS / name).write_text(text, encoding="utf-8")
    for name, make_picture in PICTURES.items():
        picture = make_picture()
        if stale_picture(name, picture):
            stale.append(name)
            if not check:
                pillow.fromarray(picture).save(DOCS / name, quality=85, optimize=True)
    if stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {', '.join(stale)}\n")
    raise SystemExit(1 if stale and check else 0)


if __name__ == "__main__":
    main()
