"""The pixels of an image: are they those that were hashed, does its recipe give them again, is the rest untouched, can
the change be seen?
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortlab.core.errors import BadReference
from distortlab.core.image import Image, get_shape, pixels_sha256
from distortlab.dataset.rows import ImageRow, PictureRow
from distortlab.dataset.schema import decode_control, decode_edits
from distortlab.distortions.catalog import find
from distortlab.distortions.controls import render_control
from distortlab.distortions.edit import MEASURE_VERSION, Edit, render
from distortlab.imaging.decode import decode_image
from distortlab.recipe import Recipe
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import find_label_fault, measure_visibility
from distortlab.verification.controls import check_control_pixels, find_changed_control

__all__ = ["PixelCheck", "check_pixels", "find_changed_operator", "find_render_obstacle"]

_NEAR = 0.02
"""Measurements may differ by so much between processors, relative to their size."""


class PixelCheck(NamedTuple):
    """What is wrong with an image (a sentence each), and the hash of its reference's pixels: None without a reference
    that can be read.
    """

    faults: list[str]
    reference: str | None = None


def check_pixels(row: ImageRow, recipe: Recipe | None) -> PixelCheck:
    """Check the pictures of a row of `images` whose recipe is without fault."""
    image = _picture(row["image"])
    if image is None:
        return PixelCheck(["its picture cannot be read"])
    columns, rows = row["width"], row["height"]
    if get_shape(image) != (rows, columns):
        return PixelCheck([f"its picture has {image.shape[1]} x {image.shape[0]} pixels, its row {columns} x {rows}"])
    faults = []
    if pixels_sha256(image) != row["pixels_sha256"]:
        faults.append("its file does not hold the pixels that were hashed when it was made")
    if row["reference"] is None:
        return PixelCheck(faults)
    reference = _picture(row["reference"])
    if reference is None or reference.shape != image.shape:
        return PixelCheck([*faults, f"its reference {'cannot be read' if reference is None else 'has another size'}"])
    return PixelCheck([*faults, *_check_edits(image, reference, row, recipe)], pixels_sha256(reference))


def find_render_obstacle(row: Mapping[str, Any]) -> str | None:
    """Say why the recipe of a row cannot be rendered again, or return None."""
    if row["reference"] is None:
        return "no reference stored"
    return find_changed_operator(decode_edits(row)) or find_changed_control(row)


def find_changed_operator(edits: Iterable[Edit]) -> str | None:
    """Say which operator has another version here than when the image was made, or return None."""
    for edit in edits:
        if edit.version != (here := find(edit.distortion).version):
            return f"{edit.distortion} is version {here} here, {edit.version} there"
    return None


def _picture(file: PictureRow) -> Image | None:
    try:
        return decode_image(file["bytes"]).image
    except (BadReference, TypeError):
        return None


def _check_edits(image: Image, reference: Image, row: Mapping[str, Any], recipe: Recipe | None) -> Iterator[str]:
    edits = decode_edits(row)
    inside = np.zeros(get_shape(image), bool)
    for edit in edits:
        inside[edit.bbox.slices] |= edit.region.mask != 0
    control = decode_control(row)
    if control and control.region:
        inside[control.region.bbox.slices] |= control.region.mask != 0
    differs = (image != reference).any(axis=2)
    if outside := int(np.count_nonzero(differs & ~inside)):
        yield f"{outside:,} pixels outside its regions are not the reference's"
    obstacle = find_render_obstacle(row)
    clean = render_control(reference, control) if control and obstacle is None else reference
    if obstacle is None and pixels_sha256(render(clean, edits)) != row["pixels_sha256"]:
        yield "its recipe does not give its pixels"
    yield from check_control_pixels(image, reference, row, recipe)
    for number, (edit, region) in enumerate(zip(edits, row["regions"], strict=True)):
        others = [other for other in edits if other is not edit]
        is_alone = not any(edit.bbox.meets(other.bbox) for other in others)
        if is_alone or obstacle is None:
            without = reference if is_alone else render(reference, others)
            changed = differs if is_alone else (image != without).any(axis=2)
            faults = [] if _is_changed(changed, edit) else ["nothing is changed inside its region"]
            if edit.measure == MEASURE_VERSION:
                faults += _check_visibility(image, without, edit, region["visibility"], recipe)
            yield from (f"region {number + 1}: {fault}" if others else fault for fault in faults)


def _is_changed(changed: NDArray[np.bool_], edit: Edit) -> bool:
    """Whether pixels of a region are changed; `changed` is of the whole image."""
    return bool((changed[edit.bbox.slices] & (edit.region.mask != 0)).any())


def _check_visibility(
    image: Image, without: Image, edit: Edit, stored: Mapping[str, float], recipe: Recipe | None
) -> Iterator[str]:
    """An edit measured again beside the image without it: as stored, and a label that may stand."""
    scene = Scene.of_region(without, edit.region)
    visibility = measure_visibility(scene, np.ascontiguousarray(image[edit.bbox.slices]), edit.distortion)
    for name, value in stored.items():
        if abs(getattr(visibility, name) - value) > _NEAR * max(1.0, abs(value)):
            yield f"its {name} is {getattr(visibility, name):.3f}, {value:.3f} is stored"
    least = (recipe.visibility.minimum if recipe else 0.0) * (1 - _NEAR)
    if reason := find_label_fault(visibility, edit.distortion, least):
        yield f"{edit.distortion} is {reason} (V {visibility.v:.2f}, trend {visibility.trend:.3f})"
