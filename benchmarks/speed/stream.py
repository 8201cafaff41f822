"""What a sample of a stream costs, beside `distort()` alone.

    python benchmarks/speed/stream.py --refs coco:FILE.json,FOLDER --samples 480

One process, one thread, the allocator of the workers. CPU time (user and system) of single calls, in milliseconds, for
each sample the best of `--repeats` rounds, since other work on the machine only adds to it:

- `distort()`: the same variant at the same severity in the same region, no sample and no question made of it; with the
  setting of the ladder, and with the setting searched for, as the stream does it;
- a sample of the stream, drawn for the first time, with its reference in memory: nothing is known of its regions yet;
- loading the references, for each sample;
- `encode()`, for those who want files.

Kinds of images are told apart by what was done to them, where the recipe has several.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from provenance import describe_run
from speed_tables import format_stream

import distortlab
from distortlab.core.workers import tune_process
from distortlab.generation.stream import SampleStream, StreamSample
from distortlab.generation.stream_items import WindowDrawer
from distortlab.generation.stream_plan import WINDOW

GOAL_MS = 4.0

Times = dict[str, dict[str, list[float]]]


def measure_call(work: Callable[[], Any]) -> tuple[float, Any]:
    """(milliseconds of CPU, the result)."""
    start = time.process_time()
    result = work()
    return 1e3 * (time.process_time() - start), result


def name_kind(sample: StreamSample) -> str:
    """What was done to an image, in words, and whether another one comes along to be compared with it."""
    return _name_edits(sample) + (", with a second image" if sample.other is not None else "")


def _name_edits(sample: StreamSample) -> str:
    if not sample.edits:
        return "pristine"
    if any(edit.region.area == edit.region.size[0] * edit.region.size[1] for edit in sample.edits):
        return "whole image"
    return f"{len(sample.edits)} region" + "s" * (len(sample.edits) > 1)


def measure_distort(sample: StreamSample, is_searched: bool) -> float:
    """Milliseconds for the edits of a sample by `distort()`."""
    spent = 0.0
    for edit in sample.edits:
        mask = np.zeros(edit.region.size, np.uint8)
        mask[edit.bbox.slices] = edit.region.mask

        def work(name: str = edit.distortion, severity: int = edit.severity, mask: Any = mask) -> Any:
            return distortlab.distort(sample.reference, name, severity, mask=mask, equalize=is_searched)

        spent += measure_call(work)[0]
    return spent


def measure_sample(drawer: WindowDrawer, index: int) -> tuple[str, dict[str, float]]:
    """(kind of image, milliseconds by what was done) for one sample."""
    drawn, sample = measure_call(lambda: drawer.draw(index))
    if not isinstance(sample, StreamSample):
        raise SystemExit(f"item {index} could not be made: {sample.reason}; take other references")
    return name_kind(sample), {
        "distort(), setting of the ladder": measure_distort(sample, is_searched=False),
        "distort(), setting searched for": measure_distort(sample, is_searched=True),
        "sample, reference in memory": drawn,
        "encode()": measure_call(sample.encode)[0],
    }


def measure_best(samples: SampleStream, first: int, count: int, repeats: int) -> Times:
    """`measure_windows` with the least of some rounds, in each of which nothing is known of the references at first."""
    rounds = [measure_windows(samples, first, count) for _ in range(repeats)]
    return {
        kind: {name: np.min([times[kind][name] for times in rounds], axis=0).tolist() for name in named}
        for kind, named in rounds[0].items()
    }


def measure_windows(samples: SampleStream, first: int, count: int) -> Times:
    """Milliseconds by kind of image and by what was done, for `count` windows from the `first` on."""
    times: Times = defaultdict(lambda: defaultdict(list))
    for number in range(first, first + count):
        drawer = samples.open_window(number)
        loading, _ = measure_call(drawer.load_references)
        for index in range(number * WINDOW, (number + 1) * WINDOW):
            kind, own = measure_sample(drawer, index)
            for name, spent in {**own, "references, their share": loading / WINDOW}.items():
                times[kind][name].append(spent)
    return times


def summarize_times(times: Times) -> dict[str, dict[str, dict[str, float]]]:
    """Number, median, mean and ninth decile of the samples, by kind of image and by what was done."""
    return {kind: {name: _summarize(values) for name, values in named.items()} for kind, named in times.items()}


def _summarize(values: Sequence[float]) -> dict[str, float]:
    found = {"median": np.median(values), "mean": np.mean(values), "ninth": np.percentile(values, 90)}
    return {"samples": len(values), **{name: round(float(value), 4) for name, value in found.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", default="scenes", help="photographs, as coco:FILE.json,FOLDER")
    parser.add_argument("--recipe", default="refine-perception-20k")
    parser.add_argument("--samples", type=int, default=480)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print what was measured, and with what, as JSON")
    arguments = parser.parse_args()
    tune_process()
    samples = distortlab.stream(arguments.recipe, arguments.refs, seed=arguments.seed)
    measure_windows(samples, 0, 2)  # imports, tables that are read once
    times = measure_best(samples, 2, -(-arguments.samples // WINDOW), arguments.repeats)
    measured = {
        "about": describe_run("benchmarks/speed/stream.py", sys.argv[1:]),
        "times": summarize_times(times),
    }
    if arguments.json:
        print(json.dumps(measured, indent=1))
        return
    print(f"CPU ms for each sample, {arguments.refs.partition(':')[0]}\n\n{format_stream(measured)}\n")
    for kind, named in sorted(measured["times"].items()):
        median = named["sample, reference in memory"]["median"]
        verdict = "met" if median <= GOAL_MS else "missed"
        print(f"{kind}: {median:.2f} ms at the median; the goal of {GOAL_MS:g} is {verdict}")


if __name__ == "__main__":
    main()
