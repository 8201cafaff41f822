"""Darkening: the tone goes down, by a shift or a gamma, in RGB or in the value of HSV."""

from distortlab.distortions.base import Dial, Distortion, depictqa_ladder, matched_ladder
from distortlab.distortions.tone import gamma_rgb, gamma_value, shift_rgb, shift_value

DARKEN = (
    Distortion(
        "darken.shift_rgb",
        shift_rgb,
        "share of range",
        Dial(-0.01, -0.9),
        matched_ladder(-0.0949, -0.121, -0.162, -0.245, -0.384),
        depictqa_ladder(-0.10, -0.15, -0.20, -0.27, -0.35),
    ),
    Distortion(
        "darken.gamma_rgb",
        gamma_rgb,
        "exponent",
        Dial(1.02, 10),
        matched_ladder(1.38, 1.56, 1.84, 2.39, 3.59),
        depictqa_ladder(1.4, 1.7, 2.1, 2.6, 3.2),
        reach=(1, 1, 1, 1, 0.99),
    ),
    Distortion(
        "darken.shift_value",
        shift_value,
        "share of range",
        Dial(-0.01, -0.9),
        matched_ladder(-0.102, -0.142, -0.195, -0.281, -0.438),
        depictqa_ladder(
            -0.1, -0.2, -0.3, -0.4, -0.5, deviation="value is clipped before RGB is formed, so the hue stays"
        ),
    ),
    Distortion(
        "darken.gamma_value",
        gamma_value,
        "exponent",
        Dial(1.02, 10),
        matched_ladder(1.48, 1.68, 2.06, 2.72, 4.55),
        depictqa_ladder(1.5, 1.8, 2.2, 2.7, 3.5, deviation="no round trip through 8-bit HSV"),
        reach=(1, 1, 1, 1, 0.99),
    ),
)
