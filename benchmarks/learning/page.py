"""Tables of docs/learning.md and docs/training.md, from the numbers of a run. Text between marks is theirs."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from measure import list_recalls, wilson_interval

ARM_TITLES = {
    "cold": "cold start",
    "grpo": "GRPO",
    "shuffled": "GRPO, shuffled rewards",
    "supervised": "supervised, as many steps",
}
LEAST_SAMPLED, LEAST_GREEDY, LEAST_RECALL, FLAT = 0.30, 0.15, 0.30, 0.05
"""What is asked of every seed: gains of sampled and greedy answers, recall of each family, the control's gain."""
MANNER = ("form", "thinking", "agreement")
Results = Mapping[str, Any]
Tables = Mapping[str, Callable[[Results], str]]


def write_page(results: Results, docs: Path) -> None:
    """Put the tables into the pages that have marks for them."""
    for name in ("learning.md", "training.md"):
        fill_page(docs / name, results, TABLES, "learning")


def fill_page(page: Path, results: Results, tables: Tables, origin: str) -> None:
    """Make the tables of a page anew that have marks of this origin."""
    page.write_text(fill_tables(page.read_text(encoding="utf-8"), results, tables, origin), encoding="utf-8")


def fill_tables(text: str, results: Results, tables: Tables, origin: str) -> str:
    """A page with every table between its marks made anew: `<!-- learning: accuracy, ... -->` up to `<!-- end -->`."""
    marks = re.compile(rf"(<!-- {origin}: (\w+),[^>]*-->\n).*?(<!-- end -->)", re.DOTALL)
    return marks.sub(lambda found: f"{found[1]}{tables[found[2]](results)}\n{found[3]}", text)


def format_summary(results: Results) -> str:
    """The tables, for the console; without the sentence that needs all arms."""
    return "\n\n".join(table(results) for name, table in TABLES.items() if name != "lead")


# --- tables ---------------------------------------------------------------------------------------------------------


def format_accuracy(results: Results) -> str:
    """Held-out accuracy of the type, for every seed and for all together, with Wilson's intervals."""
    seeds = results["seeds"]
    arms = _list_arms(seeds)
    rows = []
    for manner in ("sampled", "greedy"):
        for seed, found in seeds.items():
            cells = [format_share(found[arm][manner]["answer"], found[arm][manner]["n"]) for arm in arms]
            rows.append((f"{manner}, seed {seed}", *cells))
        rows.append((f"{manner}, all", *(format_share(*_add(seeds, arm, manner, "answer")) for arm in arms)))
    return make_table(("type is right", *(ARM_TITLES[arm] for arm in arms)), rows)


def format_recalls(results: Results) -> str:
    """Recall of every family, sampled: cold start to GRPO; as many supervised steps and the probe beside."""
    seeds = results["seeds"]
    rows = []
    for family in results["probe"]["classes"]:
        cells = [
            " to ".join(f"{list_recalls(found[arm]['sampled']['confusion'])[family]:.2f}" for arm in ("cold", "grpo"))
            for found in seeds.values()
        ]
        taught = [
            list_recalls(found["supervised"]["sampled"]["confusion"])[family]
            for found in seeds.values()
            if "supervised" in found
        ]
        rows.append((f"`{family}`", *cells, _format_range(taught), f"{compute_probe_recall(results, family):.2f}"))
    return make_table(("recall, sampled", *(f"seed {seed}" for seed in seeds), "supervised", "linear probe"), rows)


def format_confusion(results: Results) -> str:
    """What GRPO's models say to windows of each family, sampled, all seeds together."""
    confusions = [found["grpo"]["sampled"]["confusion"] for found in results["seeds"].values()]
    said = list(next(iter(confusions[0].values())))
    rows = [
        (f"`{truth}`", *(str(sum(confusion[truth][name] for confusion in confusions)) for name in said))
        for truth in confusions[0]
    ]
    return make_table(("is, and is called", *said), rows)


def format_manner(results: Results) -> str:
    """Form, thinking and whether both agree, all seeds together."""
    seeds = results["seeds"]
    arms = _list_arms(seeds)
    rows = [
        (f"{manner}: {name}", *(format_share(*_add(seeds, arm, manner, name)) for arm in arms))
        for manner in ("sampled", "greedy")
        for name in MANNER
    ]
    return make_table(("share", *(ARM_TITLES[arm] for arm in arms)), rows)


def format_requirements(results: Results) -> str:
    """What is asked of every seed, and whether it came out."""
    seeds = results["seeds"]
    checks: dict[str, Callable[[Results], tuple[float, bool]]] = {
        f"sampled gains at least {LEAST_SAMPLED:.2f}": lambda found: _check_gain(found, "sampled", LEAST_SAMPLED),
        f"greedy gains at least {LEAST_GREEDY:.2f}": lambda found: _check_gain(found, "greedy", LEAST_GREEDY),
        f"least recall is {LEAST_RECALL:.2f} or more, sampled": lambda found: _check_recall(found, "sampled"),
        f"least recall is {LEAST_RECALL:.2f} or more, greedy": lambda found: _check_recall(found, "greedy"),
        f"shuffled rewards gain less than {FLAT:.2f}, sampled": _check_control,
    }
    rows = [
        (title, *(f"{value:+.3f} {'yes' if is_met else '**no**'}" for value, is_met in map(check, seeds.values())))
        for title, check in checks.items()
        if all(arm in found for found in seeds.values() for arm in ("grpo", "shuffled"))
    ]
    return make_table(("asked of every seed", *(f"seed {seed}" for seed in seeds)), rows)


