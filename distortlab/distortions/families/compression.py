"""Compression by real codecs: JPEG, JPEG 2000 and WebP.

A codec works in blocks, so it is defined on the crop: the region's box with a halo, aligned to the codec's grid. For
JPEG that gives the pixels of the whole image; JPEG 2000 and WebP share bits over the crop and differ by a little.
"""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image as pillow

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, fixed_extent, matched_ladder

RESOLUTIONS = 3
"""Of JPEG 2000: as many halvings of the picture as this, less one."""


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

    Three resolutions: the usual six leave at a high ratio what looks like a blur. By rate, not by target PSNR:
    OpenJPEG's dB mode empties flat components. Some 256 bytes of headers come on top: they would take all that is
    allowed for a small region.
    """
    levels = max(1, min(RESOLUTIONS, int(np.log2(min(image.shape[:2])))))
    rate = image.size / (image.size / ratio + 256)
    options = {"quality_mode": "rates", "quality_layers": [rate], "irreversible": True, "mct": 1}
    return _round_trip(image, "JPEG2000", num_resolutions=levels, **options)


def webp(image: Image, quality: float, site: Site) -> Image:
    """Lossy WebP; `quality` 0..100. Method 0 of 6, the fastest, whose blocks are seen at the same quality."""
    return _round_trip(image, "WEBP", quality=max(0, round(quality)), method=0)


COMPRESSION = (
    Distortion(
        "compression.jpeg",
        jpeg,
        "libjpeg quality",
        Dial(95, 1, whole=True),
        matched_ladder(15, 11, 7, 5, 3),
        depictqa_ladder(25, 18, 12, 8, 5),
        halo=fixed_extent(16),
        grid=fixed_extent(16),
        reach=(1, 1, 1, 1, 0.99),
    ),
    Distortion(
        "compression.jpeg2000",
        jpeg2000,
        "compression ratio",
        Dial(4, 300),
        matched_ladder(46, 57, 76, 122, 230),
        depictqa_ladder(
            45, 56, 84, 98, 155,
            deviation="ratios at which regions lose as much as at DepictQA's target PSNR of 29, 27.5, 26, 24.5, 23 dB "
            "(27.0, 26.1, 24.8, 23.9, 22.4 dB are left of the median region); by PSNR, OpenJPEG empties flat "
            "components; three resolutions instead of six",
        ),
        halo=fixed_extent(16),
        grid=fixed_extent(16),
        local=False,
        version=2,
        reach=(0.94, 0.81, 0.95, 0.89, 0.88),
    ),
    Distortion(
        "compression.webp",
        webp,
        "WebP quality",
        Dial(95, 0, whole=True),
        matched_ladder(12, 4, 2, 1, 0),
        None,
        halo=fixed_extent(16),
        grid=fixed_extent(16),
        local=False,
        version=2,
        declined=(4, 5),
        reach=(1, 0.99, 0.9, 0.7, 0.09),
    ),
)  # fmt: skip
