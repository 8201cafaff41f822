"""Brightening: the tone goes up, by a shift or a gamma, in RGB or in the value of HSV."""

from distortlab.distortions.base import Dial, Distortion, depictqa_ladder, matched_ladder
from distortlab.distortions.tone import gamma_rgb, gamma_value, shift_rgb, shift_value

BRIGHTEN = (
    Distortion(
        "brighten.shift_rgb",
        shift_rgb,
        "share of range",
        Dial(0.01, 0.9),
        matched_ladder(0.0884, 0.113, 0.152, 0.223, 0.384),
        depictqa_ladder(0.10, 0.15, 0.20, 0.27, 0.35),
    ),
    Distortion(
        "brighten.gamma_rgb",
        gamma_rgb,
        "exponent",
        Dial(0.98, 0.05),
        matched_ladder(0.722, 0.649, 0.546, 0.429, 0.234),
        depictqa_ladder(0.8, 0.7, 0.6, 0.45, 0.3),
    ),
    Distortion(
        "brighten.shift_value",
        shift_value,
        "share of range",
        Dial(0.01, 0.9),
        matched_ladder(0.1, 0.132, 0.191, 0.269, 0.486),
        depictqa_ladder(0.1, 0.2, 0.3, 0.4, 0.5, deviation="value is clipped before RGB is formed, so the hue stays"),
        reach=(1, 1, 1, 0.99, 0.92),
    ),
    Distortion(
        "brighten.gamma_value",
        gamma_value,
        "exponent",
        Dial(0.98, 0.05),
        matched_ladder(0.702, 0.616, 0.495, 0.359, 0.145),
        depictqa_ladder(0.70, 0.58, 0.47, 0.36, 0.25, deviation="no round trip through 8-bit HSV"),
        reach=(1, 1, 1, 0.98, 0.91),
    ),
)
