"""How well V agrees with the full measure that it stands for, and what both cost.

    python benchmarks/severity/visibility.py --refs coco:annotations/instances_train2017.json,train2017

Full: max(dE00* / 2.3, s), s = GMSD / 0.02, or s^2 / (s + 3) of families that only make gradients steeper or flatter.
GMSD of luma in float64 (SciPy), over the pixels of the region; dE00* is the mean CIEDE2000 (2:1:1) of every pixel of
the region after a blur of 1.5 px in linear light (scikit-image).
"""

import argparse
import time

import cv2
import numpy as np
from edits import sample_places
from scipy import ndimage
from skimage.color import deltaE_ciede2000, rgb2lab

from distortlab.core.image import Image
from distortlab.core.region import Region
from distortlab.core.workers import tune_process
from distortlab.distortions.catalog import CATALOG, get_amount
from distortlab.distortions.edit import Edit, compute_spatial_scale, render_edit
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import STEEPNESS, measure_visibility

MARGIN = 16


def soft_lab(image: Image) -> np.ndarray:
    x = image / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)
    soft = cv2.GaussianBlur(linear, (0, 0), 1.5)
    return rgb2lab(np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * np.maximum(soft, 0) ** (1 / 2.4) - 0.055))


def full_v(before: Image, after: Image, mask: np.ndarray, family: str) -> float:
    color = deltaE_ciede2000(soft_lab(before), soft_lab(after), kL=2)[mask].mean()
    first, second = (compute_gradient(image) for image in (before, after))
    similarity = (2 * first * second + 300) / (first**2 + second**2 + 300)
    structure = similarity[mask[::2, ::2]].std() / 0.02
    if family in STEEPNESS:
        structure *= structure / (structure + 3)
    return float(max(color / 2.3, structure))


def compute_gradient(image: Image) -> np.ndarray:
    half = ndimage.uniform_filter(image @ [0.299, 0.587, 0.114], 2, origin=-1)[::2, ::2]
    return np.hypot(ndimage.prewitt(half, 0) / 3, ndimage.prewitt(half, 1) / 3)


def compare_measures(image: Image, region: Region, key: int) -> list[tuple[float, float, float, float]]:
    """(V, full V, seconds, seconds) for every variant and severity."""
    box, frame = region.bbox, region.bbox.grow(MARGIN, region.size)
    mask = np.zeros(region.size, bool)
    mask[box.slices] = region.mask != 0
    out = []
    for row in CATALOG:
        for severity in range(1, 6):
            amount = get_amount(row, severity, "matched")
            edit = Edit(region, row.name, severity, amount, compute_spatial_scale(region.size), 2, (key, row.name))
            after = image.copy()
            after[box.slices] = render_edit(image, edit)
            times = [time.process_time()]
            scene = Scene.of_region(image, region)
            v = measure_visibility(scene, np.ascontiguousarray(after[box.slices]), row.name).v
            times.append(time.process_time())
            full = full_v(image[frame.slices], after[frame.slices], mask[frame.slices], row.family)
            times.append(time.process_time())
            out.append((v, full, times[1] - times[0], times[2] - times[1]))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", default="scenes")
    parser.add_argument("--regions", type=int, default=24)
    arguments = parser.parse_args()
    tune_process()
    places = sample_places([arguments.refs], arguments.regions)
    values = np.concatenate([compare_measures(place.image, place.region, place.key) for place in places])
    v, full, quick, slow = values.T
    ratio = v / np.maximum(full, 1e-6)
    print(f"{len(places)} regions of {arguments.refs}, {len(values)} edits")
    print(f"correlation of log V: {np.corrcoef(np.log(v + 0.01), np.log(full + 0.01))[0, 1]:.3f}")
    low, middle, high = np.percentile(ratio, [5, 50, 95])
    print(f"V / full V: median {middle:.2f}, 5 % {low:.2f}, 95 % {high:.2f}")
    print(f"agree on V >= 1: {100 * np.mean((v >= 1) == (full >= 1)):.1f} %")
    print(f"CPU ms for a region: {1e3 * np.median(quick):.2f} against {1e3 * np.median(slow):.1f}")


if __name__ == "__main__":
    main()
