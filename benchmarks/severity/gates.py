"""Whether the gates are where they should be: what regions on either side of a gate could become.

    python benchmarks/severity/gates.py --refs coco:annotations/instances_train2017.json,train2017

For every family with a gate and every measure that gates it: how many regions are turned away, and in which share of
those, of the next ones beyond the gate (within a factor of 1.5) and of all others some setting would give the severity
and a label.
"""

import argparse
from collections.abc import Sequence

import cv2
import numpy as np
from edits import sample_places
from ladders import Region, can_reach

from distortlab.distortions.base import Distortion
from distortlab.distortions.catalog import CATALOG, list_variants
from distortlab.severity.visibility import GATES, Gate

NEAR = 1.5


def locate(gate: Gate, region: Region) -> str:
    """On which side of a gate a region is: away, near or open."""
    value = gate.measure(region.scene)
    if not gate.low <= value <= gate.high:
        return "away"
    from_white = gate.high < 255  # of a gate against white the distance to white counts
    distance, least = (255 - value, 255 - gate.high) if from_white and np.isfinite(gate.high) else (value, gate.low)
    return "near" if distance < NEAR * least else "open"


def list_gates() -> list[tuple[str, Gate, Distortion]]:
    """(family or variant, gate, the variant to try)."""
    out = []
    for name, gates in GATES.items():
        rows = [row for row in CATALOG if row.name == name] or list_variants(name, "matched", 3)
        out += [(name, gate, rows[0]) for gate in gates]
    return out


def write_line(name: str, gate: Gate, row: Distortion, regions: Sequence[Region]) -> str:
    """A line of Markdown."""
    sides: dict[str, list[Region]] = {"away": [], "near": [], "open": []}
    for region in regions:
        sides[locate(gate, region)].append(region)
    bound = f">= {gate.low:g}" if gate.low else f"<= {gate.high:g}"
    cells = [row.name if name == row.name else f"{name} ({row.variant})", f"{gate.stat} {bound}"]
    for found in sides.values():
        shares = [np.mean([can_reach(row, severity, region) for region in found[:80]]) for severity in (1, 3) if found]
        cells.append(f"{len(found)}: " + (" / ".join(f"{share:.2f}" for share in shares) or "-"))
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", default="scenes")
    parser.add_argument("--regions", type=int, default=500)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    regions = [Region.of(place) for place in sample_places([arguments.refs], arguments.regions)]
    print(f"{len(regions)} regions: how many, and the share that reaches severity 1 / 3\n")
    print("| family | gate | turned away | next to the gate | others |\n|---|---|---|---|---|")
    for name, gate, row in list_gates():
        print(write_line(name, gate, row, regions), flush=True)


if __name__ == "__main__":
    main()
