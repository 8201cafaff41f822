"""What the severities mean on photographs: docs/severity.md, its tables and its plots, from one command.

    python benchmarks/severity/study.py --refs coco:instances_val2017.json,val2017 --large folder:photographs

`--refs` are photographs with regions; DepictQA's ladder is measured on the same ones. `--large` are photographs of
2,048 pixels, which a model sees at 1,280 visual tokens. `--edits FILE.parquet` keeps what was measured, or starts from
it.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from edits import MODES, measure_edits, sample_places
from first_settings import measure_draws, measure_rivals, summarize_order
from page import write_page

from distortlab.severity.direction import find_trend

ROOT = Path(__file__).parents[2]
LARGE_SIDE, TOKENS = 2048, 1280 * 28 * 28


def load_or_measure(arguments: argparse.Namespace) -> pd.DataFrame:
    """All edits: those of `--refs`, and those of `--large` with what is left of them at the model's size."""
    file: Path | None = arguments.edits
    if file and file.exists():
        return pd.read_parquet(file)
    own = measure_edits(sample_places(arguments.refs, arguments.regions), list(MODES), arguments.workers)
    parts = [own.assign(source="photographs")]
    if arguments.large:
        large = sample_places(arguments.large, arguments.regions, LARGE_SIDE)
        parts.append(measure_edits(large, ["matched", "equalized"], arguments.workers, TOKENS).assign(source="large"))
    edits = pd.concat(parts, ignore_index=True)
    if file:
        edits.to_parquet(file)
    return edits


def measure_first_settings(arguments: argparse.Namespace, edits: pd.DataFrame) -> dict[str, str]:
    """The lines on first settings: draws and rivals of the first of `--refs`, and the order of its labels."""
    own = edits[(edits.source == "photographs") & (edits["mode"] == "equalized") & edits.reason.isna()]
    draws = measure_draws(arguments.refs[0], arguments.images, arguments.workers)
    return {**draws, **measure_rivals(arguments.refs[0], arguments.images // 2), **summarize_order(own)}


def read_labels(folder: Path) -> pd.DataFrame:
    """Severity, V and whether it went the wrong way, of every region of a data set."""
    plan = json.loads((folder / "_distortlab" / "plan.json").read_text())
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    rows = []
    for path in sorted((folder / "images").glob("*.parquet")):
        for regions in pq.read_table(path, columns=["regions"])["regions"].to_pylist():
            rows += [(r["severity"], r["visibility"]["v"], _went_wrong(r)) for r in regions]
    labels = pd.DataFrame(rows, columns=["severity", "v", "wrong"])
    labels.attrs = {
        "recipe": plan["recipe"]["name"],
        "source": plan["references"]["source"],
        "unfilled": manifest["failures"]["unfilled"],
    }
    return labels


def _went_wrong(region: dict[str, Any]) -> bool:
    way = find_trend(f"{region['distortion']}.{region['variant']}")
    return way is not None and region["visibility"]["trend"] < way.least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", action="append", help="a source with regions, as for distortlab generate; repeatable")
    parser.add_argument("--large", action="append", help="a source of photographs of at least 2,048 pixels")
    parser.add_argument("--regions", type=int, default=80)
    parser.add_argument("--images", type=int, default=600, help="of the data set that first settings are counted in")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--edits", type=Path, help="a Parquet file of measurements, to keep or to start from")
    parser.add_argument("--data", type=Path, help="a whole data set, to count its labels")
    parser.add_argument("--note", default="", help="a sentence for the page: which photographs these were")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where severity.md and images/ go")
    arguments = parser.parse_args()
    arguments.refs = arguments.refs or ["scenes"]
    labels = read_labels(arguments.data) if arguments.data else None
    edits = load_or_measure(arguments)
    write_page(edits, labels, measure_first_settings(arguments, edits), arguments.docs, arguments.note)


if __name__ == "__main__":
    main()
