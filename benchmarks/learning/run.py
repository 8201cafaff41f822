"""Whether it learns: a tiny model with a ready-made eye, a cold start without knowledge, GRPO, and controls. On a CPU.

    python benchmarks/learning/run.py                    # three seeds, on the scenes that are kept for choices
    python benchmarks/learning/run.py --split report     # the same, on the scenes that no choice was made on
    python benchmarks/learning/run.py --seeds 0 --arms grpo
    python benchmarks/learning/run.py full               # twelve families, three ladders to learn from
    python benchmarks/learning/run.py arms               # a static set, ever new windows, windows by their rewards

Every use of `report` is noted in openings.jsonl. `--freeze` writes results.json (full.json, arms.json), and tables and
pictures of docs/learning.md. A run that was stopped goes on with what it had not done. Seeds of `full` and `arms` may
be run one after the other, into the same --out.
"""

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from arms import TABLES as SOURCE_TABLES
from arms import run_sources
from full import MATCHED, draw_confusions, run_full
from full import TABLES as LADDER_TABLES
from measure import measure_model
from page import Tables, fill_page, format_summary, write_page
from plots import draw_results
from settings import EYE_STEPS, FOUR, HELD, PROBED, SEEDS, SEEN, TOKENS
from training import ARMS, BLIND, COLD_START, Job, add_keys, run_jobs
from windows import SCENES, Windows, keep_windows, select_windows, write_questions

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OPENINGS, RESULTS = HERE / "openings.jsonl", "results.json"
PAGE, FULL_PICTURE = "learning.md", "learning_families.png"


def note_opening(file: Path, what: str, seeds: Sequence[int]) -> int:
    """Note that the report split is opened; how often its scenes have been by now."""
    at, scenes = datetime.now(UTC).isoformat(timespec="seconds"), list(SCENES["report"])
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps({"at": at, "scenes": scenes, "what": what, "seeds": list(seeds)}) + "\n")
    noted = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return sum(entry["scenes"] == scenes for entry in noted)


def train_kept_eye(out: Path) -> tuple[Any, dict[str, Any]]:
    """Train the eye, unless it lies there: the eye, and how it was trained."""
    import torch
    from eye import load_weights, train_eye

    from refine_iqa_train.models.vision_attention import use_batched_attention
    from refine_iqa_train.training.tiny_model import build_tiny_model
    from refine_iqa_train.training.tiny_processor import build_tiny_processor

    torch.set_num_threads(1)
    file, record = out / "eye.pt", out / "eye.json"
    model = build_tiny_model("qwen3_vl", build_tiny_processor("qwen3_vl").tokenizer, 0)
    use_batched_attention(model)
    eye = model.model.visual
    if not record.exists():
        seen = keep_windows(out / "eye.npz", "eye", SEEN).images
        found = {"windows": len(seen), "steps": EYE_STEPS, **train_eye(eye, seen, EYE_STEPS)}
        torch.save(eye.state_dict(), file)
        record.write_text(json.dumps(found))
    load_weights(eye, file)
    return eye, json.loads(record.read_text())


def read_eye_seconds(out: Path) -> float:
    """What training the eye took that lies there and is not trained again."""
    record = out / "eye.json"
    return float(json.loads(record.read_text())["seconds"]) if record.exists() else 0.0


def take_spared_seconds(seeds: dict[str, dict[str, Any]]) -> float:
    """What the jobs took that were found done, taken out of the results."""
    return sum(max(0.0, float(found.pop("spared"))) for arms in seeds.values() for found in arms.values())


def probe_kept_eye(eye: Any, train: Windows, held: Windows) -> dict[str, Any]:
    """Fit a linear probe with labels on windows for training, and count what it says about held-out ones."""
    from eye import probe_eye

    probe = probe_eye(eye, (train.images[:PROBED], train.families[:PROBED]), (held.images, held.families))
    return {**probe._asdict(), "right": probe.right, "total": probe.total, "fitted_on": PROBED}


