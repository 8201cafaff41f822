"""Whether stage 1 helps stage 2, at tiny scale: five seeds, arms of equal data, differences with intervals. On a CPU.

    python benchmarks/learning/run_stages.py                    # on the scenes that are kept for choices
    python benchmarks/learning/run_stages.py --split report     # on the scenes that no choice was made on
    python benchmarks/learning/run_stages.py --seeds 0,1 --routes b,a

The eye is that of run.py, trained here where it is not there yet. A run that was stopped goes on with what it had not
done. `--freeze` writes stages.json, docs/stages.md and its picture; `--again` makes both of stages.json.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rated_windows import RatedWindows, keep_rated_windows, write_ratings
from run import HERE, OPENINGS, ROOT, note_opening, round_values, train_kept_eye
from settings import FOUR, HELD
from stage_plots import draw_routes
from stage_routes import COLD_ROUTE, ROUTES, StageData, train_cold_start, train_first, train_route
from stage_scores import probe_scores
from stages_page import format_summary, write_page
from training import quiet_libraries
from windows import Windows, select_windows, write_questions

RESULTS = HERE / "stages.json"
SEEDS = (0, 1, 2, 3, 4)
FAMILIES = ("blur", "noise", "saturate_weaken")
MIXTURE = replace(FOUR, variants={family: FOUR.variants[family] for family in FAMILIES}, severities=(1, 3, 5))
"""Three families at three severities; rated windows also hold some without a distortion."""


def prepare_data(out: Path) -> StageData:
    """Windows of the pools for form and training, as questions and as ratings."""
    found: list[Any] = []
    for pool in ("form", "train"):
        rated = keep_rated_pool(out, pool)
        asked = select_windows(rated.windows, [place for place, s in enumerate(rated.windows.severities) if s])
        found += write_questions(out / f"questions-{pool}", asked), write_ratings(out / f"ratings-{pool}", rated)
    return StageData(*found)


def keep_rated_pool(out: Path, pool: str) -> RatedWindows:
    """Rated windows of a pool that is trained on."""
    return keep_rated_windows(out / f"rated-{pool}.npz", pool, MIXTURE, seed=1)


def run_routes(
    out: Path, seeds: Sequence[int], routes: Sequence[str], data: StageData, held: RatedWindows, workers: int
) -> dict[str, Any]:
    """All routes of all seeds, each job in a process of its own: cold starts, stage 1, stage 2, the lengthened ones.

    Returns
    -------
    dict
        By seed: "first" by kind of stage 1, and "routes" by name: seconds, curves, steps, scores.
    """
    folders = {seed: out / "stages" / f"seed-{seed}" for seed in seeds}
    kinds = sorted({ROUTES[name].first for name in routes} - {"none"})
    found: dict[str, Any] = {str(seed): {"first": {}, "routes": {}} for seed in seeds}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=quiet_libraries) as pool:

        def train_all(part: str, names: Sequence[str], function: Callable[..., Any], *given: Any) -> None:
            jobs = {
                (seed, name): pool.submit(function, folders[seed], seed, name, data, *given, *lengthen(seed, name))
                for name in names
                for seed in seeds
            }
            for (seed, name), job in jobs.items():
                found[str(seed)][part][name] = job.result()

        def lengthen(seed: int, name: str) -> list[float]:
            """How many times as long a route takes as stage 2 of (b), where it does: as long as all of (b)."""
            if name not in ROUTES or not ROUTES[name].lengthened:
                return []
            of = found[str(seed)]
            return [1 + of["first"]["stage1"]["cpu_seconds"] / of["routes"]["b"]["cpu_seconds"]]

        eye = out / "eye.pt"
        colds = {seed: pool.submit(train_cold_start, folders[seed], seed, eye, data, held) for seed in seeds}
        for seed, job in colds.items():
            found[str(seed)]["routes"][COLD_ROUTE] = job.result()
        train_all("first", kinds, train_first)
        for _, names in groupby((name for name in ROUTES if name in routes), lambda name: ROUTES[name].lengthened):
            train_all("routes", list(names), train_route, held)
    return found


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
    parser.add_argument("--freeze", action="store_true", help="write stages.json, docs/stages.md and its picture")
    parser.add_argument("--again", action="store_true", help="page and picture of the docs from stages.json alone")
    given = parser.parse_args()
    if given.again:
        show_results(json.loads(RESULTS.read_text(encoding="utf-8")), ROOT / "docs")
        return
    seeds, routes = [int(seed) for seed in given.seeds.split(",")], given.routes.split(",")
    if "c" in routes and "b" not in routes:
        parser.error("route c lasts as long as route b: give both")
    openings = note_opening(OPENINGS, "stages", seeds) if given.split == "report" else 0
    held = keep_held_out(given.out, given.split)
    eye, _ = train_kept_eye(given.out)
    data = prepare_data(given.out)
    found = run_routes(given.out, seeds, routes, data, held, given.workers)
    results = {"split": given.split, "openings": openings, "truth": held.scores, "seeds": found}
    results |= {"probe": probe_scores(eye, keep_rated_pool(given.out, "train"), held), "workers": given.workers}
    file = RESULTS if given.freeze else given.out / "stages.json"
    file.write_text(json.dumps(round_values(results)) + "\n", encoding="utf-8")
    print(format_summary(results))
    if given.freeze:
        show_results(results, ROOT / "docs")
    else:
        draw_routes(results, given.out / "stages.png")


def show_results(results: dict[str, Any], docs: Path) -> None:
    """The tables and the picture of docs/stages.md."""
    write_page(results, docs / "stages.md")
    draw_routes(results, docs / "images" / "stages.png")


if __name__ == "__main__":
    main()
