"""What an image costs: the floor, this generator, and the script that people write today, side by side.

    make bench REFS=coco:annotations/instances_train2017.json,train2017
    python benchmarks/speed/bench.py --images 160 --refs coco:FILE.json,FOLDER --json

The second is what docs/performance.md shows: its output is kept as benchmarks/results/speed.json, and `make docs` makes
the tables.

Photographs, where `--refs` names some, and the built-in scenes with their composition; their floor and the script read
the same scenes as JPEG files. One process, one thread, the same allocator for all. CPU time (user and system), the
median over repetitions that take turns, each with other draws from the same references; the noise of the machine and
that of the draws show in the range. What the stages take is measured in a round of its own.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provenance import describe_run
from speed_tables import FLOOR, SCRIPT, format_stages, format_times

from distortlab.core.workers import choose_arrow_pool, tune_process

choose_arrow_pool()  # as the command line does, before these import Arrow

from contestants import Contestant, floor, generator, make_single_shard_plan, peer  # noqa: E402
from corpus import write_corpus  # noqa: E402
from stages import FUNCTIONS, measure_stages  # noqa: E402

from distortlab.references import open_references  # noqa: E402

DENSITIES = (1.0, 2.5, 8.0)
"""Images per reference."""


def name_generator(density: float) -> str:
    return f"distortlab, {density:g} per reference"


def make_contestants(spec: str, files: str, references: int, repeats: int) -> dict[str, Contestant]:
    """What is compared on one source: `spec` is what distortlab reads, `files` where the same images lie in files.

    All read every reference. Each repetition of distortlab has draws of its own.
    """
    stored = make_single_shard_plan(files, references, 1)
    ours = {
        name_generator(k): generator(
            [make_single_shard_plan(spec, round(references * k), k, seed) for seed in range(repeats + 1)]
        )
        for k in DENSITIES
    }
    return {FLOOR: floor(stored), **ours, SCRIPT: peer(stored, 1)}


def measure_times(contestants: Mapping[str, Contestant], repeats: int) -> dict[str, list[float]]:
    """Milliseconds of CPU per image, for every repetition; a first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(repeats + 1):
        for name, work in contestants.items():
            cost = measure_once(work)
            if turn:
                times[name].append(cost)
            print(f"round {turn}: {name:44s} {cost:7.2f} ms", file=sys.stderr, flush=True)
    return times


def measure_once(work: Contestant) -> float:
    """Milliseconds of CPU per image."""
    start = time.process_time()
    images = work()
    return (time.process_time() - start) / max(images, 1) * 1e3


def measure_parts(contestants: Mapping[str, Contestant]) -> dict[str, dict[str, float]]:
    """Milliseconds of CPU per image in each stage, by contestant; measuring makes all a little dearer."""
    parts = {}
    for density in DENSITIES:
        name = name_generator(density)
        with measure_stages() as times:
            start = time.process_time()
            images = contestants[name]()
            total = time.process_time() - start
        seconds = {stage: times.seconds[stage] for stage in FUNCTIONS}
        seconds["other"] = total - sum(seconds.values())
        parts[f"{density:g}"] = {stage: value / max(images, 1) * 1e3 for stage, value in seconds.items()}
    return parts


def compute_ratios(times: Mapping[str, list[float]]) -> dict[str, float]:
    """Cost over the floor by images per reference, and of the script over that of one image per reference."""
    middle = {name: statistics.median(values) for name, values in times.items()}
    ratios = {
        f"ratio_{density:g}".replace(".", "_"): middle[name_generator(density)] / middle[FLOOR] for density in DENSITIES
    }
    return {**ratios, "script_over_1": middle[SCRIPT] / middle[name_generator(1)]}


def measure_source(spec: str, files: str, references: int, repeats: int) -> dict[str, Any]:
    """All that is known of one source, ready for JSON."""
    contestants = make_contestants(spec, files, references, repeats)
    times = measure_times(contestants, repeats)
    return {"references": references, **compute_ratios(times), "ms": times, "stages": measure_parts(contestants)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", help="photographs, as coco:FILE.json,FOLDER; without them only scenes are measured")
    parser.add_argument("--images", type=int, default=240, help="references, at most as many as there are photographs")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print all that was measured, and what with, as JSON")
    arguments = parser.parse_args()
    tune_process()
    sources: dict[str, dict[str, Any]] = {}
    if arguments.refs:
        images = min(arguments.images, open_references(arguments.refs).count or arguments.images)
        sources["photographs"] = measure_source(arguments.refs, arguments.refs, images, arguments.repeats)
    with tempfile.TemporaryDirectory() as folder:
        files = write_corpus(Path(folder), arguments.images, seed=1)
        sources["scenes"] = measure_source("scenes:1", files, arguments.images, arguments.repeats)
    if arguments.json:
        print(json.dumps({"about": describe_run("benchmarks/speed/bench.py", sys.argv[1:]), **sources}, indent=1))
        return
    for name, about in sources.items():
        print(f"{name}: {about['references']} references, {arguments.repeats} repetitions\n")
        print(f"{format_times(about['ms'])}\n")
    print(f"CPU ms per image, by source and images per reference\n\n{format_stages(sources)}")


if __name__ == "__main__":
    main()
