"""More saturation, in the chroma plane or in the saturation of HSV."""

from distortlab.colour import scale_chroma, scale_saturation
from distortlab.distortion import Distortion, depictqa, matched

SATURATE_STRENGTHEN = (
    Distortion(
        "saturate_strengthen.ycbcr",
        scale_chroma,
        "gain",
        matched(1.7, 2.1, 3.0, 4.8, 10.0),
        depictqa(2, 3, 5, 8, 16, deviation="one clip, in RGB"),
    ),
    Distortion(
        "saturate_strengthen.hsv",
        scale_saturation,
        "gain",
        matched(1.8, 2.4, 4.0, 8.0, 20.0),
        depictqa(3, 6, 12, 20, 64, deviation="not through 8-bit HSV; regions without colour are not chosen"),
    ),
)
