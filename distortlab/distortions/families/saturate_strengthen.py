"""More saturation, in the chroma plane or in the saturation of HSV."""

from distortlab.distortions.base import Dial, Distortion, depictqa_ladder, matched_ladder
from distortlab.distortions.color import scale_chroma, scale_saturation

SATURATE_STRENGTHEN = (
    Distortion(
        "saturate_strengthen.ycbcr",
        scale_chroma,
        "gain",
        Dial(1.1, 64),
        matched_ladder(1.57, 1.89, 2.47, 3.75, 8.8),
        depictqa_ladder(2, 3, 5, 8, 16, deviation="one clip, in RGB"),
    ),
    Distortion(
        "saturate_strengthen.hsv",
        scale_saturation,
        "gain",
        Dial(1.1, 64),
        matched_ladder(1.72, 2.5, 4.5, 14, 64),
        depictqa_ladder(3, 6, 12, 20, 64, deviation="not through 8-bit HSV; regions without colour are not chosen"),
        reach=(0.95, 0.86, 0.83, 0.63, 0.34),
    ),
)
