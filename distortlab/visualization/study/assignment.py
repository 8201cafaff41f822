"""Who is shown what, in which order: balanced over families and severities, over people, and over left and right.

People take a place each in a list of prepared orders. Within one order families and severities come equally often; from
one order to the next the round goes on where it was, and of the images of a family and severity the one that was shown
least is taken. Parts of a study rotate, so that each comes first equally often. All of it is drawn by address from one
seed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import lcm

from distortlab.analysis.study.stimuli import TASKS, Pair, Stimulus, list_pairs, name_reference
from distortlab.core.seeds import stream

__all__ = ["CATCHES", "Order", "Pool", "Trial", "list_offered", "plan_orders", "plan_training", "share_trials"]

CATCHES = 0.25
"""Share of the trials of detection in which nothing is distorted."""
_WEIGHTS = {"detection": 2, "recognition": 1, "comparison": 1, "grounding": 1}
_EDGES = (2.1, 3.0, 6.0)  # of V's ratio in pairs, which come equally often


@dataclass(frozen=True, slots=True)
class Trial:
    """What is shown: the names of one image, or of the first and the second one."""

    task: str
    images: tuple[str, ...]


Order = list[tuple[str, list[Trial]]]
"""The parts of a study in the order of one person: a task, and its trials."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What there is in a page. `references`: scenes that are there undistorted as well."""

    stimuli: tuple[Stimulus, ...]
    references: frozenset[str]

    def list_local(self) -> list[Stimulus]:
        """Images in which there is something to be found."""
        return [one for one in self.stimuli if not one.is_whole]

    def list_catches(self) -> list[str]:
        """Names of the undistorted references."""
        return [name_reference(reference) for reference in sorted(self.references)]

    def list_pairs(self) -> list[Pair]:
        """Pairs to be compared, each with its reference only where the reference is there."""
        pairs = list_pairs(self.stimuli)
        return [pair for pair in pairs if pair.other or pair.worse.reference_id in self.references]

    def without(self, names: set[str]) -> "Pool":
        """The pool without some images."""
        return Pool(tuple(one for one in self.stimuli if one.image_id not in names), self.references)


def list_offered(pool: Pool) -> dict[str, str]:
    """Why a task cannot be asked of a pool; without those that can."""
    reasons = {
        "detection": "" if pool.references else "its images are there without their references",
        "comparison": "" if pool.list_pairs() else "it has no two images of one scene whose V are far enough apart",
        "grounding": "" if pool.list_local() else "its images are distorted as a whole",
    }
    return {task: reason for task, reason in reasons.items() if reason}


def share_trials(tasks: Sequence[str], trials: int) -> dict[str, int]:
    """How many trials each task has; detection, which thresholds are fitted to, has twice as many as the others."""
    total, out, before = sum(_WEIGHTS[task] for task in tasks), {}, 0
    for place, task in enumerate(tasks, 1):
        end = round(trials * sum(_WEIGHTS[name] for name in tasks[:place]) / total)
        out[task], before = end - before, end
    return out


# --- training -------------------------------------------------------------------------------------------------------


def plan_training(pool: Pool, tasks: Sequence[str], seed: int) -> dict[str, list[Trial]]:
    """Choose the trials with feedback, which are the same for everybody: strong distortions first.

    Parameters
    ----------
    pool
        What there is.
    tasks
        Those of the study.
    seed
        Of the study.
    """
    drawn = stream(seed, "study", "training").permute(pool.stimuli)
    strong = _pick_apart(sorted(drawn, key=lambda one: -one.severity), 4)
    weak = _pick_apart(sorted(drawn, key=lambda one: abs(one.severity - 2)), 1)
    local = _pick_apart(sorted(pool.list_local(), key=lambda one: one not in strong), 3)
    untouched = [name for one in strong[1:] if (name := name_reference(one.reference_id)) in pool.list_catches()]
    pairs = sorted(pool.list_pairs(), key=lambda pair: (pair.other is None, -pair.ratio))
    scenes = {pair.worse.reference_id: pair for pair in reversed(pairs)}
    pairs = [pair for pair in pairs if scenes[pair.worse.reference_id] is pair][:2]
    shown: dict[str, list[tuple[str, ...]]] = {
        "detection": [(strong[0].image_id,), *((name,) for name in untouched[:1]), (weak[0].image_id,)],
        "recognition": [(one.image_id,) for one in strong],
        "comparison": [pair.names[:: 1 if place else -1] for place, pair in enumerate(pairs)],
        "grounding": [(one.image_id,) for one in local],
    }
    shown["detection"] += [(name,) for name in untouched[1:2]]
    return {task: [Trial(task, names) for names in shown[task]] for task in tasks}


def _pick_apart(stimuli: Sequence[Stimulus], most: int) -> list[Stimulus]:
    """The first ones of different families and scenes, as far as there are some."""
    out: list[Stimulus] = []
    for strict in (True, False):
        for one in stimuli:
            apart = all(one.family != other.family and one.reference_id != other.reference_id for other in out)
            if len(out) < most and one not in out and (apart or not strict):
                out.append(one)
    return out


# --- orders ---------------------------------------------------------------------------------------------------------


def plan_orders(pool: Pool, trials: Mapping[str, int], seed: int, orders: int) -> list[Order]:
    """Plan what each person is shown.

    Parameters
    ----------
    pool
        What there is.
    trials
        How many of each task; fewer where the pool has fewer, as no one is shown the same twice in a task.
    seed
        Of the study.
    orders
        How many people can be told apart; the next one begins again.

    Returns
    -------
    list
        An order for each.
    """
    takers = {task: _TAKERS[task](pool, seed) for task in trials}
    out = []
    for slot in range(orders):
        used: set[str] = set()
        blocks = {}
        for task in sorted(trials, key=lambda name: name != "comparison"):  # pairs are the hardest to find
            chosen = takers[task](trials[task], used, slot)
            blocks[task] = _spread_scenes(stream(seed, "study", "order", slot, task).permute(chosen), pool)
        names = [task for task in TASKS if task in trials]
        turn = slot % len(names)
        out.append([(task, blocks[task]) for task in (*names[turn:], *names[:turn])])
    return out


