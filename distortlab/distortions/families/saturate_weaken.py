"""Less saturation, in the chroma plane or in the saturation of HSV."""

from distortlab.distortions.base import Dial, Distortion, depictqa_ladder, matched_ladder
from distortlab.distortions.color import scale_chroma, scale_saturation

SATURATE_WEAKEN = (
    Distortion(
        "saturate_weaken.ycbcr",
        scale_chroma,
        "gain",
        Dial(0.98, 0),
        matched_ladder(0.6, 0.45, 0.255, 0.08, 0),
        depictqa_ladder(0.6, 0.4, 0.2, 0.1, 0.0, deviation="one clip, in RGB"),
        reach=(1, 0.9, 0.8, 0.53, 0.31),
    ),
    Distortion(
        "saturate_weaken.hsv",
        scale_saturation,
        "gain",
        Dial(0.98, 0),
        matched_ladder(0.64, 0.515, 0.33, 0.09, 0),
        depictqa_ladder(
            0.7, 0.55, 0.4, 0.2, 0.0, deviation="not through 8-bit HSV; regions without colour are not chosen"
        ),
        reach=(1, 0.93, 0.86, 0.59, 0.32),
    ),
)
