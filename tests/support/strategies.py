"""Hypothesis strategies that several folders of tests share."""

import numpy as np
from hypothesis import strategies as st
from samples import Pixels


@st.composite
def masks(draw: st.DrawFn, most: int = 120) -> Pixels:
    """Boxes with holes, specks and lines in frames of odd sizes, often touching the frame."""
    rows, columns = draw(st.integers(9, most)), draw(st.integers(9, most))
    y1, y2 = sorted(draw(st.tuples(st.integers(0, rows), st.integers(0, rows))))
    x1, x2 = sorted(draw(st.tuples(st.integers(0, columns), st.integers(0, columns))))
    mask = np.zeros((rows, columns), np.uint8)
    mask[y1:y2, x1:x2] = 1
    holes = draw(st.sampled_from((0.0, 0.0, 0.3, 0.97)))
    mask[np.random.default_rng(draw(st.integers(0, 99))).random(mask.shape) < holes] = 0
    if not mask.any():
        mask[min(y1, rows - 1), min(x1, columns - 1)] = 1
    return mask
