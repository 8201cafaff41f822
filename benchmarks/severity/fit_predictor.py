r"""Fit the coefficients that first settings are predicted with, and say how good they are on other photographs.

    python benchmarks/severity/fit_predictor.py \
        --refs coco:instances_train2017.json,train2017 --test coco:instances_val2017.json,val2017 \
        --photographs "80 photographs of COCO train2017"

Every variant is rendered at places all along its dial in regions of `--refs`, and log V is fitted by ridge regression:
a polynomial in the place, whose lower coefficients are linear in the statistics that its family has. Written to
distortlab/severity/predictor.json. `--only blur` fits the variants with that in their name again and keeps the others.
"""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from edits import Place, sample_places

from distortlab.core.region import Region
from distortlab.core.workers import tune_process
from distortlab.distortions.base import TARGETS, Distortion
from distortlab.distortions.catalog import CATALOG, find
from distortlab.distortions.edit import MEASURE_VERSION, Edit, compute_spatial_scale, render_edit
from distortlab.severity.predictor import (
    ALL_STATISTICS,
    FORMAT,
    STATISTICS,
    Predictor,
    VariantModel,
    compute_place_shift,
    measure_statistics,
    parse_predictor,
    transform_places,
)
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import find_region_fault, measure_visibility

FILE = Path(__file__).parents[2] / "distortlab" / "severity" / "predictor.json"
FIT_RANGE, TEST_RANGE = (0.7, 20.0), (TARGETS[0] / 1.2, TARGETS[4] * 1.2)
"""V of the edits that count, when fitting and when testing."""
MIDDLE, WIDTH = math.log(TARGETS[2]), 0.6
RIDGE, MOST_SPREADS = 3e-3, 3.0
POWERS, JOINT_POWERS = 5, 3
"""Coefficients of the polynomial, and how many of them depend on the region."""
ZOOMS = (1.0, 1.0, 0.65, 1.6)
"""Photographs are resized by one of these, so that images of other sizes are fitted too."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An edit: which region, which row of the catalogue, where on the dial in pixels, and V."""

    region: int
    variant: int
    place: float
    v: float


@dataclass(frozen=True, slots=True)
class Samples:
    """Edits as arrays, with all statistics of their regions in 64ths, (edits, `ALL_STATISTICS`)."""

    region: np.ndarray
    variant: np.ndarray
    place: np.ndarray
    v: np.ndarray
    statistics: np.ndarray

    def of_variant(self, variant: int, low: float, high: float) -> np.ndarray:
        """Which edits are of a variant, with V between the two."""
        return (self.variant == variant) & (self.v >= low) & (self.v <= high)

    def of_family(self, family: str, used: np.ndarray) -> np.ndarray:
        """Of the edits that are used, what their family is predicted from, (edits, statistics)."""
        return self.statistics[used][:, [ALL_STATISTICS.index(name) for name in STATISTICS[family]]]


def collect_samples(places: Sequence[Place], rows: Sequence[Distortion], workers: int) -> Samples:
    """Edits of every region along every dial. Regions without statistics are left out."""
    with ProcessPoolExecutor(workers, get_context("spawn"), tune_process) as pool:
        jobs = [(place, tuple(row.name for row in rows)) for place in places]
        found = [part for part in pool.map(_measure_place, jobs) if part]
    samples = [sample for _, part in found for sample in part]
    statistics = {part[0].region: values for values, part in found if part}
    columns = (np.array([getattr(sample, name) for sample in samples]) for name in Sample.__slots__)
    return Samples(*columns, np.array([statistics[sample.region] for sample in samples], np.float64))


def _measure_place(job: tuple[Place, tuple[str, ...]]) -> tuple[tuple[int, ...], list[Sample]] | None:
    place, rows = _zoom_place(job[0]), [find(name) for name in job[1]]
    scene = Scene.of_region(place.image, place.region)
    if scene.statistics is None:
        return None
    scale = compute_spatial_scale(place.region.size)
    known = dict[str, int]()
    for family, names in STATISTICS.items():
        known |= zip(names, measure_statistics(scene.statistics, family, scale), strict=True)
    statistics = tuple(known[name] for name in ALL_STATISTICS)
    return statistics, list(_measure_dials(place, scene, rows))


