"""Every variant and severity on every region of photographs: what it did, by several measures, and whether it counts.

Three ways to set the dial: the `matched` ladder, DepictQA's (`dq`), and `equalized`: predicted, and searched on where
the prediction was off.
"""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context

import numpy as np
import pandas as pd
from measures import MEASURES

from distortlab.core.image import Image
from distortlab.core.region import Region
from distortlab.core.seeds import stream
from distortlab.core.workers import tune_process
from distortlab.distortions.base import Distortion
from distortlab.distortions.catalog import CATALOG
from distortlab.distortions.edit import Edit, Visibility, compute_spatial_scale, render_edit
from distortlab.generation.working_image import GIVE_UP, TRIES
from distortlab.recipe import Recipe, ReferenceRules, RegionRules, default_recipe
from distortlab.references import open_references
from distortlab.severity.model_size import measure_at_model_size
from distortlab.severity.predictor import predict_amount, predict_curve
from distortlab.severity.scene import Scene
from distortlab.severity.search import find_misfit, search_amount
from distortlab.severity.visibility import find_label_fault, find_region_fault, measure_visibility

MARGIN = 16
MODES = {
    "matched": default_recipe(severity="ladder"),
    "equalized": default_recipe(severity="equalized"),
    "dq": default_recipe(profile="dq"),
}


@dataclass(frozen=True, slots=True)
class EditRow:
    """One edit. `reason`: why it does not become a label, or None. `tries` and `ms` are what the setting took."""

    mode: str
    region: int
    name: str
    severity: int
    amount: float
    v: float
    reason: str | None
    tries: int
    ms: float
    ssim: float
    psnr: float
    delta_e: float
    gmsd: float
    v_small: float


@dataclass(frozen=True, slots=True)
class Place:
    """A region of a photograph."""

    key: int
    image: Image
    region: Region


def sample_places(specs: Sequence[str], count: int, max_side: int = 1024) -> list[Place]:
    """`count` random regions of all the references that pass the rules; of an endless source, of the first `count`."""
    found = []
    for spec in specs:
        references = open_references(spec)
        for entry in references.entries(min(references.count or count, 10_000)):
            reference = entry.load(ReferenceRules(max_side=max_side), RegionRules())
            found += [(reference.image, named.region) for named in reference.regions]
    chosen = stream("severity study").permute(found)[:count]
    return [Place(key, image, region) for key, (image, region) in enumerate(chosen)]


def measure_edits(places: Sequence[Place], modes: Sequence[str], workers: int, max_pixels: int = 0) -> pd.DataFrame:
    """A row for every region, mode, variant and severity."""
    jobs = [(place, mode, max_pixels) for place in places for mode in modes]
    with ProcessPoolExecutor(workers, get_context("spawn"), tune_process) as pool:
        rows = []
        for done, part in enumerate(pool.map(_measure_job, jobs), 1):
            rows += part
            if done % 20 == 0:
                print(f"  {done} of {len(jobs)}", flush=True)
    return pd.DataFrame([asdict(row) for row in rows])


def _measure_job(job: tuple[Place, str, int]) -> list[EditRow]:
    place, mode, max_pixels = job
    return list(_measure_place(place, mode, MODES[mode], max_pixels))


def _measure_place(place: Place, mode: str, recipe: Recipe, max_pixels: int) -> Iterator[EditRow]:
    scene = Scene.of_region(place.image, place.region)
    for row in CATALOG:
        if row.get_ladder(recipe.profile) is None:
            continue
        closed = find_region_fault(scene, row.name)
        for severity in range(1, 6):
            start = time.process_time()
            edit, after, visibility, tries = _set_severity(place, scene, row, severity, recipe)
            ms = 1e3 * (time.process_time() - start)
            reason = closed or _predict_fault(place, scene, row, severity, recipe)
            reason = reason or _find_fault(visibility, row, severity, recipe)
            small = (
                measure_at_model_size(place.image, after, place.region, row.name, max_pixels).v
                if max_pixels
                else visibility.v
            )
            values = dict.fromkeys(MEASURES, math.nan) if max_pixels else _measure_full_reference(place, after)
            outcome = (edit.amount, visibility.v, reason, tries, ms)
            yield EditRow(mode, place.key, row.name, severity, *outcome, **values, v_small=small)


def _set_severity(
    place: Place, scene: Scene, row: Distortion, severity: int, recipe: Recipe
) -> tuple[Edit, Image, Visibility, int]:
    def try_amount(amount: float) -> tuple[float, tuple[Edit, Image, Visibility]]:
        edit = Edit(
            place.region, row.name, severity, amount, compute_spatial_scale(place.region.size), 2, (place.key, row.name)
        )
        after = render_edit(place.image, edit)
        visibility = measure_visibility(scene, after, row.name)
        return visibility.v, (edit, after, visibility)

    if recipe.severity == "equalized":
        curve = predict_curve(row, scene, compute_spatial_scale(place.region.size))
        found = search_amount(row, severity, recipe.tolerance, try_amount, curve, TRIES, GIVE_UP)
        return *found.outcome, found.tries
    ladder = row.get_ladder(recipe.profile)
    assert ladder is not None
    return *try_amount(ladder.values[severity - 1])[1], 1


def _predict_fault(place: Place, scene: Scene, row: Distortion, severity: int, recipe: Recipe) -> str | None:
    """Why a data set would not even render an edit, or None."""
    if recipe.severity != "equalized":
        return None
    scale = compute_spatial_scale(place.region.size)
    reachable = predict_amount(row, severity, scene, scale, recipe.tolerance).is_reachable
    return None if reachable else "predicted to be out of reach"


def _find_fault(visibility: Visibility, row: Distortion, severity: int, recipe: Recipe) -> str | None:
    return find_label_fault(visibility, row.name, recipe.visibility.minimum) or find_misfit(
        visibility.v, severity, recipe.tolerance
    )


def _measure_full_reference(place: Place, after: Image) -> dict[str, float]:
    box, frame = place.region.bbox, place.region.bbox.grow(MARGIN, place.region.size)
    before = np.ascontiguousarray(place.image[frame.slices])
    changed, mask = before.copy(), np.zeros(before.shape[:2], bool)
    inside = box.relative_to(frame).slices
    changed[inside], mask[inside] = after, place.region.mask != 0
    return {name: measure(before, changed, mask) for name, measure in MEASURES.items()}
