"""All twelve families: does better data teach better? `python benchmarks/learning/run.py full`.

The same cold start, the same steps, three sets of questions: severities of the matched ladder, those of DepictQA's, and
matched ones that change places among the windows of a family. Each model is asked about windows of all three.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from measure import UNREAD
from page import compute_probe_recall, describe_run, format_seeds, make_table
from settings import COLD, GRPO
from training import BLIND, COLD_START, Arm, Job, add_keys, run_jobs
from windows import Mixture, Windows, keep_windows, list_variants, permute_severities, write_questions

SEVERITIES = (1, 2, 3, 4, 5)
MATCHED = Mixture(list_variants(), SEVERITIES)
PUBLISHED = Mixture(list_variants("dq"), SEVERITIES, "dq")
SETS = ("matched", "dq", "permuted")
"""Ladders of the training data, and of the held-out windows."""
COLD_STEPS, GRPO_STEPS = 200, 200


def run_full(
    out: Path, eye: Path, split: str, seeds: Sequence[int], workers: int, steps: int | None = None
) -> dict[str, Any]:
    """Train on every set with every seed, and measure on all sets.

    Parameters
    ----------
    out, eye
        The folder of the run, and of the model whose vision part is the eye.
    split
        The pool of held-out scenes.
    seeds, workers
        As for the four families.
    steps
        Of GRPO, for a trial.

    Returns
    -------
    dict
        By seed, then "cold" or the set that was trained on, then the set that is asked about: counts by manner.
    """
    held = make_sets(out, split)
    taught = {
        name: write_questions(out / f"train-{name}", windows) for name, windows in make_sets(out, "train").items()
    }
    form = write_questions(out / "form-all", keep_windows(out / "form-all.npz", "form", MATCHED))
    cold = add_keys(COLD_START._replace(trainer={**COLD, "max_steps": COLD_STEPS}), vision=str(eye))
    grpo = Arm("stage1", {**GRPO, "max_steps": steps or GRPO_STEPS})
    folders = {seed: out / f"full-{seed}" for seed in seeds}
    begin = [Job(folders[seed], BLIND, "cold", seed, cold, form, held) for seed in seeds]
    more = [Job(folders[seed], "cold", name, seed, grpo, taught[name], held) for name in SETS for seed in seeds]
    return run_jobs(begin, more, workers)


def make_sets(out: Path, pool: str) -> dict[str, Windows]:
    """The windows of a pool under each ladder."""
    matched = keep_windows(out / f"{pool}-matched.npz", pool, MATCHED)
    published = keep_windows(out / f"{pool}-dq.npz", pool, PUBLISHED)
    return dict(zip(SETS, (matched, published, permute_severities(matched)), strict=True))


# --- what comes of it -----------------------------------------------------------------------------------------------


def format_ladders(results: Mapping[str, Any]) -> str:
    """Type and severity, sampled, of every model on every set: means over seeds, and their range."""
    rows = []
    for arm in ("cold", *SETS):
        counts = {name: [found[arm][name]["sampled"] for found in results["seeds"].values()] for name in SETS}
        cells = [format_seeds(counts[name], measure) for name in SETS for measure in ("answer", "severity")]
        rows.append(("cold start" if arm == "cold" else f"GRPO on {arm}", *cells))
    head = ("", *(f"{name}: {part}" for name in SETS for part in ("type", "severity")))
    return make_table(head, rows)


def format_families(results: Mapping[str, Any]) -> str:
    """The share of the windows of each family, matched ladder, that each model calls so, sampled, of all seeds."""
    arms = ("cold", *SETS)
    recalls = [
        dict(zip(names, shares.diagonal(), strict=True))
        for names, shares in (
            add_confusions([found[arm]["matched"]["sampled"]["confusion"] for found in results["seeds"].values()])
            for arm in arms
        )
    ]
    rows = [
        (f"`{family}`", *(f"{of[family]:.2f}" for of in recalls), f"{compute_probe_recall(results, family):.2f}")
        for family in recalls[0]
    ]
    return make_table(("recall, sampled", "cold start", *(f"GRPO on {name}" for name in SETS), "linear probe"), rows)


TABLES = {"facts": describe_run, "ladders": format_ladders, "families": format_families}
"""By the name that a page marks them with."""


def draw_confusions(seeds: Mapping[str, Any], out: Path) -> None:
    """Which family is called what, sampled, before and after GRPO on the matched ladder, all seeds together."""
    figure, axes = plt.subplots(1, 2, figsize=(13, 6.2), layout="constrained")
    for axis, arm, title in zip(
        axes, ("cold", "matched"), ("after the cold start", "after GRPO on the matched ladder"), strict=True
    ):
        names, shares = add_confusions([found[arm]["matched"]["sampled"]["confusion"] for found in seeds.values()])
        axis.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.05:
                axis.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7)
        axis.set_xticks(range(len(names) + 1), [*names, UNREAD], rotation=90, fontsize=8)
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.set(title=title, xlabel="is called (%)", ylabel="is")
    figure.savefig(out, dpi=100)
    plt.close(figure)


def add_confusions(confusions: Sequence[Mapping[str, Mapping[str, int]]]) -> tuple[list[str], np.ndarray]:
    """Families, and the shares of their windows that are called each of them, the last column unread."""
    names = list(confusions[0])
    counts = np.array(
        [[sum(one[truth][said] for one in confusions) for said in (*names, UNREAD)] for truth in names], float
    )
    return names, counts / np.maximum(1, counts.sum(1, keepdims=True))
