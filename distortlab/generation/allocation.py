"""Which family, severity and tasks every image gets: exact shares in an order drawn by address."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from distortlab.core.seeds import Stream, stream
from distortlab.generation.difficulties import CellShares
from distortlab.recipe import Recipe

__all__ = ["assign_cells", "assign_tasks", "largest_remainder", "match_tasks"]


def largest_remainder(shares: Mapping[Any, float], total: int) -> dict[Any, int]:
    """Whole numbers in proportion to `shares` that add up to `total` (Hamilton's method)."""
    whole = sum(shares.values()) or 1.0
    exact = {key: total * share / whole for key, share in shares.items()}
    counts = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: counts[key] - exact[key])
    for key in by_remainder[: total - sum(counts.values())]:
        counts[key] += 1
    return counts


def assign_cells(recipe: Recipe, split: str, owners: Sequence[int], cell_shares: CellShares) -> list[tuple[str, int]]:
    """(family, severity) for every image: exact shares, random order, and families differ within a reference."""
    # Fitted shares are equal but for their last digits: rounded, so that the draw decides between them.
    shares = {cell: own[None] if None in own else round(sum(own.values()), 9) for cell, own in cell_shares.items()}
    source = stream(recipe.seed, split, "cells")
    shuffled = {cell: shares[cell] for cell in source.permute(sorted(shares))}
    counts = largest_remainder(shuffled, len(owners))
    cells = source.permute([cell for cell in sorted(counts) for _ in range(counts[cell])])
    return _spread_families(cells, owners)


def _spread_families(cells: list[tuple[str, int]], owners: Sequence[int]) -> list[tuple[str, int]]:
    """Swap cells so that the images of one reference have different families, as far as a short look ahead allows."""
    used: set[str] = set()
    for i, owner in enumerate(owners):
        if i == 0 or owner != owners[i - 1]:
            used = set()
        j = next((j for j in range(i, min(i + 64, len(cells))) if cells[j][0] not in used), i)
        cells[i], cells[j] = cells[j], cells[i]
        used.add(cells[i][0])
    return cells


def assign_tasks(recipe: Recipe, split: str, asked: Mapping[str, float], count: int) -> list[tuple[str, ...]]:
    """The tasks of every image: totals in proportion to the shares, never one twice about an image."""
    per_image = min(recipe.samples_per_image, float(len(asked)))
    quota = _cap_counts(asked, math.ceil(count * per_image), count)
    source, out = stream(recipe.seed, split, "tasks"), []
    for image in range(count):
        number = math.ceil((image + 1) * per_image) - math.ceil(image * per_image)
        order = source.permute([task for task in asked if quota[task] > 0])
        chosen = sorted(order, key=lambda task: -quota[task])[:number]
        for task in chosen:
            quota[task] -= 1
        out.append(tuple(task for task in asked if task in chosen))
    return out


def match_tasks(tasks: list[tuple[str, ...]], choice: Sequence[bool], source: Stream) -> list[tuple[str, ...]]:
    """Give object questions first of all to images that have a choice of names; every set of tasks stays together.

    Parameters
    ----------
    tasks
        The tasks of every image.
    choice
        Whether the reference of every image is likely to have three names or more.
    source
        Breaks ties.
    """
    if len(set(choice)) < 2:
        return tasks
    images = sorted(source.permute(range(len(tasks))), key=lambda image: not choice[image])
    ordered = sorted(source.permute(tasks), key=lambda own: "object" not in own)
    placed = dict(zip(images, ordered, strict=True))
    return [placed[image] for image in range(len(tasks))]


def _cap_counts(asked: Mapping[str, float], total: int, most: int) -> dict[str, int]:
    """Totals in proportion to the shares, none above `most`; what is cut off goes to the others."""
    shares, fixed = dict(asked), dict[str, int]()
    while True:
        counts = largest_remainder(shares, total - sum(fixed.values()))
        over = [task for task in counts if counts[task] > most]
        if not over:
            return {**fixed, **counts}
        for task in over:
            fixed[task] = most
            del shares[task]
