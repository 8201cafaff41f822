"""What an image costs: the floor, this generator, and the script that people write today, side by side.

    make bench
    python benchmarks/speed/bench.py --images 240 --refs coco:annotations/instances_train2017.json,train2017

One process, one thread, the same allocator for all. CPU time (user and system), the median over repetitions that take
turns. The machine's own noise shows in the range.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from contestants import Contestant, floor, generator, make_single_shard_plan, peer, pixels_only
from corpus import write_corpus

from distortlab.core.workers import tune_process


def measure_times(contestants: Mapping[str, Contestant], repeats: int) -> dict[str, list[float]]:
    """Milliseconds of CPU per image, for every repetition; a first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(repeats + 1):
        for name, work in contestants.items():
            start = time.process_time()
            images = work()
            cost = (time.process_time() - start) / max(images, 1) * 1e3
            if turn:
                times[name].append(cost)
            print(f"round {turn}: {name:44s} {cost:7.2f} ms", file=sys.stderr, flush=True)
    return times


def format_table(times: Mapping[str, list[float]], base: str, script: str) -> str:
    """Markdown."""
    bottom, top = statistics.median(times[base]), statistics.median(times[script])
    lines = [f"| | CPU ms/image | range | x {base} | {script} / this |", "|---|---|---|---|---|"]
    for name, values in times.items():
        middle = statistics.median(values)
        spread = f"{min(values):.1f}-{max(values):.1f}"
        lines.append(f"| {name} | {middle:.2f} | {spread} | {middle / bottom:.2f} | {top / middle:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", help="coco:FILE.json,FOLDER; composed scenes of 640x480 unless given")
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    tune_process()
    with tempfile.TemporaryDirectory() as folder:
        spec = arguments.refs or write_corpus(Path(folder), arguments.images)
        single, eight = (
            make_single_shard_plan(spec, arguments.images, 1),
            make_single_shard_plan(spec, arguments.images, 8),
        )
        contestants = {
            "floor": floor(single),
            "distortlab, 1 image per reference": generator(single),
            "distortlab, 8 images per reference": generator(eight),
            "distortlab, 1 per reference, pixels only": pixels_only(single),
            "distortlab, 8 per reference, pixels only": pixels_only(eight),
            "script, Pillow PNG level 1": peer(single, 1),
            "script, Pillow PNG default": peer(single, None),
        }
        times = measure_times(contestants, arguments.repeats)
    print(f"{arguments.images} images, {arguments.repeats} repetitions, {arguments.refs or 'scenes of 640x480'}\n")
    print(format_table(times, "floor", "script, Pillow PNG level 1"))


if __name__ == "__main__":
    main()