def _zoom_place(place: Place) -> Place:
    zoom = ZOOMS[place.key % len(ZOOMS)]
    if zoom == 1:
        return place
    rows, columns = (round(side * zoom) for side in place.region.size)
    image = cv2.resize(place.image, (columns, rows), interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
    mask = np.zeros(place.region.size, np.uint8)
    mask[place.region.bbox.slices] = place.region.mask
    return Place(place.key, image, Region.from_mask(cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_NEAREST)))


def _measure_dials(place: Place, scene: Scene, rows: Sequence[Distortion]) -> Iterator[Sample]:
    scale = compute_spatial_scale(place.region.size)
    for row in rows:
        if find_region_fault(scene, row.name):
            continue
        for amount in list_amounts(row):
            edit = Edit(place.region, row.name, 3, amount, scale, 2, (place.key, row.name), row.version)
            v = measure_visibility(scene, render_edit(place.image, edit), row.name).v
            at = row.dial.locate(amount) + compute_place_shift(row, scale)
            yield Sample(place.key, CATALOG.index(row), at, v)


def list_amounts(row: Distortion) -> list[float]:
    """Settings from below the ladder to above it, and on to the end of the dial."""
    known = [row.dial.locate(value) for value in row.matched.values]
    low, high = max(0.0, min(known) - 0.1), min(1.0, max(known) + 0.12)
    places = [*np.linspace(low, high, 7), (high + 1) / 2, 1.0]
    return sorted({row.dial.interpolate(float(place)) for place in places})


def fit_predictor(samples: Samples, rows: Sequence[Distortion], photographs: str) -> Predictor:
    """Fit the models of `rows`."""
    first = np.unique(samples.region, return_index=True)[1]
    statistics = samples.statistics[first]  # every region once
    center, spread = statistics.mean(axis=0), statistics.std(axis=0) + 1e-9
    low = np.maximum(statistics.min(axis=0), np.ceil(center - MOST_SPREADS * spread))
    high = np.minimum(statistics.max(axis=0), np.floor(center + MOST_SPREADS * spread))
    empty = Predictor(photographs, *(np.round(values, 2) for values in (center, spread, low, high)), models={})
    models = {row.name: _fit_variant(samples, row, empty) for row in rows}
    return replace(empty, models=models)


def _fit_variant(samples: Samples, row: Distortion, predictor: Predictor) -> VariantModel:
    used = samples.of_variant(CATALOG.index(row), *FIT_RANGE)
    place, log_v = samples.place[used], np.log(samples.v[used])
    statistics = samples.of_family(row.family, used)
    features = _make_features(place, predictor.standardize(row.family, statistics)[0])
    weight = 1 / (1 + ((log_v - MIDDLE) / WIDTH) ** 2)
    penalty = RIDGE * len(place) * np.repeat([1e-4, 1.0], [POWERS, features.shape[1] - POWERS])
    normal = features.T @ (features * weight[:, None]) + np.diag(penalty)
    solution = np.linalg.solve(normal, features.T @ (log_v * weight))
    coefficients = np.zeros((POWERS, 1 + statistics.shape[1]))
    coefficients[:, 0] = solution[:POWERS]
    coefficients[:JOINT_POWERS, 1:] = solution[POWERS:].reshape(JOINT_POWERS, -1)
    low, high = float(place.min()), float(place.max())
    return VariantModel(row.version, round(low, 4), round(high, 4), np.round(coefficients, 4))


def _make_features(place: np.ndarray, standardized: np.ndarray) -> np.ndarray:
    """(edits, 5 + 3 statistics): powers of the place, then the statistics times each of the lower powers."""
    x = transform_places(place)[:, None]
    powers = [x**k for k in range(POWERS)]
    return np.hstack([*powers, *(standardized * power for power in powers[:JOINT_POWERS])])


def measure_errors(samples: Samples, rows: Sequence[Distortion], predictor: Predictor) -> dict[str, np.ndarray]:
    """Log V measured, less log V predicted, of the edits of every variant that are of some severity."""
    errors = {}
    for row in rows:
        used = samples.of_variant(CATALOG.index(row), *TEST_RANGE)
        model = predictor.models[row.name]
        predicted = [
            model.evaluate(np.array([place]), predictor.standardize(row.family, statistics)[0])[0]
            for place, statistics in zip(samples.place[used], samples.of_family(row.family, used), strict=True)
        ]
        errors[row.name] = np.log(samples.v[used]) - np.array(predicted)
    return errors


