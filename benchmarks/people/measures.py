"""What is held against people: V, and measures as their papers have them. All are given so that they grow with damage.

FLIP and cvvdp are measured where they are installed (`pip install flip-evaluator cvvdp`); nothing of this project needs
them.
"""

import time
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from distortlab.core.image import Image
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import measure_visibility
from refine_bench.models import image_metrics

Measure = Callable[[Image, Image], float]


def measure_rms_error(before: Image, after: Image) -> float:
    """Root mean square error over RGB, levels: PSNR on another scale."""
    return float(255 * 10 ** (-image_metrics.psnr(after, before) / 20))


def measure_flip(before: Image, after: Image) -> float:
    """Mean FLIP (Andersson et al. 2020) at 67 pixels a degree."""
    flip_evaluator = __import__("flip_evaluator")
    reference, test = (image.astype(np.float32) / 255 for image in (before, after))
    return float(flip_evaluator.evaluate(reference, test, "LDR", applyMagma=False, computeMeanError=True)[1])


@cache
def _load_cvvdp() -> Any:
    import pycvvdp
    import torch

    torch.set_num_threads(1)
    return pycvvdp.cvvdp(display_name="standard_fhd", device=torch.device("cpu"))


def measure_cvvdp(before: Image, after: Image) -> float:
    """10 minus the quality in just-objectionable differences of ColorVideoVDP (Mantiuk et al. 2024)."""
    return 10 - float(_load_cvvdp().predict(after, before, dim_order="HWC")[0])


FAST: Mapping[str, Measure] = {
    "SSIM": lambda before, after: 1 - image_metrics.ssim(after, before),
    "PSNR": measure_rms_error,
    "MS-SSIM": lambda before, after: 1 - image_metrics.ms_ssim(after, before),
    "GMSD": lambda before, after: image_metrics.gmsd(after, before),
    "VIF": lambda before, after: max(1 - image_metrics.vif(after, before), 0.0),
}
SLOW: Mapping[str, Measure] = {
    name: measure
    for name, modules, measure in (
        ("FLIP", ("flip_evaluator",), measure_flip),
        ("cvvdp", ("pycvvdp", "torch", "torchvision"), measure_cvvdp),
    )
    if all(find_spec(module) for module in modules)
}
NAMES: tuple[str, ...] = ("V", *FAST, *SLOW)
"""All measures that are installed, V first."""


def measure_damage(
    scene: Scene, before: Image, after: Image, variant: str, names: Collection[str]
) -> dict[str, tuple[float, float]]:
    """Measure one distorted photograph.

    Parameters
    ----------
    scene
        The whole of `before` as one region.
    before, after
        uint8 RGB of one shape.
    variant
        "family.variant" of the catalogue, which V asks for.
    names
        Which measures, of `NAMES`.

    Returns
    -------
    dict
        By name: the value, and the CPU time it took in ms.
    """
    measures = {"V": lambda _, image: measure_visibility(scene, image, variant).v, **FAST, **SLOW}
    return {name: _time(measures[name], before, after) for name in names}


def _time(measure: Measure, before: Image, after: Image) -> tuple[float, float]:
    start = time.process_time()
    value = measure(before, after)
    return value, 1e3 * (time.process_time() - start)
