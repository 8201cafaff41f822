"""What training takes on the GPU at hand, beside what is computed: make gpu-check.

    python benchmarks/gpu_check/run.py                                  # one GPU: hours; --only lora for a part of it
    python benchmarks/gpu_check/run.py --device cpu --tiny              # the same path with tiny models, in minutes

Qwen3-VL-4B and Qwen2.5-VL-7B with random weights, nothing downloaded, through both stages for ten steps: seconds of a
step, share of generation, peak of memory. Each run is a process of its own, so that one that does not fit ends alone.
Results go to benchmarks/gpu_check/results.json; `make docs` then puts them into the table of docs/training.md. Without
a GPU it says so and ends with code 3.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from architectures import NAMES, write_model
from ways import WAYS, Way, make_run

from distortlab.storage.atomic import write_text
from refine_iqa_train.monitoring.console import quiet_libraries

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
NO_GPU = 3
"""The exit code where there is nothing to measure on."""
STAGES = ("stage1", "stage2")
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "flash_attn", "vllm", "bitsandbytes")


def main(words: Sequence[str] | None = None) -> int:
    options = parse_options(words)
    gpu = describe_gpu() if options.device == "cuda" else None
    if options.device == "cuda" and gpu is None:
        sys.stderr.write(
            "gpu-check: no GPU was found, and there is nothing to measure on; --device cpu --tiny tries the same path "
            "with tiny models\n"
        )
        return NO_GPU
    results: dict[str, Any] = {
        "machine": gpu or {"gpu": None},
        "tiny": options.tiny,
        "steps": options.steps,
        "completion": options.completion,
        "versions": {name: version(name.replace("_", "-")) for name in PACKAGES if find_spec(name)},
        "rows": [],
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    quiet_libraries()
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        for row in measure_all(options, Path(folder)):
            print(format_row(row), flush=True)
            results["rows"].append(row)
            write_text(options.out, json.dumps(results, indent=1) + "\n")
    return 0 if any(row["status"] == "measured" for row in results["rows"]) else 1


def parse_options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="narrow and shallow, to try the path")
    parser.add_argument("--models", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--only", default="", help="ways whose names have this in them, e.g. lora")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--completion", type=int, default=None, help="tokens of an answer: 1024, or 8 where tiny")
    parser.add_argument("--scratch", help="a folder with room for the weights, 27 GB")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args(words)
    if options.device == "cpu" and not options.tiny:
        parser.error("--device cpu goes with --tiny: the real models take days on a CPU")
    options.completion = options.completion or (8 if options.tiny else 1024)
    options.out = options.out or (Path("out/gpu-check-tiny.json") if options.tiny else RESULTS)
    return options


def describe_gpu() -> dict[str, Any] | None:
    """Name and GiB of the first GPU; None where there is none."""
    import torch

    if not torch.cuda.is_available():
        return None
    found = torch.cuda.get_device_properties(0)
    return {"gpu": found.name, "gib": round(found.total_memory / 2**30, 1)}


def measure_all(options: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """A row for each model, way and stage; the weights of a model are there while it is measured."""
    ways = [way for way in WAYS if options.only.lower() in way.name.lower()]
    data = make_data(folder, 160 if options.tiny else 1024)
    for name in options.models:
        model = folder / name
        suppressed = write_model(name, model, tiny=options.tiny, device=options.device)
        for way in ways:
            why = find_obstacle(way, options.device)
            for stage in options.stages:
                row = {"model": name, "way": way.name, "stage": stage}
                if why is not None:
                    yield {**row, "status": "skipped", "why": why}
                    continue
                keys = make_run(way, stage, model, folder / "out", data, suppressed, options)
                yield {**row, **measure(way, stage, keys, folder)}
        for file in model.iterdir():
            file.unlink()


def make_data(folder: Path, side: int) -> dict[str, str]:
    """Images with questions, and the same with made-up scores: built-in scenes of at most so many pixels a side."""
    from distortlab import default_recipe, generate
    from distortlab.recipe import ReferenceRules
    from refine_iqa_train.data.mock_ratings import mock_ratings

    rules = ReferenceRules(max_side=side, min_side=64)
    recipe = default_recipe(n=24, images_per_reference=2, images_per_shard=12, references=rules, splits={"train": 1.0})
    generate(recipe, "scenes", folder / "data", workers=1)
    mock_ratings(folder / "data", folder / "rated")
    return {"perception": str(folder / "data"), "rated": str(folder / "rated")}


def find_obstacle(way: Way, device: str) -> str | None:
    """Why a way cannot be tried here; None where it can."""
    if device == "cpu" and way.needs_gpu:
        return "needs a GPU"
    if way.package is not None and find_spec(way.package) is None:
        return f"{way.package} is not installed"
    return None


def measure(way: Way, stage: str, keys: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Run a stage in a process of its own, and read what it measured."""
    config, found = folder / "run.yaml", folder / "found.json"
    config.write_text(json.dumps(keys))
    found.unlink(missing_ok=True)
    launcher = [sys.executable]
    if way.is_sharded:
        recipe = HERE.parents[1] / "recipes" / "accelerate" / "fsdp2.yaml"
        launcher += ["-m", "accelerate.commands.launch", "--config_file", str(recipe), "--num_processes", "1"]
    words = [*launcher, str(HERE / "measure.py"), str(config), stage, str(found)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if found.exists():
        measured: dict[str, Any] = json.loads(found.read_text())
        return measured
    last = (ended.stderr.strip().splitlines() or ["nothing was said"])[-1]
    return {"status": "failed", "why": f"code {ended.returncode}: {last[:300]}"}


def format_row(row: Mapping[str, Any]) -> str:
    where = f"{row['model']}, {row['way']}, {row['stage']}: "
    if row["status"] != "measured":
        return f"{where}{row['status']}, {row['why']}"
    return (
        f"{where}{row['seconds']:.2f} s/step, {row['generation_share']:.0%} of it generation, peak "
        f"{row['peak_gib']:.2f} GiB, computed {row['computed_gib']:.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
