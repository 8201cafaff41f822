"""Less saturation, in the chroma plane or in the saturation of HSV."""

from distortlab.distortions.base import Dial, Distortion, depictqa_ladder, matched_ladder
from distortlab.distortions.color import scale_chroma, scale_saturation

SATURATE_WEAKEN = (
    Distortion(
        "saturate_weaken.ycbcr",
        scale_chroma,
        "gain",
        Dial(0.98, 0),
        matched_ladder(0.55, 0.40, 0.25, 0.12, 0.0),
        depictqa_ladder(0.6, 0.4, 0.2, 0.1, 0.0, deviation="one clip, in RGB"),
    ),
    Distortion(
        "saturate_weaken.hsv",
        scale_saturation,
        "gain",
        Dial(0.98, 0),
        matched_ladder(0.55, 0.42, 0.28, 0.14, 0.0),
        depictqa_ladder(
            0.7, 0.55, 0.4, 0.2, 0.0, deviation="not through 8-bit HSV; regions without colour are not chosen"
        ),
    ),
)
