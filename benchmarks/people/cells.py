"""KADID's cells (a type of distortion at a level): what people said of them, and what measures say of them."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from measures import SLOW, measure_damage
from operators import TYPES, KadidType, render_cell

from distortlab.core.workers import map_in_order
from distortlab.distortions.edit import MEASURE_VERSION
from distortlab.severity.scene import Scene

HERE = Path(__file__).parent
HUMAN_SCORES = HERE / "kadid_cells.csv"
MEASURED = HERE / "measured_cells.csv"
LEVELS = range(1, 6)
CELLS: tuple[tuple[KadidType, int], ...] = tuple((kind, level) for kind in TYPES for level in LEVELS)
OPERATORS = np.array([kind.number for kind, _ in CELLS])
CORE = np.array([kind.group == "core" for kind, _ in CELLS])
"""Of each cell, whether it is one of the 70 that V should get right: no tone, no pixelation by the nearest pixel."""
ALL = np.array([kind.group != "other" for kind, _ in CELLS])
"""Of each cell, whether it is one of the 95 whose distortion could be made again."""


def read_human_scores(column: str = "mos_mean") -> np.ndarray:
    """The mean score of each cell, or "mos_sd_over_references", how much it varies over KADID's 81 photographs."""
    with HUMAN_SCORES.open(newline="") as file:
        found = {(int(row["type"]), int(row["level"])): float(row[column]) for row in csv.DictReader(file)}
    return np.array([found[kind.number, level] for kind, level in CELLS])


@dataclass(frozen=True, slots=True)
class Measured:
    """Values of every measure, (cells, photographs), NaN where not measured; `ms` is CPU time for a photograph."""

    photographs: Sequence[str]
    values: Mapping[str, np.ndarray]
    ms: Mapping[str, float]

    def means(self, name: str) -> np.ndarray:
        """Mean of a measure over photographs, (cells,)."""
        return np.nanmean(self.values[name], axis=1)


def measure_cells(photographs: Mapping[str, np.ndarray], names: Sequence[str], slow: int, workers: int) -> Measured:
    """Distort every photograph in every way and measure it; those of `SLOW` on the first `slow` photographs only."""
    jobs = [
        (key, image, [name for name in names if place < slow or name not in SLOW])
        for place, (key, image) in enumerate(photographs.items())
    ]
    values = {name: np.full((len(CELLS), len(jobs)), np.nan) for name in names}
    spent: dict[str, list[float]] = {name: [] for name in names}
    for place, rows in enumerate(map_in_order(_measure_photograph, jobs, workers)):
        for cell, row in enumerate(rows):
            for name, (value, ms) in row.items():
                values[name][cell, place] = value
                spent[name].append(ms)
        print(f"  {place + 1} of {len(jobs)} photographs", flush=True)
    return Measured(
        list(photographs), values, {name: float(np.median(times)) for name, times in spent.items() if times}
    )


def _measure_photograph(job: tuple[str, np.ndarray, Sequence[str]]) -> list[dict[str, tuple[float, float]]]:
    key, image, names = job
    cv2.setNumThreads(1)
    before = np.rint(image * 255).astype(np.uint8)
    scene = Scene(before, np.ones(before.shape[:2], np.uint8))
    return [
        measure_damage(scene, before, render_cell(image, kind, level, (key,)), kind.variant or "blur.gaussian", names)
        for kind, level in CELLS
    ]


def save_measured(measured: Measured, file: Path) -> None:
    """Keep everything in one .npz file, so that tables can be made again without rendering."""
    np.savez_compressed(
        file, photographs=np.array(measured.photographs), names=np.array(list(measured.values)),
        values=np.stack(list(measured.values.values())), ms=np.array([measured.ms[name] for name in measured.values]),
    )  # fmt: skip


def load_measured(file: Path) -> Measured:
    """What `save_measured` kept."""
    kept = np.load(file)
    names = [str(name) for name in kept["names"]]
    return Measured(
        [str(name) for name in kept["photographs"]],
        dict(zip(names, kept["values"], strict=True)),
        dict(zip(names, kept["ms"].tolist(), strict=True)),
    )


def merge_measured(first: Measured, second: Measured) -> Measured:
    """Both of the same photographs; where both hold a measure, the second's."""
    names = list(dict.fromkeys([*first.values, *second.values]))
    values, ms = {**first.values, **second.values}, {**first.ms, **second.ms}
    return Measured(first.photographs, {name: values[name] for name in names}, {name: ms[name] for name in names})


def write_means(measured: Measured, file: Path) -> None:
    """The mean of V in every cell: what the frozen curve of `distortlab.severity.human_scores` was fitted on."""
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["type", "level", "measure", "v"])
        for (kind, level), v in zip(CELLS, measured.means("V"), strict=True):
            writer.writerow([kind.number, level, MEASURE_VERSION, f"{v:.4f}"])


def read_means(file: Path = MEASURED) -> np.ndarray:
    """The mean V of each cell, as written by `write_means`."""
    with file.open(newline="") as lines:
        found = {(int(row["type"]), int(row["level"])): float(row["v"]) for row in csv.DictReader(lines)}
    return np.array([found[kind.number, level] for kind, level in CELLS])
