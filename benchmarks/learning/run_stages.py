"""Whether stage 1 helps stage 2, at tiny scale: five seeds, arms of equal data, differences with intervals. On a CPU.

    python benchmarks/learning/run_stages.py                    # on the scenes that are kept for choices
    python benchmarks/learning/run_stages.py --split report     # on the scenes that no choice was made on
    python benchmarks/learning/run_stages.py --seeds 0,1 --routes b,a

The eye is that of run.py, trained here where it is not there yet. `--freeze` writes stages.json and docs/stages.md.
"""

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rated_windows import RatedWindows, keep_rated_windows, write_ratings
from run import HERE, OPENINGS, ROOT, note_opening, round_values, train_kept_eye
from settings import FOUR, HELD
from stage_routes import ROUTES, StageData, train_cold_start, train_first, train_route
from stages_page import format_summary, write_page
from training import quiet_libraries
from windows import Windows, select_windows, write_questions

RESULTS = HERE / "stages.json"
SEEDS = (0, 1, 2, 3, 4)
MIXTURE = replace(FOUR, severities=(1, 2, 3, 4, 5))
"""Four families at all severities; rated windows also hold some without a distortion."""


def prepare_data(out: Path) -> StageData:
    """Windows of the pools for form and training, as questions and as ratings."""
    found: list[Any] = []
    for pool in ("form", "train"):
        rated = keep_rated_windows(out / f"rated-{pool}.npz", pool, MIXTURE, seed=1)
        asked = select_windows(rated.windows, [place for place, s in enumerate(rated.windows.severities) if s])
        found += write_questions(out / f"questions-{pool}", asked), write_ratings(out / f"ratings-{pool}", rated)
    return StageData(*found)


def run_seed(out: Path, seed: int, routes: Sequence[str], data: StageData, held: RatedWindows) -> dict[str, Any]:
    """All routes of a seed, one after the other: a job for a process of its own."""
    quiet_libraries()
    folder = out / "stages" / f"seed-{seed}"
    train_cold_start(folder, seed, out / "eye.pt", data)
    kinds = {ROUTES[name].first for name in routes} - {"none"}
    first = {kind: train_first(folder, seed, kind, data) for kind in sorted(kinds)}
    found: dict[str, Any] = {}
    for name in [name for name in ROUTES if name in routes]:
        longer = 1.0
        if ROUTES[name].lengthened:
            longer += first["stage1"]["cpu_seconds"] / found["b"]["cpu_seconds"]
        found[name] = train_route(folder, seed, name, data, held, longer)
    return {"first": first, "routes": found}


def keep_held_out(out: Path, split: str) -> RatedWindows:
    """Held-out windows, the same for all seeds."""
    rated = keep_rated_windows(out / f"rated-{split}.npz", split, MIXTURE, seed=3)
    return RatedWindows(_take(rated.windows, HELD), rated.scores[:HELD])


def _take(windows: Windows, count: int) -> Windows:
    return select_windows(windows, range(min(count, len(windows.families))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("choose", "report"), default="choose", help="held-out scenes")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="of weights, order and sampling")
    parser.add_argument("--routes", default=",".join(ROUTES), help=f"some of {', '.join(ROUTES)}; c needs b")
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each")
    parser.add_argument("--out", type=Path, default=Path("out/learning"))
    parser.add_argument("--freeze", action="store_true", help="write stages.json and docs/stages.md")
    given = parser.parse_args()
    seeds, routes = [int(seed) for seed in given.seeds.split(",")], given.routes.split(",")
    if "c" in routes and "b" not in routes:
        parser.error("route c lasts as long as route b: give both")
    began = time.monotonic()
    openings = note_opening(OPENINGS, "stages", seeds) if given.split == "report" else 0
    held = keep_held_out(given.out, given.split)
    train_kept_eye(given.out)
    data = prepare_data(given.out)
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        jobs = {seed: pool.submit(run_seed, given.out, seed, routes, data, held) for seed in seeds}
        found = {str(seed): job.result() for seed, job in jobs.items()}
    results = {"split": given.split, "openings": openings, "truth": held.scores, "seeds": found}
    results["minutes"] = (time.monotonic() - began) / 60
    file = RESULTS if given.freeze else given.out / "stages.json"
    file.write_text(json.dumps(round_values(results)) + "\n", encoding="utf-8")
    print(format_summary(results))
    if given.freeze:
        write_page(results, ROOT / "docs" / "stages.md")


if __name__ == "__main__":
    main()
