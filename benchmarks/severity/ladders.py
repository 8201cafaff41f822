"""Tune the `matched` ladders, or measure what they and the dials reach, on photographs.

    python benchmarks/severity/ladders.py --refs coco:annotations/instances_train2017.json,train2017 --tune
    python benchmarks/severity/ladders.py --refs coco:annotations/instances_train2017.json,train2017 --reach
    python benchmarks/severity/ladders.py --refs coco:annotations/instances_val2017.json,val2017 --page docs/ladders.md

`--tune`: for every variant and severity, the setting at which the median V over regions is that of `TARGETS`, by
bisection between the weakest and the strongest setting that makes sense. `--reach`: the share of regions in which any
setting gives the severity, for the tables of the families (`Distortion.reach`). `--page`: both, measured for what the
catalogue has, as the tables of the page; without any of them, as the page would have them. Regions that the gates leave
out are left out here too.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from edits import Place, sample_places

from distortlab.core.image import Image
from distortlab.distortions.base import TARGETS, Distortion, Ladder
from distortlab.distortions.catalog import CATALOG
from distortlab.distortions.edit import Edit, Visibility, compute_spatial_scale, render_edit
from distortlab.references.regions.tightening import tighten_region
from distortlab.severity.lookalike import find_lookalike_fault
from distortlab.severity.scene import Scene
from distortlab.severity.search import find_misfit, search_amount
from distortlab.severity.visibility import find_label_fault, find_region_fault, measure_visibility

TOLERANCE = 1.2
MARKS = ("<!-- from benchmarks/severity/ladders.py -->\n", "<!-- end -->")


@dataclass(frozen=True, slots=True)
class Measured:
    """An edit with a setting: what became of it."""

    edit: Edit
    after: Image
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class Region:
    """A place with its measurements before any change."""

    place: Place
    scene: Scene

    @classmethod
    def of(cls, place: Place) -> "Region":
        """As the generator would take it: without the background that an outline holds."""
        tight = Place(place.key, place.image, tighten_region(place.image, place.region))
        return cls(tight, Scene.of_region(tight.image, tight.region))

    def distort(self, row: Distortion, severity: int, amount: float) -> Measured:
        """Render and measure."""
        region = self.place.region
        scale = compute_spatial_scale(region.size)
        edit = Edit(region, row.name, severity, amount, scale, 2, (self.place.key, row.name))
        after = render_edit(self.place.image, edit)
        return Measured(edit, after, measure_visibility(self.scene, after, row.name))


def select_open(row: Distortion, regions: Sequence[Region]) -> list[Region]:
    """The regions that the gates let through."""
    return [region for region in regions if not find_region_fault(region.scene, row.name)]


def tune_ladder(row: Distortion, regions: Sequence[Region]) -> list[tuple[float, float]]:
    """(setting, median V) nearest to every target."""
    out = []
    for target in TARGETS:
        low, high = 0.0, 1.0
        best = (math.inf, 0.0, 0.0)
        for _ in range(10):
            t = (low + high) / 2
            v = float(np.median([r.distort(row, 3, row.dial.interpolate(t)).visibility.v for r in regions]))
            best = min(best, (abs(math.log(max(v, 1e-3) / target)), row.dial.interpolate(t), v))
            low, high = (t, high) if v < target else (low, t)
        out.append(best[1:])
    return out


def can_reach(row: Distortion, severity: int, region: Region) -> bool:
    """Whether any setting gives the severity, and a label."""

    def try_amount(amount: float) -> tuple[float, Measured]:
        found = region.distort(row, severity, amount)
        return found.visibility.v, found

    found = search_amount(row, severity, TOLERANCE, try_amount).outcome
    return not (
        find_label_fault(found.visibility, row.name, 1.0)
        or find_misfit(found.visibility.v, severity, TOLERANCE)
        or find_lookalike_fault(region.place.image, found.edit, found.after)
    )


def measure_reach(row: Distortion, regions: Sequence[Region]) -> list[float]:
    """The share of regions that reach each severity."""
    return [float(np.mean([can_reach(row, severity, region) for region in regions])) for severity in range(1, 6)]


def check_ladder(row: Distortion, ladder: Ladder, regions: Sequence[Region]) -> list[str]:
    """Median V at every severity, and the shares that are not visible or go the wrong way, %."""
    medians, hidden, wrong = [], [], []
    for severity, amount in enumerate(ladder.values, 1):
        seen = [region.distort(row, severity, amount).visibility for region in regions]
        reasons = [find_label_fault(one, row.name, 1.0) for one in seen]
        medians.append(f"{np.median([one.v for one in seen]):.1f}")
        hidden.append(f"{100 * reasons.count('not visible') / len(seen):.0f}")
        wrong.append(f"{100 * reasons.count('wrong direction') / len(seen):.0f}")
    return [" ".join(cells) for cells in (medians, hidden, wrong)]


def write_line(row: Distortion, ladder: Ladder, regions: Sequence[Region], with_reach: bool) -> str:
    """A line of the table."""
    chosen = select_open(row, regions)
    cells = [row.name, str(len(chosen)), *check_ladder(row, ladder, chosen)]
    if with_reach:
        cells += [" ".join(f"{share:.2f}" for share in shares) for shares in (row.reach, measure_reach(row, chosen))]
    return f"| {' | '.join(cells)} |"


def write_table(rows: Sequence[Distortion], profile: str, regions: Sequence[Region], refs: str) -> str:
    """The tables of the page."""
    heads = ["variant", "regions", "median V at 1-5", "not visible, %", "wrong way, %"]
    if profile == "matched":
        heads += ["`reach` in the table", "reach here"]
    lines = [f"{len(regions)} regions of {refs}; wanted: V {', '.join(f'{t:g}' for t in TARGETS)}.", ""]
    lines += [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        lines.append(write_line(row, row.get_ladder(profile), regions, profile == "matched"))
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def write_page(page: Path, table: str) -> None:
    """Put the table between the marks of a page."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not (begin and end):
        raise SystemExit(f"{page} has lost the marks around its table")
    page.write_text(f"{before}{begin}{table}{end}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", default="scenes")
    parser.add_argument("--regions", type=int, default=60)
    parser.add_argument("--tune", action="store_true", help="look for settings")
    parser.add_argument("--reach", action="store_true", help="measure the reach of dials")
    parser.add_argument("--page", type=Path, help="write the table into this page")
    parser.add_argument("--profile", default="matched", choices=["matched", "dq"])
    parser.add_argument("--only", default="", help="part of a name")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    regions = [Region.of(place) for place in sample_places([arguments.refs], arguments.regions)]
    rows = [row for row in CATALOG if arguments.only in row.name and row.get_ladder(arguments.profile)]
    if not (arguments.tune or arguments.reach):
        table = write_table(rows, arguments.profile, regions, arguments.refs.rpartition(",")[2].rpartition("/")[2])
        if arguments.page:
            write_page(arguments.page, table)
        return
    for row in rows:
        chosen = select_open(row, regions)
        text = (
            "  ".join(f"{amount:.4g} (V {v:.2f})" for amount, v in tune_ladder(row, chosen))
            if arguments.tune
            else f"reach=({', '.join(f'{share:.2f}' for share in measure_reach(row, chosen))})"
        )
        print(f"{row.name:28s} {len(chosen):3d}  {text}", flush=True)


if __name__ == "__main__":
    main()