def format_facts(results: Results) -> str:
    """How it was run: split, openings, windows, steps, minutes, the eye and its probe."""
    eye, probe, seeds = results["eye"], results["probe"], results["seeds"]
    count = sum(found["cold"]["sampled"]["n"] for found in seeds.values())
    steps = len(next(iter(seeds.values()))["grpo"]["curves"]["reward"])
    return (
        f"{len(seeds)} seeds, {steps} steps of GRPO, {count:,} held-out windows of {describe_split(results)}; "
        f"{results['minutes']:.0f} minutes on two cores. The eye: {eye['steps']:,} steps on "
        f"{eye['windows']:,} windows, {eye['explained']:.2f} of the variance of the statistics. Its linear probe: "
        f"{format_share(probe['right'], probe['total'])}."
    )


def format_lead(results: Results) -> str:
    """One sentence for each of the things that stand beside each other."""
    seeds, probe = results["seeds"], results["probe"]
    steps = len(next(iter(seeds.values()))["grpo"]["curves"]["reward"])

    def list_shares(arm: str, manner: str) -> str:
        return ", ".join(f"{found[arm][manner]['answer'] / found[arm][manner]['n']:.2f}" for found in seeds.values())

    return (
        f"**Does it learn?** {len(seeds)} seeds, {steps} steps of GRPO, held-out windows of scenes that no choice was "
        f"made on; accuracy of the type, sampled, one number for each seed: {list_shares('cold', 'sampled')} after a "
        f"cold start that teaches form alone, **{list_shares('grpo', 'sampled')} after GRPO**, "
        f"{list_shares('shuffled', 'sampled')} after as many steps with shuffled rewards. Greedy: "
        f"{list_shares('cold', 'greedy')} to {list_shares('grpo', 'greedy')}. As many supervised steps come to "
        f"{list_shares('supervised', 'sampled')}; a linear probe of the frozen eye, the ceiling, to "
        f"{probe['right'] / probe['total']:.2f}. Chance is {results['chance']:.2f}."
    )


TABLES: Tables = {
    "lead": format_lead,
    "facts": format_facts,
    "requirements": format_requirements,
    "accuracy": format_accuracy,
    "recalls": format_recalls,
    "confusion": format_confusion,
    "manner": format_manner,
}
"""By the name that a page marks them with."""


def describe_run(results: Results) -> str:
    """How the runs on twelve families were done: seeds, steps, what is held out, minutes."""
    seeds = results["seeds"]
    found = next(iter(seeds.values()))
    steps = {len(arm["curves"]["reward"]) for name, arm in found.items() if name != "cold"}
    held = next(value for value in found["cold"].values() if isinstance(value, dict) and "sampled" in value)
    processes = "one process" if results["workers"] == 1 else f"{results['workers']} processes"
    return (
        f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}, {max(steps)} steps of GRPO, {held['sampled']['n']:,} "
        f"held-out windows of {describe_split(results)}; {results['minutes']:.0f} minutes, {processes} of one thread. "
        f"A linear probe of the eye: {format_share(results['probe']['right'], results['probe']['total'])}."
    )


def describe_split(results: Results) -> str:
    """The pool of the held-out windows, and how often it was opened."""
    if results["split"] != "report":
        return f"the pool `{results['split']}`"
    opened = {1: "once", 2: "twice"}.get(results["openings"], f"{results['openings']} times")
    return f"the pool `report` (opened {opened} by now)"


# --- parts ----------------------------------------------------------------------------------------------------------


def make_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def format_seeds(counts: Sequence[Results], measure: str) -> str:
    """The mean share of what is right over seeds, and the least and the most. Their windows are the same ones, so that
    an interval of all answers together would be too narrow.
    """
    shares = [found[measure] / found["n"] for found in counts]
    return f"{sum(shares) / len(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})"


def _list_arms(seeds: Results) -> list[str]:
    return [arm for arm in ARM_TITLES if all(arm in found for found in seeds.values())]


def _add(seeds: Results, arm: str, manner: str, name: str) -> tuple[int, int]:
    counts = [found[arm][manner] for found in seeds.values()]
    return sum(each[name] for each in counts), sum(each["n"] for each in counts)


def format_share(right: int, total: int) -> str:
    low, high = wilson_interval(right, total)
    return f"{right / total:.3f} ({low:.3f} to {high:.3f})"


def _format_range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}" if values else ""


def compute_probe_recall(results: Results, family: str) -> float:
    place = results["probe"]["classes"].index(family)
    row = results["probe"]["confusion"][place]
    return row[place] / sum(row)


def _gain(found: Results, arm: str, manner: str) -> float:
    after, before = (found[name][manner] for name in (arm, "cold"))
    return after["answer"] / after["n"] - before["answer"] / before["n"]


def _check_gain(found: Results, manner: str, least: float) -> tuple[float, bool]:
    gain = _gain(found, "grpo", manner)
    return gain, gain >= least


def _check_recall(found: Results, manner: str) -> tuple[float, bool]:
    least = min(list_recalls(found["grpo"][manner]["confusion"]).values())
    return least, least >= LEAST_RECALL


def _check_control(found: Results) -> tuple[float, bool]:
    gain = _gain(found, "shuffled", "sampled")
    return gain, gain < FLAT
