"""Darkening: the tone goes down, by a shift or a gamma, in RGB or in the value of HSV."""

from distortlab.distortions.base import Dial, Distortion, depictqa_ladder, matched_ladder
from distortlab.distortions.tone import gamma_rgb, gamma_value, shift_rgb, shift_value

DARKEN = (
    Distortion(
        "darken.shift_rgb",
        shift_rgb,
        "share of range",
        Dial(-0.01, -0.9),
        matched_ladder(-0.057, -0.076, -0.104, -0.151, -0.248),
        depictqa_ladder(-0.10, -0.15, -0.20, -0.27, -0.35),
    ),
    Distortion(
        "darken.gamma_rgb",
        gamma_rgb,
        "exponent",
        Dial(1.02, 10),
        matched_ladder(1.26, 1.35, 1.49, 1.78, 2.52),
        depictqa_ladder(1.4, 1.7, 2.1, 2.6, 3.2),
    ),
    Distortion(
        "darken.shift_value",
        shift_value,
        "share of range",
        Dial(-0.01, -0.9),
        matched_ladder(-0.073, -0.094, -0.125, -0.184, -0.288),
        depictqa_ladder(
            -0.1, -0.2, -0.3, -0.4, -0.5, deviation="value is clipped before RGB is formed, so the hue stays"
        ),
    ),
    Distortion(
        "darken.gamma_value",
        gamma_value,
        "exponent",
        Dial(1.02, 10),
        matched_ladder(1.32, 1.43, 1.65, 1.99, 2.8),
        depictqa_ladder(1.5, 1.8, 2.2, 2.7, 3.5, deviation="no round trip through 8-bit HSV"),
    ),
)
