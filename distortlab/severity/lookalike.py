"""Whether a blur of the same region would look like an edit: small mosaics do where there is little detail."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from distortlab.core.image import Image
from distortlab.core.region import Mask
from distortlab.distortions.edit import Edit, render_edit
from distortlab.distortions.families.pixelate import compute_block
from distortlab.severity.scene import Floats, average_blocks, average_mask_blocks, compute_luma, weighted_mean

__all__ = ["LEAST_FROM_BLUR", "find_lookalike_fault", "measure_against_blur"]

LEAST_FROM_BLUR = 1.5
"""How visibly a mosaic must differ from the blur that comes nearest to be labelled as one."""
# In blocks. A mosaic of blocks of b pixels spreads light as widely as a Gaussian of sigma b / sqrt(12).
_SIGMAS = (0.28, 0.36, 0.45)
_RADII = (0.55, 0.7)
_SSIM_BLOCK, _UNIT = 8, 0.045
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def find_lookalike_fault(image: Image, edit: Edit, after: Image) -> str | None:
    """Why an edit must not become a label because another family looks the same, or None.

    Parameters
    ----------
    image
        The image before the edit, uint8 RGB, (rows, columns, 3).
    edit
        Only a pixelation of severity 1 is looked at; anything else passes.
    after
        The region's box after it, uint8 RGB, (box rows, box columns, 3).
    """
    if edit.severity != 1 or not edit.distortion.startswith("pixelate."):
        return None
    return "looks like blur" if measure_against_blur(image, edit, after) < LEAST_FROM_BLUR else None


def measure_against_blur(image: Image, edit: Edit, after: Image) -> float:
    """Measure how visibly a mosaic differs from a blur of the same region.

    By block SSIM of luma at full size: at half size, where V is measured, a mosaic of 2 x 2 pixels and a blur of that
    width are the same picture.

    Parameters
    ----------
    image
        The image before the edit, uint8 RGB, (rows, columns, 3).
    edit
        A pixelation.
    after
        The region's box after it, uint8 RGB, (box rows, box columns, 3).

    Returns
    -------
    float
        1 - SSIM in just-noticeable differences (0.045), to the nearest of three Gaussian and two lens blurs whose
        widths are about that of a block.
    """
    rivals = (render_edit(image, blur) for blur in _list_blurs(edit))
    return min(_compare_blocks(after, rival, edit.region.mask) for rival in rivals)


def _list_blurs(edit: Edit) -> Iterator[Edit]:
    block = compute_block(edit.amount, edit.scale)
    for name, factors in (("blur.gaussian", _SIGMAS), ("blur.lens", _RADII)):
        for factor in factors:
            yield replace(edit, distortion=name, amount=factor * block / edit.scale, visibility=None)


def _compare_blocks(one: Image, other: Image, mask: Mask) -> float:
    x, y = (compute_luma(image).astype(np.float32) for image in (one, other))
    mx, my = _average(x), _average(y)
    xx, yy, xy = _average(x * x) - mx * mx, _average(y * y) - my * my, _average(x * y) - mx * my
    ssim = (2 * mx * my + _C1) * (2 * xy + _C2) / ((mx * mx + my * my + _C1) * (xx + yy + _C2))
    return (1 - weighted_mean(ssim, average_mask_blocks(mask, _SSIM_BLOCK))) / _UNIT


def _average(plane: Floats) -> Floats:
    return average_blocks(plane, _SSIM_BLOCK)
