"""Compression by real codecs: JPEG, JPEG 2000 and WebP.

A codec works in blocks, so it is defined on the crop: the region's box with a halo, aligned to the codec's grid. For
JPEG that gives the pixels of the whole image; JPEG 2000 and WebP share bits over the crop and differ by a little.
"""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image as pillow

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, fixed_reach, matched_ladder


def _round_trip(image: Image, kind: str, **options: Any) -> Image:
    file = BytesIO()
    pillow.fromarray(image).save(file, kind, **options)
    with pillow.open(file, formats=[kind]) as decoded:
        return np.asarray(decoded.convert("RGB"), dtype=np.uint8)


def jpeg(image: Image, quality: float, site: Site) -> Image:
    """Baseline JPEG, 4:2:0; `quality` as in libjpeg, 1..100."""
    return _round_trip(image, "JPEG", quality=max(1, round(quality)), subsampling="4:2:0")


def jpeg2000(image: Image, ratio: float, site: Site) -> Image:
    """JPEG 2000, 9/7 wavelet with colour transform; `ratio` is the size of the pixels over the size of the file.

    By rate, not by target PSNR: OpenJPEG's dB mode empties flat components. Some 256 bytes of headers come on top: they
    would take all that is allowed for a small region.
    """
    levels = max(1, min(6, int(np.log2(min(image.shape[:2])))))
    rate = image.size / (image.size / ratio + 256)
    options = {"quality_mode": "rates", "quality_layers": [rate], "irreversible": True, "mct": 1}
    return _round_trip(image, "JPEG2000", num_resolutions=levels, **options)


def webp(image: Image, quality: float, site: Site) -> Image:
    """Lossy WebP; `quality` 0..100. Method 2 of 6: twice as fast as the default, with the same artefacts."""
    return _round_trip(image, "WEBP", quality=max(0, round(quality)), method=2)


COMPRESSION = (
    Distortion(
        "compression.jpeg",
        jpeg,
        "libjpeg quality",
        Dial(95, 1, whole=True),
        matched_ladder(27, 14, 8, 4, 1),
        depictqa_ladder(25, 18, 12, 8, 5),
        halo=fixed_reach(16),
        grid=fixed_reach(16),
    ),
    Distortion(
        "compression.jpeg2000",
        jpeg2000,
        "compression ratio",
        Dial(4, 1000),
        matched_ladder(40, 62, 123, 262, 560),
        depictqa_ladder(
            55, 72, 108, 150, 235,
            deviation="ratios that change regions as much as DepictQA's target PSNR of 29, 27.5, 26, 24.5, 23 dB did "
            "(median V 2.7, 3.3, 4.2, 5.0, 6.2); by PSNR, OpenJPEG empties flat components",
        ),
        halo=fixed_reach(16),
        grid=fixed_reach(16),
        local=False,
    ),
    Distortion(
        "compression.webp",
        webp,
        "WebP quality",
        Dial(95, 0, whole=True),
        matched_ladder(20, 10, 4, 2, 0),
        None,
        halo=fixed_reach(16),
        grid=fixed_reach(16),
        local=False,
    ),
)  # fmt: skip
