"""What is out of balance in a data set, a sentence each."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from distortlab.analysis.balance import BalanceCheck, compare_counts, flag_imbalances
from distortlab.analysis.sharing_rights import REMEDY, count_no_derivatives
from distortlab.analysis.statistics import Statistics, get_visibility_values, name_things
from distortlab.dataset.composition import describe_kind, share_kinds
from distortlab.distortions.catalog import list_variants
from distortlab.recipe import Recipe, default_recipe
from distortlab.tasks import TASKS
from distortlab.tasks.terms import FAMILIES

__all__ = ["check_balance", "count_rejections", "list_findings"]

_MIN_IMAGES = 100
"""Images of a family and a severity from which their median is trusted."""


def check_balance(statistics: Statistics) -> tuple[BalanceCheck, ...]:
    """Compare every count of a data set that has a share it should have.

    Parameters
    ----------
    statistics
        Of the data set. Shares are those of its recipe, or of the default recipe where it holds none.

    Returns
    -------
    tuple of BalanceCheck
        Of families, severities, both together, tasks, the variants of each family, and places of right answers.
    """
    return flag_imbalances(list(_compare_all(statistics)))


def _compare_all(statistics: Statistics) -> Iterator[BalanceCheck | None]:
    recipe = statistics.recipe or default_recipe()
    families: Counter[str] = Counter()
    severities: Counter[str] = Counter()
    for (family, severity), count in statistics.cells.items():
        families[family] += count
        severities[str(severity)] += count
    things = name_things(statistics)
    sentence = f"{{category}} is the family of {{share}} of {{n}} {things}"
    yield compare_counts("families", families, recipe.families, sentence)
    sentence = f"{{share}} of {{n}} {things} have severity {{category}}"
    yield compare_counts("severities", severities, recipe.severities, sentence)
    yield _compare_kinds(statistics)
    yield _compare_difficulties(statistics, recipe)
    yield _compare_tasks(statistics, recipe)
    if not recipe.difficulties:  # which decide how often a variant comes at which severity
        yield _compare_cells(statistics, families, severities)
    for family in () if recipe.difficulties else FAMILIES:
        rows = [row.name for row in list_variants(family, recipe.profile)]
        yield compare_counts(
            f"variants of {family}",
            statistics.variants,
            dict.fromkeys(rows, 1.0),
            f"{{category}} is {{share}} of {{n}} {things} with its family",
        )
    for task, number in sorted({(task, number) for task, number, _ in statistics.places}):
        counts = {_ordinal(place): statistics.places[task, number, place] for place in range(number)}
        even = dict.fromkeys(counts, 1.0)
        yield compare_counts(
            f"places of {task}, {number} candidates",
            counts,
            even,
            f"answers stand in {{category}} place in {{share}} of {{n}} {task} questions with {number} candidates",
        )


def _ordinal(place: int) -> str:
    return ("first", "second", "third", "fourth", "fifth")[place] if place < 5 else f"{place + 1}th"


def _compare_cells(statistics: Statistics, families: Counter[str], severities: Counter[str]) -> BalanceCheck | None:
    counts = {f"{family}, severity {severity}": n for (family, severity), n in statistics.cells.items()}
    shares = {f"{f}, severity {s}": float(a * b) for f, a in families.items() for s, b in severities.items()}
    sentence = f"{{category}} is {{share}} of {{n}} {name_things(statistics)}"
    return compare_counts("families by severity", counts, shares, sentence)


def _compare_kinds(statistics: Statistics) -> BalanceCheck | None:
    if statistics.recipe is None:
        return None
    shares = {describe_kind(kind): share for kind, share in share_kinds(statistics.recipe.composition).items()}
    counts = {describe_kind(kind): count for kind, count in statistics.kinds.items()}
    return compare_counts("kinds of images", counts, shares, "{share} of {n} images are {category}")


def _compare_difficulties(statistics: Statistics, recipe: Recipe) -> BalanceCheck | None:
    counts: Counter[str] = Counter()
    for (difficulty, _), count in statistics.difficulties.items():
        counts[difficulty] += count
    sentence = f"{{share}} of {{n}} {name_things(statistics)} are {{category}}"
    return compare_counts("difficulties", counts, recipe.difficulties, sentence)


def _compare_tasks(statistics: Statistics, recipe: Recipe) -> BalanceCheck | None:
    """Each task against its share; no task is asked twice about an image, and one without names not at all. Nothing
    where images are of several kinds, or are compared: then it is they that decide what can be asked.
    """
    if len(share_kinds(recipe.composition)) > 1 or any(TASKS[task].subject == "pair" for task in recipe.asked_tasks):
        return None
    counts = statistics.tasks
    shares = {task: recipe.tasks.get(task, 0.0) for task in recipe.asked_tasks if counts[task] or task != "object"}
    if not recipe.keep_references:
        shares = {task: share for task, share in shares.items() if not TASKS[task].shows_reference}
    if any(shares[task] / sum(shares.values()) * recipe.samples_per_image > 1 for task in shares):
        return None  # capped at one for each image: the plan's business
    return compare_counts("tasks", counts, shares, "{share} of {n} questions are {category}")


def _visibility_drops(statistics: Statistics) -> Iterator[str]:
    """Families in which a severity is less visible, in the median, than the one below."""
    for family in FAMILIES:
        medians = [
            float(np.median(v)) if len(v := get_visibility_values(statistics, family, s)) >= _MIN_IMAGES else None
            for s in range(1, 6)
        ]
        for severity, (low, high) in enumerate(pairwise(medians), 1):
            if low is not None and high is not None and high <= low:
                yield (
                    f"{family}: severity {severity + 1} is no more visible than {severity} "
                    f"(median V {high:.1f} and {low:.1f})"
                )


def count_rejections(statistics: Statistics) -> Iterator[tuple[str, int, int, int]]:
    """Count the draws of each setting that were rejected after they were rendered.

    Yields
    ------
    tuple
        Variant, severity, all draws, rejected draws; the setting with most rejected draws first.
    """
    rejected: Counter[tuple[str, int]] = Counter()
    for text, count in statistics.rejected.items():
        name, _, severity = text.partition(":")[0].rpartition(" ")
        if "." in name and severity.isdecimal():
            rejected[name, int(severity)] += count
    for (name, number), count in sorted(rejected.items(), key=lambda item: -item[1]):
        yield name, number, count + statistics.settings[name, number], count


def list_findings(statistics: Statistics, checks: Iterable[BalanceCheck]) -> list[str]:
    """Write a sentence for everything that is out of balance.

    Parameters
    ----------
    statistics
        Of the data set.
    checks
        Those of `check_balance`.

    Returns
    -------
    list of str
        Imbalances, shortcuts, severities that are no more visible than the one below, settings that are mostly
        rejected, a name of more than half of the regions, references that may not be changed. Empty where nothing is
        out of balance.
    """
    sentences = [check.sentence for check in checks if check.off]
    sentences += [
        f"{row.task} can be won from {row.sees}: {row.score:.3f} on {row.questions:,} questions; chance is "
        f"{row.chance:.3f}"
        for row in (statistics.blind.rows if statistics.blind else ())
        if row.leak and row.kind != "pixels"
    ]
    sentences += _visibility_drops(statistics)
    sentences += [
        f"{count:,} of {draws:,} draws of {name} at severity {severity} were rejected"
        for name, severity, draws, count in count_rejections(statistics)
        if draws >= 50 and count > draws / 2
    ]
    names = {name: count for name, count in statistics.objects.items() if name}
    if names and (most := max(names, key=lambda name: names[name])) and names[most] > sum(names.values()) / 2:
        sentences.append(f"{most} is {100 * names[most] / sum(names.values()):.0f} % of all named regions")
    if fixed := count_no_derivatives(statistics.licenses):
        sentences.append(
            f"{fixed:,} of {statistics.images:,} images are made from references whose license does not allow changed "
            f"copies to be passed on (NoDerivatives); {REMEDY}"
        )
    return sentences
