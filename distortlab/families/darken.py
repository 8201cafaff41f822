"""Darkening: the tone goes down, by a shift or a gamma, in RGB or in the value of HSV."""

from distortlab.distortion import Distortion, depictqa, matched
from distortlab.tone import gamma_rgb, gamma_value, shift_rgb, shift_value

DARKEN = (
    Distortion(
        "darken.shift_rgb",
        shift_rgb,
        "share of range",
        matched(-0.06, -0.09, -0.13, -0.19, -0.27),
        depictqa(-0.10, -0.15, -0.20, -0.27, -0.35),
    ),
    Distortion(
        "darken.gamma_rgb",
        gamma_rgb,
        "exponent",
        matched(1.22, 1.34, 1.52, 1.77, 2.12),
        depictqa(1.4, 1.7, 2.1, 2.6, 3.2),
    ),
    Distortion(
        "darken.shift_value",
        shift_value,
        "share of range",
        matched(-0.065, -0.10, -0.145, -0.20, -0.27),
        depictqa(-0.1, -0.2, -0.3, -0.4, -0.5, deviation="value is clipped before RGB is formed, so the hue stays"),
    ),
    Distortion(
        "darken.gamma_value",
        gamma_value,
        "exponent",
        matched(1.28, 1.40, 1.65, 2.0, 2.5),
        depictqa(1.5, 1.8, 2.2, 2.7, 3.5, deviation="no round trip through 8-bit HSV"),
    ),
)
