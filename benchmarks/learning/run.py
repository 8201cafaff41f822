"""Whether it learns: a tiny model on a CPU, cold start and GRPO, held-out accuracy before and after, three seeds.

    python benchmarks/learning/run.py                  # half an hour on two cores
    python benchmarks/learning/run.py --seeds 0        # one seed

Writes results.json and curves.png to --out, and prints the table of docs/training.md.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from data import make_data
from measure import MEASURES, generate_answers, mark_completion, wilson_interval

TOKENS = 32
COLD = {
    "max_steps": 200,
    "per_device_train_batch_size": 32,
    "learning_rate": 1.0e-3,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 10,
    "logging_steps": 10,
    "save_strategy": "no",
    "disable_tqdm": True,
}
GRPO = {
    "max_steps": 120,
    "per_device_train_batch_size": 256,  # rollouts: fewer make a gradient that is mostly noise
    "num_generations": 4,
    "max_completion_length": TOKENS,
    "learning_rate": 2.0e-4,
    "lr_scheduler_type": "linear",
    "warmup_steps": 3,
    "loss_type": "grpo",
    "logging_steps": 1,
    "save_strategy": "no",
    "disable_tqdm": True,
}


def train_seed(seed: int, data: str, out: str, samples: int) -> dict[str, Any]:
    """Cold start and GRPO with one seed; measures after both, and the rewards of every step."""
    import torch
    import transformers

    from refine_iqa_train.config.loading import load_config
    from refine_iqa_train.data.image_sizes import make_image_policy
    from refine_iqa_train.data.mixture import load_training_data
    from refine_iqa_train.models.processors import load_processor
    from refine_iqa_train.training.tiny_model import save_tiny_model
    from refine_iqa_train.training.train import train

    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    folder = Path(out) / f"seed-{seed}"
    save_tiny_model(folder / "tiny", "qwen3_vl", seed)
    began = time.monotonic()
    common = {"seed": seed, "data": {"perception": data, "check_images": False}, "watch": {"samples_every": 60}}
    common["rewards"] = {"recognition": {"type_weight": 1.0}}
    steps = (("sft", "tiny", "cold", COLD), ("stage1", "cold", "grpo", GRPO))
    for stage, model, name, trainer in steps:
        values = {**common, "model": str(folder / model), "out": str(folder / name), "trainer": trainer}
        values["validation"] = {"every": 0, "samples": samples}
        file = folder / f"{name}.yaml"
        file.write_text(json.dumps(values))  # JSON is YAML
        train(load_config(file), stage)
    seconds = time.monotonic() - began
    config = load_config(folder / "grpo.yaml", {"validation.every": 1})
    processor, family = load_processor(str(folder / "cold"))
    held = load_training_data(
        config, "stage1", make_image_policy(config.images, processor), family.coordinates
    ).validation
    rows = [held[place] for place in range(len(held))]
    answers = {name: generate_answers(folder / name, rows, TOKENS) for name in ("cold", "grpo")}
    counted = {name: _count_right(texts, rows) for name, texts in answers.items()}
    state = json.loads((folder / "grpo" / "trainer_state.json").read_text())["log_history"]
    curve = {
        name: [entry[name] for entry in state if name in entry]
        for name in ("reward", "rewards/format/mean", "recognition/type", "entropy")
    }
    return {"seed": seed, "n": len(rows), "seconds": seconds, "counts": counted, "curve": curve}


def _count_right(answers: Mapping[str, Sequence[str]], rows: Sequence[Any]) -> dict[str, int]:
    """How many are right, by measure and manner: "sampled: answer"."""
    found = {}
    for manner, texts in answers.items():
        marked = [mark_completion(text, row["solution"]) for text, row in zip(texts, rows, strict=True)]
        found |= {f"{manner}: {name}": sum(mark[name] for mark in marked) for name in MEASURES}
    return found


def format_table(results: Sequence[dict[str, Any]]) -> str:
    """The table: shares with intervals, for every seed and for all together."""
    lines = ["| seed | measure | after the cold start | after GRPO |", "|---|---|---|---|"]
    names = list(results[0]["counts"]["cold"])
    whole = {stage: dict.fromkeys(names, 0) for stage in ("cold", "grpo")}
    for result in results:
        for name in names:
            lines.append(_line(str(result["seed"]), name, result["counts"], result["n"]))
            for stage in whole:
                whole[stage][name] += result["counts"][stage][name]
    total = sum(result["n"] for result in results)
    return "\n".join([*lines, *(_line("all", name, whole, total) for name in names)])


def _line(seed: str, name: str, counts: dict[str, dict[str, int]], n: int) -> str:
    cells = []
    for stage in ("cold", "grpo"):
        low, high = wilson_interval(counts[stage][name], n)
        cells.append(f"{counts[stage][name] / n:.3f} ({low:.3f} to {high:.3f})")
    return f"| {seed} | {name} | {cells[0]} | {cells[1]} |"


def draw_curves(results: Sequence[dict[str, Any]], out: Path) -> None:
    """Curves of every seed, smoothed over five steps."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    import numpy as np

    titles = {
        "reward": "reward (0 to 2)",
        "rewards/format/mean": "form is right",
        "recognition/type": "type is right (sampled)",
        "entropy": "entropy, nats for each token",
    }
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.2), layout="constrained")
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        for result in results:
            values = np.convolve(result["curve"][name], np.ones(5) / 5, "valid")
            axis.plot(np.arange(len(values)) + 5, values, label=f"seed {result['seed']}")
        axis.set(title=title, xlabel="GRPO step")
        axis.grid(alpha=0.3)
    axes[0].legend(frameon=False)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,1,2", help="of weights, order and sampling")
    parser.add_argument("--images", type=int, default=8000)
    parser.add_argument("--samples", type=int, default=512, help="held-out questions")
    parser.add_argument("--workers", type=int, default=2, help="seeds at a time, one core each")
    parser.add_argument("--out", type=Path, default=Path("out/learning"))
    given = parser.parse_args()
    began = time.monotonic()
    data = str(make_data(given.out, given.images))
    seeds = [int(seed) for seed in given.seeds.split(",")]
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(train_seed, seed, data, str(given.out), given.samples) for seed in seeds]
        results = [job.result() for job in jobs]
    (given.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    draw_curves(results, given.out / "curves.png")
    print(format_table(results))
    print(f"\n{(time.monotonic() - began) / 60:.0f} minutes; training {[round(r['seconds']) for r in results]} s")


if __name__ == "__main__":
    main()
