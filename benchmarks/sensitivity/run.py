"""How scores of SSIM and NIQE move along dense ladders: the tables of docs/sensitivity.md.

    python benchmarks/sensitivity/run.py --refs coco:FILE.json,FOLDER --out FOLDER

Runs `refine-bench sensitivity` as a user would, goes on with what lies in FOLDER, and keeps what the tables need in
benchmarks/results/sensitivity.json. Some twenty minutes of one processor; NIQE needs scikit-video.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "speed"))

from provenance import describe_run
from sensitivity_tables import format_families, format_overview

KEPT = Path(__file__).parents[1] / "results" / "sensitivity.json"
SCORERS = {"SSIM": "ssim", "NIQE": "niqe"}
"""Models by the name that they have in the tables."""


def trim_score(score: dict[str, Any]) -> dict[str, Any]:
    """What of a `sensitivity.json` is kept: all but the scores of single images."""
    variants = [
        {
            **{key: of[key] for key in ("variant", "family", "srcc", "in_order", "noticed", "better", "notices_v")},
            "least_srcc": min((curve["srcc"] or 0.0 for curve in of["curves"]), default=0.0),
            "photographs": len(of["curves"]),
            "settings": max(len(curve["amounts"]) for curve in of["curves"]),
        }
        for of in score["variants"]
    ]
    people = score["people"]
    return {
        **{key: score[key] for key in ("n", "n_read", "srcc", "in_order", "notices_v", "unnoticed")},
        "noise": max(of["noise"] or 0.0 for of in score["photographs"].values()),
        "people": {
            **{key: people[key] for key in ("equal_v", "srcc", "srcc_families", "families")},
            "cells": len(people["cells"]),
        },
        "variants": variants,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", default="scenes", help="photographs, as coco:FILE.json,FOLDER")
    parser.add_argument("--out", type=Path, required=True, help="a folder for both runs")
    given = parser.parse_args()
    found: dict[str, Any] = {"about": describe_run("benchmarks/sensitivity/run.py", sys.argv[1:]), "scorers": {}}
    for title, model in SCORERS.items():
        out = given.out / model
        words = ["sensitivity", "--model", model, "--refs", given.refs, "--out", str(out)]
        subprocess.run([sys.executable, "-m", "refine_bench", *words], check=True)
        found["scorers"][title] = trim_score(json.loads((out / "sensitivity.json").read_text(encoding="utf-8")))
    KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(format_overview(found), format_families(found), sep="\n\n")


if __name__ == "__main__":
    main()
