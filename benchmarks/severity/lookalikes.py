"""How much of an edit a blur explains: V between the edit and the blur that comes nearest, over V of the edit.

    python benchmarks/severity/lookalikes.py --refs coco:annotations/instances_train2017.json,train2017
    python benchmarks/severity/lookalikes.py --refs ... --only jpeg2000 --resolutions 6

1: no blur comes nearer than the picture before the edit. 0: it is a blur. Median over regions in which the severity is
reached (the search of `severity = "equalized"`), with their number; nine Gaussian and seven lens blurs are tried.
"""

import argparse
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from edits import sample_places
from ladders import TOLERANCE, Measured, Region, select_open

from distortlab.distortions.base import Distortion
from distortlab.distortions.catalog import CATALOG, find
from distortlab.distortions.families import compression
from distortlab.severity.scene import Scene
from distortlab.severity.search import find_misfit, search_amount
from distortlab.severity.visibility import measure_visibility

FAMILIES = ("compression", "pixelate", "quantization", "noise")
BLURS = (
    ("blur.gaussian", (0.4, 0.55, 0.75, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6)),
    ("blur.lens", (1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)),
)


def measure_nearest_blur(row: Distortion, region: Region, found: Measured) -> float:
    """V between an edit and the nearest blur of the same region."""
    scene, scale = Scene(found.after, region.place.region.mask), found.edit.scale
    blurs = (region.distort(find(name), 1, width / scale) for name, widths in BLURS for width in widths)
    return min(measure_visibility(scene, blur.after, row.name).v for blur in blurs)


def measure_shares(row: Distortion, severity: int, regions: Sequence[Region]) -> Iterator[float]:
    """What is left of V beside the nearest blur, for every region that reaches the severity."""
    for region in regions:

        def try_amount(amount: float, region: Region = region) -> tuple[float, Measured]:
            found = region.distort(row, severity, amount)
            return found.visibility.v, found

        found = search_amount(row, severity, TOLERANCE, try_amount).outcome
        if find_misfit(found.visibility.v, severity, TOLERANCE) is None:
            yield measure_nearest_blur(row, region, found) / found.visibility.v


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", default="scenes")
    parser.add_argument("--regions", type=int, default=24)
    parser.add_argument("--resolutions", type=int, default=compression.RESOLUTIONS, help="of JPEG 2000")
    parser.add_argument("--only", default="", help="part of a name")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    compression.RESOLUTIONS = arguments.resolutions
    regions = [Region.of(place) for place in sample_places([arguments.refs], arguments.regions)]
    print(f"{len(regions)} regions of {arguments.refs}; JPEG 2000 in {arguments.resolutions} resolutions\n")
    print("| variant | 1 | 2 | 3 | 4 | 5 |\n|---|---|---|---|---|---|")
    for row in CATALOG:
        if row.family in FAMILIES and arguments.only in row.name:
            chosen = select_open(row, regions)
            shares = [list(measure_shares(row, severity, chosen)) for severity in range(1, 6)]
            cells = [f"{np.median(of_one):.2f} ({len(of_one)})" if of_one else "-" for of_one in shares]
            print(f"| {row.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
