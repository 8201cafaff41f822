"""What is out of balance in a data set, a sentence each."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from distortlab.analysis.balance import Check, checked, judged
from distortlab.analysis.sharing_rights import REMEDY, count_fixed
from distortlab.analysis.statistics import Statistics, visibility_of
from distortlab.distortions.catalog import variants
from distortlab.recipe import Recipe, default_recipe
from distortlab.tasks.terms import FAMILIES

__all__ = ["checks", "findings", "rejections"]

_FEWEST = 100
"""Images of a family and a severity from which their median is trusted."""


def checks(found: Statistics) -> tuple[Check, ...]:
    """Everything that has a share it should have: by the recipe where it is here, else even shares."""
    return judged(list(_checks(found)))


def _checks(found: Statistics) -> Iterator[Check | None]:
    recipe = found.recipe or default_recipe()
    families: Counter[str] = Counter()
    severities: Counter[str] = Counter()
    for (family, severity), count in found.cells.items():
        families[family] += count
        severities[str(severity)] += count
    yield checked("families", families, recipe.families, "{category} is the family of {share} of {n} images")
    yield checked("severities", severities, recipe.severities, "{share} of {n} images have severity {category}")
    yield _cells(found, families, severities)
    yield _tasks(found, recipe)
    for family in FAMILIES:
        rows = [row.name for row in variants(family, recipe.profile)]
        yield checked(
            f"variants of {family}",
            found.variants,
            dict.fromkeys(rows, 1.0),
            "{category} is {share} of {n} images with its family",
        )
    for task, number in sorted({(task, number) for task, number, _ in found.places}):
        counts = {_ordinal(place): found.places[task, number, place] for place in range(number)}
        even = dict.fromkeys(counts, 1.0)
        yield checked(
            f"places of {task}, {number} candidates",
            counts,
            even,
            f"answers stand in {{category}} place in {{share}} of {{n}} {task} questions with {number} candidates",
        )


def _ordinal(place: int) -> str:
    return ("first", "second", "third", "fourth", "fifth")[place] if place < 5 else f"{place + 1}th"


def _cells(found: Statistics, families: Counter[str], severities: Counter[str]) -> Check | None:
    counts = {f"{family}, severity {severity}": n for (family, severity), n in found.cells.items()}
    shares = {f"{f}, severity {s}": float(a * b) for f, a in families.items() for s, b in severities.items()}
    return checked("families by severity", counts, shares, "{category} is {share} of {n} images")


def _tasks(found: Statistics, recipe: Recipe) -> Check | None:
    """Each task against its share; no task is asked twice about an image, and one without names not at all."""
    counts: Counter[str] = Counter()
    for (_, _, task), count in found.asked.items():
        counts[task] += count
    shares = {task: recipe.tasks.get(task, 0.0) for task in recipe.asked_tasks if counts[task] or task != "object"}
    if not recipe.keep_references:
        shares.pop("recognition_reference", None)
    if any(shares[task] / sum(shares.values()) * recipe.samples_per_image > 1 for task in shares):
        return None  # capped at one for each image: the plan's business
    return checked("tasks", counts, shares, "{share} of {n} questions are {category}")


def _falls(found: Statistics) -> Iterator[str]:
    """Families in which a severity is less visible, in the median, than the one below."""
    for family in FAMILIES:
        medians = [
            float(np.median(v)) if len(v := visibility_of(found, family, s)) >= _FEWEST else None for s in range(1, 6)
        ]
        for severity, (low, high) in enumerate(pairwise(medians), 1):
            if low is not None and high is not None and high <= low:
                yield (
                    f"{family}: severity {severity + 1} is no more visible than {severity} "
                    f"(median V {high:.1f} and {low:.1f})"
                )


def rejections(found: Statistics) -> Iterator[tuple[str, int, int, int]]:
    """(variant, severity, draws, rejected) of every setting with draws that were rejected after they were made."""
    rejected: Counter[tuple[str, int]] = Counter()
    for text, count in found.rejected.items():
        name, _, severity = text.partition(":")[0].rpartition(" ")
        if "." in name and severity.isdecimal():
            rejected[name, int(severity)] += count
    for (name, number), count in sorted(rejected.items(), key=lambda item: -item[1]):
        yield name, number, count + found.settings[name, number], count


def findings(found: Statistics, made: Iterable[Check]) -> list[str]:
    """What is out of balance, a sentence each; `made` are the checks."""
    said = [check.sentence for check in made if check.off]
    said += [
        f"{row.task} can be won from {row.sees}: {row.score:.3f} on {row.questions:,} questions; chance is "
        f"{row.chance:.3f}"
        for row in (found.blind.rows if found.blind else ())
        if row.leak and row.kind != "pixels"
    ]
    said += _falls(found)
    said += [
        f"{count:,} of {draws:,} draws of {name} at severity {severity} were rejected"
        for name, severity, draws, count in rejections(found)
        if draws >= 50 and count > draws / 2
    ]
    names = {name: count for name, count in found.objects.items() if name}
    if names and (most := max(names, key=lambda name: names[name])) and names[most] > sum(names.values()) / 2:
        said.append(f"{most} is {100 * names[most] / sum(names.values()):.0f} % of all named regions")
    if fixed := count_fixed(found.licenses):
        said.append(
            f"{fixed:,} of {found.images:,} images are made from references whose license does not allow changed "
            f"copies to be passed on (NoDerivatives); {REMEDY}"
        )
    return said