def print_errors(errors: dict[str, np.ndarray], source: str) -> None:
    """A table in Markdown: of every variant the edits, the error, and the shares within factors of 1.2 and 1.4."""
    print(f"\nV at settings along the dials, on regions of {source}, which were not fitted:\n")
    print("| variant | edits | error of log V | within 1.2, % | within 1.4, % |\n|---|---|---|---|---|")
    lines = []
    for name, error in errors.items():
        within = [100 * float(np.mean(np.abs(error) <= math.log(factor))) for factor in (1.2, 1.4)]
        lines.append((float(np.sqrt(np.mean(error**2))), *within))
        print(f"| {name} | {len(error)} | {lines[-1][0]:.3f} | {within[0]:.0f} | {within[1]:.0f} |")
    mean = np.mean(lines, axis=0)
    print(
        f"| mean of the variants | {sum(map(len, errors.values()))} | {mean[0]:.3f} | {mean[1]:.0f} | {mean[2]:.0f} |"
    )


def save_samples(samples: Samples, folder: Path | None, name: str) -> None:
    """Keep what was measured, to try other models on."""
    if folder:
        np.savez_compressed(folder / name, **{key: getattr(samples, key) for key in Samples.__slots__})


def write_predictor(predictor: Predictor, path: Path = FILE) -> None:
    """Write the file of coefficients: a line for every variant."""
    head = {
        "format": FORMAT,
        "measure": MEASURE_VERSION,
        "targets": list(TARGETS),
        "photographs": predictor.photographs,
        "statistics": dict(STATISTICS),
        **{name: getattr(predictor, name).tolist() for name in ("center", "spread", "low", "high")},
        "lookalikes": {name: part.tolist() for name, part in predictor.lookalikes.items()},
    }
    variants = {
        name: {"version": m.version, "places": [m.low, m.high], "coefficients": m.coefficients.tolist()}
        for name, m in predictor.models.items()
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    inner = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in variants.items())
    path.write_text("{\n" + ",\n".join([*lines, f'"variants": {{\n{inner}\n}}']) + "\n}\n", encoding="utf-8")


def keep_others(fitted: Predictor, path: Path = FILE) -> Predictor:
    """The new models beside those of the file, which must have been fitted on the same photographs."""
    known = parse_predictor(json.loads(path.read_text(encoding="utf-8")), str(path))
    if known.photographs != fitted.photographs or not np.array_equal(known.center, fitted.center):
        raise SystemExit(f"{path} was fitted on other regions ({known.photographs}): fit all variants again")
    models = {row.name: fitted.models.get(row.name) or known.models[row.name] for row in CATALOG}
    return replace(fitted, models=models, lookalikes=known.lookalikes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", required=True, help="photographs to fit on, with regions")
    parser.add_argument("--test", required=True, help="other photographs, to say how good it is")
    parser.add_argument("--photographs", help="what the photographs of --refs are; unless given, the source as it is")
    parser.add_argument("--regions", type=int, default=240, help="to fit on")
    parser.add_argument("--test-regions", type=int, default=120)
    parser.add_argument("--save", type=Path, help="a folder for what was measured, as fitted.npz and tested.npz")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="part of a name: the other variants stay as they are")
    given = parser.parse_args()
    tune_process()  # a process with threads of OpenCV must not fork
    rows = [row for row in CATALOG if given.only in row.name]
    samples = collect_samples(sample_places([given.refs], given.regions), rows, given.workers)
    save_samples(samples, given.save, "fitted")
    fitted = fit_predictor(samples, rows, given.photographs or given.refs)
    write_predictor(keep_others(fitted) if given.only else fitted)
    print(f"fitted on {len(np.unique(samples.region))} regions of {fitted.photographs}: {FILE.stat().st_size:,} bytes")
    others = collect_samples(sample_places([given.test], given.test_regions), rows, given.workers)
    save_samples(others, given.save, "tested")
    print_errors(measure_errors(others, rows, fitted), given.test)


if __name__ == "__main__":
    main()
