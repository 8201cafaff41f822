"""The pixels of an image: are they those that were hashed, does its recipe give them again, is the rest untouched, can
the change be seen?
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from distortlab.core.errors import BadReference
from distortlab.core.image import Image, get_shape, pixels_sha256
from distortlab.dataset.schema import decode_edits
from distortlab.distortions.catalog import find
from distortlab.distortions.edit import Edit, render
from distortlab.imaging.decode import decode_image
from distortlab.recipe import Recipe
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import find_label_fault, measure_visibility

__all__ = ["Looked", "look", "not_rendered"]

_NEAR = 0.02
"""Measurements may differ by so much between processors, relative to their size."""


class Looked(NamedTuple):
    """What is wrong with an image, and the hash of its reference's pixels (None where there is none to be read)."""

    faults: list[str]
    reference: str | None = None


def look(row: Mapping[str, Any], recipe: Recipe | None) -> Looked:
    """Check the pictures of a row of `images` whose recipe is without fault."""
    image = _picture(row["image"])
    if image is None:
        return Looked(["its picture cannot be read"])
    columns, rows = row["width"], row["height"]
    if get_shape(image) != (rows, columns):
        return Looked([f"its picture has {image.shape[1]} x {image.shape[0]} pixels, its row {columns} x {rows}"])
    faults = []
    if pixels_sha256(image) != row["pixels_sha256"]:
        faults.append("its file does not hold the pixels that were hashed when it was made")
    if row["reference"] is None:
        return Looked(faults)
    reference = _picture(row["reference"])
    if reference is None or reference.shape != image.shape:
        return Looked([*faults, f"its reference {'cannot be read' if reference is None else 'has another size'}"])
    return Looked([*faults, *_edit_faults(image, reference, row, recipe)], pixels_sha256(reference))


def not_rendered(row: Mapping[str, Any]) -> str | None:
    """Why the recipe of a row cannot be rendered again, or None."""
    if row["reference"] is None:
        return "no reference stored"
    for edit in decode_edits(row):
        if edit.version != (here := find(edit.distortion).version):
            return f"{edit.distortion} is version {here} here, {edit.version} there"
    return None


def _picture(file: Mapping[str, Any]) -> Image | None:
    try:
        return decode_image(file["bytes"]).image
    except (BadReference, TypeError):
        return None


def _edit_faults(image: Image, reference: Image, row: Mapping[str, Any], recipe: Recipe | None) -> Iterator[str]:
    edits = decode_edits(row)
    inside = np.zeros(get_shape(image), bool)
    for edit in edits:
        inside[edit.bbox.slices] |= edit.region.mask != 0
    differs = (image != reference).any(axis=2)
    if outside := int(np.count_nonzero(differs & ~inside)):
        yield f"{outside:,} pixels outside its regions are not the reference's"
    if not (differs & inside).any():
        yield "nothing is changed inside its regions"
    if not_rendered(row) is None and pixels_sha256(render(reference, edits)) != row["pixels_sha256"]:
        yield "its recipe does not give its pixels"
    if len(edits) == 1:
        yield from _visibility_faults(image, reference, edits[0], row["regions"][0]["visibility"], recipe)


def _visibility_faults(
    image: Image, reference: Image, edit: Edit, stored: Mapping[str, float], recipe: Recipe | None
) -> Iterator[str]:
    """The change measured again: as stored, and a label that may stand. Another version may have measured otherwise."""
    scene = Scene(np.ascontiguousarray(reference[edit.bbox.slices]), edit.region.mask)
    seen = measure_visibility(scene, np.ascontiguousarray(image[edit.bbox.slices]), edit.distortion)
    for name, value in stored.items():
        if abs(getattr(seen, name) - value) > _NEAR * max(1.0, abs(value)):
            yield f"its {name} is {getattr(seen, name):.3f}, {value:.3f} is stored"
    if reason := find_label_fault(seen, edit.distortion, (recipe.visibility.minimum if recipe else 0.0) * (1 - _NEAR)):
        yield f"{edit.distortion} is {reason} (V {seen.v:.2f}, trend {seen.trend:.3f})"
