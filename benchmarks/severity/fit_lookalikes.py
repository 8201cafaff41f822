r"""Fit which regions a blur would look the same in as the weakest mosaic, so that they are not rendered to find out.

    python benchmarks/severity/fit_lookalikes.py \
        --refs coco:instances_train2017.json,train2017 --test coco:instances_val2017.json,val2017

In every region pixelation is set to severity 1 and held against blurs (`distortlab.severity.lookalike`); the logarithm
of what it differs by is fitted by ridge regression to the statistics of the region. This is added to the coefficients
that `fit_predictor.py` has written.
"""

import argparse
import json
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
from edits import Place, sample_places
from fit_predictor import FILE, write_predictor

from distortlab.core.image import Image
from distortlab.core.workers import tune_process
from distortlab.distortions.catalog import find
from distortlab.distortions.edit import Edit, compute_spatial_scale, render_edit
from distortlab.severity.lookalike import LEAST_FROM_BLUR, measure_against_blur
from distortlab.severity.predictor import Predictor, measure_statistics, parse_predictor, predict_curve
from distortlab.severity.scene import Scene
from distortlab.severity.search import search_amount
from distortlab.severity.visibility import find_region_fault, measure_visibility

NAME, RIDGE, TOLERANCE = "pixelate.block", 0.02, 1.2

# Statistics of a region, and log of what its mosaic differs from a blur by, over what is asked.
Example = tuple[tuple[int, ...], float]


def collect_examples(places: Sequence[Place], workers: int) -> list[Example]:
    """Regions in which some setting gives severity 1."""
    with ProcessPoolExecutor(workers, get_context("spawn"), tune_process) as pool:
        return [example for example in pool.map(_measure_place, places) if example]


def _measure_place(place: Place) -> Example | None:
    row, scene, scale = find(NAME), Scene.of_region(place.image, place.region), compute_spatial_scale(place.region.size)
    if find_region_fault(scene, NAME) or scene.statistics is None:
        return None

    def render(amount: float) -> tuple[float, tuple[Edit, Image]]:
        edit = Edit(place.region, NAME, 1, amount, scale, 2, (place.key, NAME), row.version)
        after = render_edit(place.image, edit)
        return measure_visibility(scene, after, NAME).v, (edit, after)

    found = search_amount(row, 1, TOLERANCE, render, predict_curve(row, scene, scale), 4)
    if abs(math.log(found.ratio)) > math.log(TOLERANCE):
        return None
    edit, after = found.outcome
    difference = measure_against_blur(place.image, edit, after) / LEAST_FROM_BLUR
    return measure_statistics(scene.statistics, row.family, scale), math.log(max(difference, 1e-3))


def fit_lookalike(examples: Sequence[Example], predictor: Predictor) -> np.ndarray:
    """Coefficients of 1 and of the standardized statistics."""
    features, values = _make_features(examples, predictor), np.array([value for _, value in examples])
    penalty = np.diag([0.0, *[RIDGE * len(values)] * (features.shape[1] - 1)])
    return np.round(np.linalg.solve(features.T @ features + penalty, features.T @ values), 4)


def _make_features(examples: Sequence[Example], predictor: Predictor) -> np.ndarray:
    family = find(NAME).family
    return np.array([[1.0, *predictor.standardize(family, statistics)[0]] for statistics, _ in examples])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", required=True, help="photographs to fit on, with regions: those of fit_predictor.py")
    parser.add_argument("--test", required=True, help="other photographs, to say how good it is")
    parser.add_argument("--regions", type=int, default=240, help="to fit on")
    parser.add_argument("--test-regions", type=int, default=120)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    tune_process()  # a process with threads of OpenCV must not fork
    predictor = parse_predictor(json.loads(FILE.read_text(encoding="utf-8")), str(FILE))
    examples = collect_examples(sample_places([given.refs], given.regions), given.workers)
    coefficients = fit_lookalike(examples, predictor)
    write_predictor(replace(predictor, lookalikes={NAME: coefficients}))
    others = collect_examples(sample_places([given.test], given.test_regions), given.workers)
    kept, predicted = (
        np.array([value >= 0 for _, value in others]),
        _make_features(others, predictor) @ coefficients >= 0,
    )
    print(f"fitted on {len(examples)} regions; on {len(others)} of {given.test}, which were not fitted:")
    print(f"  {100 * kept.mean():.0f} % do not look like blur; predicted so {100 * predicted.mean():.0f} %")
    print(
        f"  right where predicted so {100 * kept[predicted].mean():.0f} %, found {100 * predicted[kept].mean():.0f} %"
    )


if __name__ == "__main__":
    main()
