"""Tune the `matched` ladders, or check them: which setting of each dial gives the wanted visibility on photographs.

    python benchmarks/severity/ladders.py --refs coco:annotations/instances_train2017.json,train2017 --tune
    python benchmarks/severity/ladders.py --refs coco:annotations/instances_val2017.json,val2017

For every variant and severity the median V over regions is brought to 2, 3, 4.5, 6.5 and 9 by bisection between the
weakest and the strongest setting that makes sense. Regions that the gates leave out are left out here too.
"""

import argparse
import math

import cv2
import numpy as np

from distortlab.core.seeds import stream
from distortlab.distortions.base import TARGETS, Distortion, Ladder
from distortlab.distortions.catalog import CATALOG
from distortlab.distortions.edit import Edit, compute_spatial_scale, render_edit
from distortlab.recipe import Recipe
from distortlab.references import open_references
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import find_label_fault, find_region_fault, measure_visibility


def sample_regions(spec: str, count: int) -> list[tuple[np.ndarray, object]]:
    """`count` random regions of all the references; of an endless source, of the first `count`."""
    recipe = Recipe()
    references = open_references(spec)
    found = []
    for entry in references.entries(min(references.count or count, 10_000)):
        reference = entry.load(recipe.references, recipe.regions)
        found += [(reference.image, named.region) for named in reference.regions]
    return stream("ladders").permute(found)[:count]


def measure_regions(row: Distortion, amount: float, places: list, severity: int = 3) -> list[tuple[float, str | None]]:
    """(V, why it would be rejected) for every region that passes the gates."""
    out = []
    for k, (image, region, scene) in enumerate(places):
        if find_region_fault(scene, row.name):
            continue
        edit = Edit(region, row.name, severity, amount, compute_spatial_scale(region.size), 2, (k, row.name))
        visibility = measure_visibility(scene, render_edit(image, edit), row.name)
        out.append((visibility.v, find_label_fault(visibility, row.name, 1.0)))
    return out


def compute_median(row: Distortion, amount: float, places: list) -> float:
    return float(np.median([v for v, _ in measure_regions(row, amount, places)]))


def tune_ladder(row: Distortion, places: list) -> list[tuple[float, float]]:
    out = []
    for target in TARGETS:
        low, high = 0.0, 1.0
        best = (math.inf, 0.0, 0.0)
        for _ in range(10):
            t = (low + high) / 2
            v = compute_median(row, row.dial.interpolate(t), places)
            best = min(best, (abs(math.log(max(v, 1e-3) / target)), row.dial.interpolate(t), v))
            low, high = (t, high) if v < target else (low, t)
        out.append(best[1:])
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", default="scenes")
    parser.add_argument("--regions", type=int, default=48)
    parser.add_argument("--tune", action="store_true", help="look for settings; else measure those in the catalogue")
    parser.add_argument("--profile", default="matched", choices=["matched", "dq"])
    parser.add_argument("--only", default="", help="part of a name")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    places = [
        (image, region, Scene(np.ascontiguousarray(image[region.bbox.slices]), region.mask))
        for image, region in sample_regions(arguments.refs, arguments.regions)
    ]
    print(f"{len(places)} regions of {arguments.refs}; median V wanted: {', '.join(f'{t:g}' for t in TARGETS)}\n")
    rows = [row for row in CATALOG if arguments.only in row.name and row.get_ladder(arguments.profile)]
    if arguments.tune:
        for row in rows:
            print(f"{row.name:28s}", "  ".join(f"{a:.4g} (V {v:.2f})" for a, v in tune_ladder(row, places)), flush=True)
        return
    print("| variant | 1 | 2 | 3 | 4 | 5 | not visible, % | wrong way, % |\n|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(check_ladder(row, row.get_ladder(arguments.profile), places), flush=True)


def check_ladder(row: Distortion, ladder: Ladder, places: list) -> str:
    """A line of Markdown: median V and the share that would be rejected, at every severity."""
    medians, hidden, wrong = [], [], []
    for severity, amount in enumerate(ladder.values, 1):
        results = measure_regions(row, amount, places, severity)
        reasons = [reason for _, reason in results]
        medians.append(f"{np.median([v for v, _ in results]):.1f}")
        hidden.append(f"{100 * reasons.count('not visible') / len(results):.0f}")
        wrong.append(f"{100 * reasons.count('wrong direction') / len(results):.0f}")
    return f"| {row.name} | {' | '.join(medians)} | {' '.join(hidden)} | {' '.join(wrong)} |"


if __name__ == "__main__":
    main()
