"""Controls of a data set: whether a row of `images` says what can be, its pixels are that, and the shares are met."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from distortlab.core.image import Image
from distortlab.core.region import Region
from distortlab.core.run_lengths import decode_runs
from distortlab.dataset.schema import decode_control
from distortlab.distortions.controls import OPERATIONS, SEAM, VERSION
from distortlab.distortions.edit import MEASURE_VERSION
from distortlab.recipe import NATURAL, Recipe
from distortlab.references.natural import find_natural_kind
from distortlab.references.regions.rules import find_rule_violation
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import measure_visibility

__all__ = ["check_control_pixels", "check_control_row", "check_control_shares", "find_changed_control"]

Row = Mapping[str, Any]
_NEAR = 0.02


def check_control_row(row: Row, recipe: Recipe | None) -> Iterator[str]:
    """What is wrong with the column `control` of a row of `images`; what cannot be read raises."""
    values = row.get("control")
    if not values:
        return
    if row["regions"]:
        yield f"it is a control, and has {len(row['regions'])} distortions"
    if recipe and not recipe.controls.is_wanted:
        yield "it is a control, and the recipe asks for none"
    if values["kind"] != SEAM:
        if values["kind"] not in NATURAL:
            yield f"its control is {values['kind']!r}; there are {', '.join((SEAM, *NATURAL))}"
        return
    size, runs = (row["height"], row["width"]), values["mask_rle"]
    if tuple(runs["size"]) != size or decode_runs(runs["counts"].encode(), size[0] * size[1]) is None:
        yield f"the mask of its seam is damaged, or not for {size[1]} x {size[0]} pixels"
        return
    yield from _check_seam(row, recipe)


def _check_seam(row: Row, recipe: Recipe | None) -> Iterator[str]:
    values, control = row["control"], decode_control(row)
    assert control is not None
    assert control.region is not None
    if tuple(values["bbox"]) != control.region.bbox:
        yield f"the box of its seam is {values['bbox']}, the smallest around its mask {list(control.region.bbox)}"
    if control.operation not in OPERATIONS:
        yield f"the operation of its seam is {control.operation!r}; there are {', '.join(OPERATIONS)}"
    if list(control.address) != [row["seed"], row["image_id"], "control", control.operation]:
        yield f"the randomness of its seam has the address {list(control.address)}, not its own"
    if not 0 <= (control.v or 0.0) < 1:
        yield f"V of its seam is {control.v}, which can be seen"
    if recipe and (reason := find_rule_violation(control.region, recipe.regions)):
        yield f"the region of its seam breaks the recipe's rules: {reason}"


def check_control_pixels(image: Image, reference: Image, row: Row, recipe: Recipe | None) -> Iterator[str]:
    """What is wrong with the pictures of a control whose row is without fault."""
    control = decode_control(row)
    if control is None:
        return
    if control.region is None:
        listed = recipe.controls.references if recipe else {}
        found = find_natural_kind(row["reference_id"], reference, listed)
        if recipe and found != control.kind:
            yield f"it is a control of {control.kind}, and its reference is {found or 'none'}"
        return
    yield from _check_seam_pixels(image, reference, control.region, control.v or 0.0, control.measure)


def _check_seam_pixels(image: Image, reference: Image, region: Region, stored: float, measure: int) -> Iterator[str]:
    inside = np.ascontiguousarray(image[region.bbox.slices])
    if np.array_equal(inside, reference[region.bbox.slices]):
        yield "nothing is changed inside its seam"
    if measure == MEASURE_VERSION:
        v = measure_visibility(Scene.of_region(reference, region), inside, "compression.jpeg").v
        if abs(v - stored) > _NEAR:
            yield f"V of its seam is {v:.3f}, {stored:.3f} is stored"


def find_changed_control(row: Row) -> str | None:
    """Say that the operation of a row's seam has another version here than when the image was made, or return None."""
    control = decode_control(row)
    if control is None or control.version == VERSION:
        return None
    return f"seam controls are version {VERSION} here, {control.version} there"


def check_control_shares(
    controls: Mapping[tuple[str, str], int], kinds: Mapping[tuple[str, str], int], recipe: Recipe, unfilled: int
) -> Iterator[str]:
    """Whether the pristine images of every split are the controls that the recipe asks for.

    Parameters
    ----------
    controls
        How many there are of (split, kind of control).
    kinds
        How many images there are of (split, kind of image).
    recipe
        Has the shares. Of natural ones there may be more: every pristine image of such a photograph is one.
    unfilled
        How many images of the plan could not be made, whichever they were.
    """
    rules = recipe.controls
    if not rules.is_wanted:
        return
    for split in sorted({split for split, _ in kinds}):
        pristine, slack = kinds.get((split, "pristine"), 0), 1 + unfilled
        own = Counter({kind: count for (of, kind), count in controls.items() if of == split})
        seam, natural = own[SEAM], sum(own[kind] for kind in NATURAL)
        if abs(seam - rules.seam * pristine) > slack:
            yield f"{split}: {seam:,} of {pristine:,} pristine images are seam controls, {rules.seam:g} asked for"
        if natural < rules.natural * pristine - slack:
            yield f"{split}: {natural:,} of {pristine:,} pristine images are natural, {rules.natural:g} asked for"