Taker = Callable[[int, set[str], int], list[Trial]]
"""Takes trials for the next person: (how many, names that the person is shown already, the person's place)."""


class _Rounds:
    """Goes round families and severities together, and takes the image that was shown least."""

    def __init__(self, stimuli: Sequence[Stimulus], seed: int, task: str) -> None:
        source = stream(seed, "study", "rounds", task)
        self.stimuli = source.permute(stimuli)
        self.families = source.permute(sorted({one.family for one in stimuli}))
        self.severities = sorted({one.severity for one in stimuli})
        self.uses: Counter[str] = Counter()
        self.steps = count()

    def take(self, most: int, used: set[str]) -> list[Stimulus]:
        """As many images as there are, and no more than `most`; `used` are taken last, and added to."""
        free = {one.image_id: one for one in self.stimuli}
        out: list[Stimulus] = []
        while free and len(out) < most:
            chosen = self._choose(*self._find_cell(next(self.steps)), used, free.values())
            self.uses[chosen.image_id] += 1
            out.append(free.pop(chosen.image_id))
        used |= {one.image_id for one in out}
        return out

    def _find_cell(self, step: int) -> tuple[str, int]:
        """Family and severity: every pair once in as many steps as there are, neighbours differ in both."""
        wide, high = len(self.families), len(self.severities)
        return self.families[step % wide], self.severities[(step + step // lcm(wide, high)) % high]

    def _choose(self, family: str, severity: int, used: set[str], free: Iterable[Stimulus]) -> Stimulus:
        def cost(one: Stimulus) -> tuple[bool, int, bool, int]:
            name = one.image_id
            return one.family != family, abs(one.severity - severity), name in used, self.uses[name]

        return min(free, key=cost)


def _take_detections(pool: Pool, seed: int) -> Taker:
    rounds = _Rounds(pool.stimuli, seed, "detection")
    catches = stream(seed, "study", "catches").permute(pool.list_catches())
    uses: Counter[str] = Counter()

    def take(most: int, used: set[str], slot: int) -> list[Trial]:
        untouched = sorted(catches, key=lambda name: uses[name])[: round(most * CATCHES)]
        uses.update(untouched)
        names = [*untouched, *(one.image_id for one in rounds.take(most - len(untouched), used))]
        return [Trial("detection", (name,)) for name in names]

    return take


def _take_single(task: str, choose: Callable[[Pool], Sequence[Stimulus]]) -> Callable[[Pool, int], Taker]:
    def begin(pool: Pool, seed: int) -> Taker:
        rounds = _Rounds(choose(pool), seed, task)
        return lambda most, used, slot: [Trial(task, (one.image_id,)) for one in rounds.take(most, used)]

    return begin


def _take_pairs(pool: Pool, seed: int) -> Taker:
    """Pairs by how far V is apart, equally often; the worse one is first in every second."""
    bins: dict[int, list[Pair]] = {}
    for pair in stream(seed, "study", "pairs").permute(pool.list_pairs()):
        place = len(_EDGES) + 1 if pair.other is None else sum(pair.ratio >= edge for edge in _EDGES)
        bins.setdefault(place, []).append(pair)
    names, uses, steps = sorted(bins), Counter[tuple[str, str]](), count()

    def take(most: int, used: set[str], slot: int) -> list[Trial]:
        chosen: dict[tuple[str, str], Pair] = {}
        for _ in range(min(most, sum(map(len, bins.values())))):
            free = _list_free(bins, names[next(steps) % len(names)], chosen)
            pair = min(free, key=lambda one: (len(used.intersection(one.names)), uses[one.names]))
            uses[pair.names] += 1
            used.update(pair.names)
            chosen[pair.names] = pair
        swaps = stream(seed, "study", "swaps", slot).permute([k % 2 for k in range(len(chosen))])
        return [Trial("comparison", both[:: -1 if swap else 1]) for both, swap in zip(chosen, swaps, strict=True)]

    return take


def _list_free(bins: Mapping[int, Sequence[Pair]], place: int, chosen: Mapping[tuple[str, str], Pair]) -> list[Pair]:
    """The pairs of a bin that are not taken yet, or those of all bins."""
    free = [pair for pair in bins[place] if pair.names not in chosen]
    return free or [pair for pairs in bins.values() for pair in pairs if pair.names not in chosen]


_TAKERS: Mapping[str, Callable[[Pool, int], Taker]] = {
    "detection": _take_detections,
    "recognition": _take_single("recognition", lambda pool: pool.stimuli),
    "comparison": _take_pairs,
    "grounding": _take_single("grounding", Pool.list_local),
}


def _spread_scenes(trials: Sequence[Trial], pool: Pool) -> list[Trial]:
    """The trials, two of one scene not one after the other where that can be."""
    scenes = {one.image_id: name_reference(one.reference_id) for one in pool.stimuli}
    left, out = list(trials), list[Trial]()
    while left:
        last = None if not out else _find_scene(out[-1], scenes)
        place = next((k for k, trial in enumerate(left) if _find_scene(trial, scenes) != last), 0)
        out.append(left.pop(place))
    return out


def _find_scene(trial: Trial, scenes: Mapping[str, str]) -> str:
    return scenes.get(trial.images[0], trial.images[0])
