"""What a label changes besides what it names: chroma under a change of contrast, the mean under quantization.

    python benchmarks/severity/side_effects.py --refs coco:annotations/instances_val2017.json,val2017 [--regions 80]

Every variant of the families is set to every severity in every region (the search of `severity = "equalized"`); what
would be rejected is left out. The table has the share of the rest whose mean chroma (CIELAB) changes by more than 4,
and whose mean luma, or the mean of a channel, changes by more than 6 levels.
"""

import argparse
import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from edits import Place, sample_places

from distortlab.core.image import Image
from distortlab.distortions.base import Distortion
from distortlab.distortions.catalog import CATALOG
from distortlab.distortions.edit import Edit, Visibility, compute_spatial_scale, render_edit
from distortlab.severity.scene import Scene
from distortlab.severity.search import find_misfit, search_amount
from distortlab.severity.visibility import find_label_fault, find_region_fault, measure_visibility

FAMILIES = ("contrast_strengthen", "contrast_weaken", "quantization", "compression")
TOLERANCE = 1.2


def render_accepted(row: Distortion, place: Place, scene: Scene, severity: int) -> Image | None:
    """The region at the setting that gives the severity, or None where it would be rejected."""

    def try_amount(amount: float) -> tuple[float, tuple[Image, Visibility]]:
        scale = compute_spatial_scale(place.region.size)
        edit = Edit(place.region, row.name, severity, amount, scale, 0, (place.key, row.name))
        after = render_edit(place.image, edit)
        visibility = measure_visibility(scene, after, row.name)
        return visibility.v, (after, visibility)

    if find_region_fault(scene, row.name):
        return None
    after, visibility = search_amount(row, severity, TOLERANCE, try_amount).outcome
    if find_label_fault(visibility, row.name, 1.0) or find_misfit(visibility.v, severity, TOLERANCE):
        return None
    return after


def measure_side_effects(row: Distortion, places: Sequence[Place], severity: int) -> Iterator[tuple[float, ...]]:
    """(change of mean chroma, of mean luma, largest change of a channel's mean) of every accepted edit."""
    for place in places:
        before = np.ascontiguousarray(place.image[place.region.bbox.slices])
        scene = Scene(before, place.region.mask)
        after = render_accepted(row, place, scene, severity)
        if after is not None:
            pair = Scene(after, place.region.mask)
            shift = np.abs(np.subtract(*(cv2.mean(i, place.region.mask)[:3] for i in (after, before)))).max()
            yield pair.chroma - scene.chroma, pair.mean - scene.mean, float(shift)


def format_line(row: Distortion, places: Sequence[Place]) -> str:
    """A line of Markdown."""
    rows = [list(measure_side_effects(row, places, severity)) for severity in range(1, 6)]
    found = np.abs(np.array([numbers for of_one in rows for numbers in of_one]))
    share = [100 * float(np.mean(found[:, k] > most)) for k, most in enumerate((4, 6, 6))] if len(found) else [math.nan]
    counts = " ".join(str(len(of_one)) for of_one in rows)
    return f"| {row.name} | {counts} | {' | '.join(f'{value:.0f}' for value in share)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", default="scenes")
    parser.add_argument("--regions", type=int, default=60)
    parser.add_argument("--only", default="", help="part of a name")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    places = sample_places([arguments.refs], arguments.regions)
    print(f"{len(places)} regions of {arguments.refs}, {TOLERANCE:g} around the target\n")
    heads = ("variant", "accepted at 1-5", "chroma > 4, %", "mean luma > 6, %", "a channel's mean > 6, %")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in CATALOG:
        if row.family in FAMILIES and arguments.only in row.name:
            print(format_line(row, places), flush=True)


if __name__ == "__main__":
    main()