def select_held_out(windows: Windows, seed: int) -> Windows:
    """The held-out windows of a seed: others for each, as far as there are enough."""
    start = seed * HELD % max(1, len(windows.families) - HELD + 1)
    return select_windows(windows, range(start, min(start + HELD, len(windows.families))))


def train_seeds(out: Path, seeds: Sequence[int], arms: Sequence[str], workers: int) -> dict[str, Any]:
    """Cold starts of all seeds, then all arms: seconds and curves by seed and arm. Nothing held out is looked at."""
    form = write_questions(out / "form", keep_windows(out / "form.npz", "form", FOUR))
    fresh = write_questions(out / "train", keep_windows(out / "train.npz", "train", FOUR))
    folders = {seed: out / f"seed-{seed}" for seed in seeds}
    cold = add_keys(COLD_START, vision=str(out / "eye.pt"))
    begin = [Job(folders[seed], BLIND, "cold", seed, cold, form, {}) for seed in seeds]
    more = [Job(folders[seed], "cold", arm, seed, ARMS[arm], fresh, {}) for arm in arms for seed in seeds]
    return run_jobs(begin, more, workers)


def measure_seeds(out: Path, results: dict[str, Any], held: Windows, workers: int) -> None:
    """Add what every model answers to held-out windows, others for each seed, to its results."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = {}
        for seed, found in results.items():
            windows = select_held_out(held, int(seed))
            for arm in found:
                jobs[seed, arm] = pool.submit(measure_model, out / f"seed-{seed}" / arm, windows, TOKENS)
        for (seed, arm), job in jobs.items():
            results[seed][arm] |= job.result()


def run_four(given: argparse.Namespace, seeds: Sequence[int]) -> dict[str, Any]:
    """The main experiment. Held-out scenes are opened when all is trained."""
    eye, record = train_kept_eye(given.out)
    found = train_seeds(given.out, seeds, given.arms.split(","), given.workers)
    openings = note_opening(OPENINGS, given.what, seeds) if given.split == "report" else 0
    held = keep_windows(given.out / f"{given.split}.npz", given.split, FOUR)
    measure_seeds(given.out, found, held, given.workers)
    train = keep_windows(given.out / "train.npz", "train", FOUR)
    return {"openings": openings, "eye": record, "probe": probe_kept_eye(eye, train, held), "seeds": found}


def run_twelve(given: argparse.Namespace, seeds: Sequence[int]) -> dict[str, Any]:
    """Ladders of the training data (`full`), or where questions come from (`arms`), on all twelve families."""
    run = run_full if given.what == "full" else run_sources
    eye, _ = train_kept_eye(given.out)
    openings = note_opening(OPENINGS, given.what, seeds) if given.split == "report" else 0
    found = run(given.out, given.out / "eye.pt", given.split, seeds, given.workers, given.steps)
    train, held = (keep_windows(given.out / f"{pool}-matched.npz", pool, MATCHED) for pool in ("train", given.split))
    return {
        "openings": openings,
        "steps": given.steps,
        "probe": probe_kept_eye(eye, train, held),
        "seeds": found,
    }


def write_results(results: dict[str, Any], given: argparse.Namespace) -> None:
    """Tables to the console, numbers and pictures to `--out`; with `--freeze` into the repository too."""
    if given.what != "four":
        write_twelve(results, given)
        return
    (given.out / RESULTS).write_text(json.dumps(results) + "\n", encoding="utf-8")
    print(format_summary(results))
    if all(set(found) >= set(ARMS) for found in results["seeds"].values()):
        draw_results(results, given.out / "learning.png")
    if given.freeze:
        freeze_results(results, HERE, ROOT / "docs")


def write_twelve(results: dict[str, Any], given: argparse.Namespace) -> None:
    """The same of `full` and `arms`. Other seeds of an earlier run on the same split, in `--out`, stay beside these."""
    file = given.out / f"{given.what}.json"
    if file.exists():
        results = join_runs(json.loads(file.read_text(encoding="utf-8")), results)
    file.write_text(json.dumps(results) + "\n", encoding="utf-8")
    print("\n\n".join(table(results) for table in find_tables(given.what).values()))
    if given.what == "full":
        draw_confusions(results["seeds"], given.out / FULL_PICTURE)
    if given.freeze:
        freeze_twelve(results, given.what, HERE, ROOT / "docs")


def join_runs(earlier: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    """Results with those seeds of an earlier run that are not among theirs, and its minutes. A run on another split or
    of other steps is replaced.
    """
    is_alike = all(earlier.get(key) == results.get(key) for key in ("split", "steps"))
    if not is_alike or not earlier["seeds"].keys() - results["seeds"].keys():
        return results
    seeds = dict(sorted((earlier["seeds"] | results["seeds"]).items()))
    return {**results, "seeds": seeds, "minutes": earlier["minutes"] + results["minutes"]}


def find_tables(what: str) -> Tables:
    """The tables of `full` or of `arms`."""
    return SOURCE_TABLES if what == "arms" else LADDER_TABLES


def freeze_twelve(results: dict[str, Any], what: str, here: Path, docs: Path) -> None:
    """The numbers beside the code, the tables into the page, and for `full` the picture."""
    (here / f"{what}.json").write_text(json.dumps(round_values(results)) + "\n", encoding="utf-8")
    fill_page(docs / PAGE, results, find_tables(what), what)
    if what == "full":
        draw_confusions(results["seeds"], docs / "images" / FULL_PICTURE)


def freeze_results(results: dict[str, Any], here: Path, docs: Path) -> None:
    """The numbers beside the code, the picture and the tables into the docs."""
    (here / RESULTS).write_text(json.dumps(round_values(results)) + "\n", encoding="utf-8")
    draw_results(results, docs / "images" / "learning.png")
    write_page(results, docs)


def freeze_again(here: Path, docs: Path) -> None:
    """Tables and pictures of all runs whose numbers lie beside the code."""
    freeze_results(json.loads((here / RESULTS).read_text(encoding="utf-8")), here, docs)
    for what in ("full", "arms"):
        if (here / f"{what}.json").exists():
            freeze_twelve(json.loads((here / f"{what}.json").read_text(encoding="utf-8")), what, here, docs)


def round_values(value: Any) -> Any:
    """Floats to five digits, all the way down: curves are long."""
    if isinstance(value, dict):
        return {key: round_values(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [round_values(inner) for inner in value]
    return round(value, 5) if isinstance(value, float) else value


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("four", "full", "arms"), default="four")
    parser.add_argument("--split", choices=("choose", "report"), default="choose", help="held-out scenes")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="of weights, order and sampling")
    parser.add_argument("--arms", default=",".join(ARMS), help=f"of `four`: some of {', '.join(ARMS)}")
    parser.add_argument("--steps", type=int, help="of GRPO in `full` and `arms`, for a trial")
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each")
    parser.add_argument("--out", type=Path, default=Path("out/learning"))
    parser.add_argument("--again", action="store_true", help="tables and pictures of the docs from the kept results")
    parser.add_argument("--freeze", action="store_true", help="write results, tables and pictures of the docs")
    return parser.parse_args()


def main() -> None:
    given = parse_arguments()
    if given.again:
        freeze_again(HERE, ROOT / "docs")
        return
    seeds, began = [int(seed) for seed in given.seeds.split(",")], time.monotonic()
    spared = read_eye_seconds(given.out)
    results = {"split": given.split, "chance": 1 / len(FOUR.variants), "workers": given.workers}
    results |= run_four(given, seeds) if given.what == "four" else run_twelve(given, seeds)
    spared += take_spared_seconds(results["seeds"]) / given.workers
    results["minutes"] = (time.monotonic() - began + spared) / 60
    write_results(results, given)


if __name__ == "__main__":
    main()
