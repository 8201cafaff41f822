"""Small copies of the official label files, in their formats, with pictures that exist."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

from distortlab.codecs import encode_png

__all__ = ["write_csv", "write_kadid", "write_koniq", "write_picture", "write_spaq"]


def write_picture(path: Path, number: int = 0) -> Path:
    """A small picture, another one for every number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = np.mgrid[:24, :32]
    flat = np.stack([rows * 9, columns * 7, (rows + columns + 31 * number) % 256], axis=2)
    path.write_bytes(encode_png(flat.astype(np.uint8)))
    return path


def write_csv(path: Path, header: Sequence[str], lines: Sequence[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def write_koniq(root: Path, n: int = 6) -> Path:
    """`koniq10k_distributions_sets.csv`: its MOS is a z-score, and c1..c5 are shares."""
    lines = []
    for k in range(n):
        votes = np.roll([0.5, 0.3, 0.2, 0.0, 0.0], k % 4)
        part = "validation" if k == n - 1 else ("training", "test")[k % 2]
        lines.append([f"{k}.jpg", *votes, 100 + k, 40 + 3 * k, 0.5, part])
        write_picture(root / "1024x768" / f"{k}.jpg", k)
    write_csv(
        root / "koniq10k_distributions_sets.csv",
        ("image_name", "c1", "c2", "c3", "c4", "c5", "c_total", "MOS", "SD", "set"),
        lines,
    )
    return root


def write_spaq(root: Path, n: int = 5) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["Image name", "MOS", "Brightness", "Colorfulness", "Contrast", "Noisiness", "Sharpness"])
    for k in range(n):
        book.active.append([f"{k:05d}.jpg", 10.5 * k, *[1.0] * 5])
        write_picture(root / "TestImage" / f"{k:05d}.jpg", k)
    (root / "Annotations").mkdir(parents=True, exist_ok=True)
    book.save(root / "Annotations" / "MOS and Image attribute scores.xlsx")
    return root


def write_kadid(root: Path) -> Path:
    lines = []
    for reference in ("I01", "I66"):
        write_picture(root / "images" / f"{reference}.png")
        for level in (1, 2, 3):
            name = f"{reference}_01_0{level}.png"
            lines.append([name, f"{reference}.png", 5 - level, 0.5])
            write_picture(root / "images" / name, level)
    write_csv(root / "dmos.csv", ("dist_img", "ref_img", "dmos", "var"), lines)
    return root
