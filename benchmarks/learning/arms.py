"""Where questions come from: a set that is seen again and again, ever new ones, or new ones chosen by their rewards.

All twelve families at all severities, the same cold start, the same number of steps. A source of windows stands where
the trainer has a stream of `distortlab`, whose images and questions are too large for a model of this size. It has the
same methods, and the trainer's own sampler (`data.sampler: reward`) draws from it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from full import COLD_STEPS, MATCHED
from page import describe_run, format_seeds, format_share, make_table
from settings import COLD, GRPO
from training import BLIND, COLD_START, Arm, Job, add_keys, read_curves, run_jobs, write_config
from windows import Windows, keep_windows, make_row, read_windows, select_windows, write_questions

from distortlab.core.seeds import stream

if TYPE_CHECKING:
    from refine_iqa_train.training.prepare import PreparedRun

SOURCES = ("static", "uniform", "reward")
STATIC = 480
"""Windows of the static set: 40 of each family."""
STEPS = 80
"""A run of 146 steps rose no further from step 80 on."""


class Shares(Protocol):
    """What chooses families for a generation of answers: the trainer's `RewardSampler`."""

    def weigh_families(self, generation: int) -> Mapping[str, float]:
        """The probabilities of families."""


class WindowSource:
    """Questions about windows by number, as `refine_iqa_train.data.fresh.FreshQuestions` makes them.

    Parameters
    ----------
    windows
        What is drawn from.
    prepare
        Makes a training row of a stored one.
    seed
        Of the draws.
    """

    def __init__(self, windows: Windows, prepare: Callable[[Any], Any], seed: int) -> None:
        self._windows, self._prepare, self._seed = windows, prepare, seed
        self._places = {
            family: [place for place, name in enumerate(windows.families) if name == family]
            for family in sorted(set(windows.families))
        }
        self.families = tuple(self._places)
        self.severities: tuple[str, ...] = ()
        self.sampler: Shares | None = None
        self.identity = f"{len(windows.families)} windows"

    def choose_window(self, number: int, generation: int) -> int:
        """The place of the window that this number stands for: a family by the shares of the sampler, all alike without
        one, then one of its windows.
        """
        shares = self.sampler.weigh_families(generation) if self.sampler else dict.fromkeys(self.families, 1.0)
        weights = [shares[family] for family in self.families]
        family = self.families[stream(self._seed, "family", number).choose_index(weights)]
        places = self._places[family]
        epoch, at = divmod(number, len(places))
        return stream(self._seed, "window", family, epoch).permute(places)[at]

    def make_row(self, number: int, generation: int) -> Any:
        """The question of this number."""
        place = self.choose_window(number, generation)
        window = select_windows(self._windows, [place])
        return self._prepare(make_row(place, window.images[0], window.families[0], window.severities[0]))


def train_on_source(job: Job) -> dict[str, Any]:
    """Train on questions of a source, the name of the job: curves."""
    from refine_iqa_train.training.prepare import prepare
    from refine_iqa_train.training.train import train

    out = job.folder / job.name
    config = write_config(job.folder / job.start, out, job.arm, job.data, job.seed)
    run = prepare(config, job.arm.stage)
    if job.name != "static":
        run = take_from_source(run, read_windows(Path(job.data).with_name("train-matched.npz")), job.name)
    train(config, job.arm.stage, run)
    return {"curves": read_curves(out)}


def take_from_source(run: "PreparedRun", windows: Windows, name: str) -> "PreparedRun":
    """A run whose questions come from windows: each new, alike by family, or by the rewards of families."""
    from refine_iqa_train.data.items import FRESH, Generations, make_item_rows
    from refine_iqa_train.data.prompts import prepare_question
    from refine_iqa_train.training.reward_sampler import RewardSampler

    config, arguments = run.config, run.arguments
    prepare = partial(prepare_question, policy=run.policy, coordinates=run.family.coordinates)
    source: Any = WindowSource(windows, prepare, config.seed)
    if name == "reward":
        source.sampler = RewardSampler(source.families, (), config.data.reward_sampler)
    items = arguments.per_device_train_batch_size // arguments.num_generations
    rows = make_item_rows(source, {}, prepare, {FRESH: 1.0}, Generations(arguments.max_steps + 1, items), config.seed)
    data = replace(run.data, train=rows, files=None, identity=source.identity)
    return replace(run, data=data, sampler=source.sampler)


def run_sources(
    out: Path, eye: Path, split: str, seeds: Sequence[int], workers: int, steps: int | None = None
) -> dict[str, Any]:
    """Train on every source with every seed: counts of held-out answers by seed and source."""
    held = {"held": keep_windows(out / f"{split}-matched.npz", split, MATCHED)}
    form = write_questions(out / "form-all", keep_windows(out / "form-all.npz", "form", MATCHED))
    train = keep_windows(out / "train-matched.npz", "train", MATCHED)
    static = write_questions(out / "static-all", select_windows(train, range(STATIC)))
    cold = add_keys(COLD_START._replace(trainer={**COLD, "max_steps": COLD_STEPS}), vision=str(eye))
    grpo = Arm("stage1", {**GRPO, "max_steps": steps or STEPS, "shuffle_dataset": False})
    folders = {seed: out / f"arms-{seed}" for seed in seeds}
    begin = [Job(folders[seed], BLIND, "cold", seed, cold, form, held) for seed in seeds]
    more = [Job(folders[seed], "cold", name, seed, grpo, static, held) for name in SOURCES for seed in seeds]
    return run_jobs(begin, more, workers, train_on_source)


def format_sources(results: Mapping[str, Any]) -> str:
    """Held-out accuracy of the type by family, sampled, all seeds together, and the worst family of each source."""
    arms, seeds = ("cold", *SOURCES), results["seeds"]
    recalls = {
        arm: _add_recalls([found[arm]["held"]["sampled"]["confusion"] for found in seeds.values()]) for arm in arms
    }
    rows = []
    for family in recalls["cold"]:
        cells = [recalls[arm][family] for arm in arms]
        rows.append((f"`{family}`", *(f"{right / total:.2f}" for right, total in cells)))
    counts = {arm: [found[arm]["held"]["sampled"] for found in seeds.values()] for arm in arms}
    for at, seed in enumerate(seeds):
        shares = [(counts[arm][at]["answer"], counts[arm][at]["n"]) for arm in arms]
        rows.append((f"all, seed {seed}", *(format_share(*share) for share in shares)))
    rows.append(("mean of the seeds", *(format_seeds(counts[arm], "answer") for arm in arms)))
    worst = [min(recalls[arm], key=lambda family, arm=arm: _share(recalls[arm][family])) for arm in arms]
    named = zip(worst, arms, strict=True)
    rows.append(("worst family", *(f"`{family}` {_share(recalls[arm][family]):.2f}" for family, arm in named)))
    return make_table(("type is right, sampled", "cold start", *SOURCES), rows)


TABLES = {"facts": describe_run, "sources": format_sources}
"""By the name that a page marks them with."""


def _add_recalls(confusions: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, tuple[int, int]]:
    return {
        family: (sum(one[family][family] for one in confusions), sum(sum(one[family].values()) for one in confusions))
        for family in confusions[0]
    }


def _share(counts: tuple[int, int]) -> float:
    return counts[0] / max(1, counts[1])
