"""The region engine: crops, halos, feathers, blends, and the law of the whole image."""

import dataclasses
import json
from io import BytesIO

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image as pillow
from samples import (
    MASKS,
    NAMES,
    PROFILES,
    Pixels,
    blob,
    distorted,
    edit_of,
    on_whole_image,
    photograph,
    thin,
    touching,
    whole,
)
from scipy import ndimage

from distortlab.core.errors import UserError
from distortlab.core.region import Box, Region, blend, feather_mask
from distortlab.distortions.base import Profile, Site
from distortlab.distortions.catalog import CATALOG, find
from distortlab.distortions.edit import Edit, compute_spatial_scale, render, render_edit
from distortlab.distortions.exact_math import blur_gaussian, convolve, quantize_kernel

LOCAL = [row.name for row in CATALOG if row.local]
CODECS = [row.name for row in CATALOG if not row.local]
# Nothing beyond the pixel and the statistics of the region.
POINTWISE = [row.name for row in CATALOG if row.halo(3, 1.0) == 0 and row.grid(3, 1.0) == 1]
STATISTICS = [name for name in NAMES if name.startswith(("contrast_", "quantization."))]


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


def part(mask: Pixels) -> Pixels:
    """As much of the photograph as the mask is large."""
    return photograph()[: mask.shape[0], -mask.shape[1] :].copy()


# --- the law of the whole image ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOCAL)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    mask=masks(),
    severity=st.sampled_from((1, 3, 5)),
    profile=st.sampled_from(PROFILES),
    scale=st.sampled_from((0.25, 1.0, 1.7)),
    feather=st.integers(0, 3),
    seed=st.integers(0, 2**40),
)
@example(mask=blob((200, 260)), severity=5, profile="matched", scale=1.0, feather=2, seed=0)
@example(mask=touching((200, 260)), severity=5, profile="matched", scale=1.7, feather=1, seed=1)
@example(mask=blob((200, 260)), severity=1, profile="dq", scale=1.0, feather=0, seed=0)
@example(mask=thin((200, 260)), severity=4, profile="dq", scale=1.3, feather=0, seed=2)
def test_inside_equals_the_whole_image(
    name: str, mask: Pixels, severity: int, profile: Profile, scale: float, feather: int, seed: int
) -> None:
    image, row = part(mask), find(name)
    profile = profile if row.get_ladder(profile) else "matched"
    edit = edit_of(row, severity, mask, scale=scale, feather=feather, seed=seed, profile=profile)
    assert np.array_equal(render(image, [edit]), on_whole_image(image, row, edit))


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("kind", MASKS)
def test_other_codecs_equal_the_codec_on_the_aligned_crop(name: str, kind: str, photograph: Pixels) -> None:
    mask = MASKS[kind](photograph.shape[:2])
    row, region = find(name), Region.from_mask(mask)
    edit = edit_of(row, 3, mask)
    crop = aligned(region.bbox, photograph.shape, halo=16, grid=16)
    view = np.ascontiguousarray(photograph[crop.slices])
    site = Site(region.size, crop, region.bbox, region.mask, view, edit.address)
    coded = row.operator(view, edit.amount, site)[region.bbox.relative_to(crop).slices]
    expected = np.where(region.mask[..., None] != 0, coded, photograph[region.bbox.slices])
    assert np.array_equal(render_edit(photograph, edit), expected)


def aligned(box: Box, shape: tuple[int, ...], halo: int, grid: int) -> Box:
    """Written out: one halo around the box, then outward to the grid, then cut off at the frame."""
    x1, y1 = ((v - halo) - (v - halo) % grid for v in box[:2])
    x2, y2 = ((v + halo) + -(v + halo) % grid for v in box[2:])
    return Box(max(x1, 0), max(y1, 0), min(x2, shape[1]), min(y2, shape[0]))


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_image_as_region_is_the_operator_itself(name: str, small: Pixels) -> None:
    """Whatever the feather: the frame is not an edge of the region."""
    mask = whole(small.shape[:2])
    plain = distorted(small, find(name), 4, mask, feather=0)
    assert np.array_equal(distorted(small, find(name), 4, mask, feather=4), plain)
    assert np.array_equal(plain, on_whole_image(small, find(name), edit_of(find(name), 4, mask)))


# --- what an operator may look at --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_pixels_beyond_the_halo_have_no_say(name: str, photograph: Pixels) -> None:
    mask = np.zeros(photograph.shape[:2], np.uint8)
    mask[70:130, 90:150] = blob((60, 60))
    row, edit = find(name), edit_of(find(name), 3, mask)
    dial = edit.amount
    near = aligned(edit.bbox, photograph.shape, row.halo(dial, 1.0), row.grid(dial, 1.0))
    assert near != Box(0, 0, photograph.shape[1], photograph.shape[0])
    other = 255 - photograph
    other[near.slices] = photograph[near.slices]
    assert np.array_equal(render_edit(photograph, edit), render_edit(other, edit))


@pytest.mark.parametrize("name", sorted({*POINTWISE, *STATISTICS}))
def test_pixels_in_the_box_but_outside_the_mask_have_no_say(name: str, photograph: Pixels, blob_mask: Pixels) -> None:
    edit = edit_of(find(name), 3, blob_mask)
    other = np.where(blob_mask[..., None] != 0, photograph, 255 - photograph).astype(np.uint8)
    inside = edit.region.mask != 0
    assert np.array_equal(render_edit(photograph, edit)[inside], render_edit(other, edit)[inside])


@pytest.mark.parametrize("name", STATISTICS)
def test_pixels_of_the_region_do_have_a_say(name: str, photograph: Pixels, blob_mask: Pixels) -> None:
    """The law above is not kept by ignoring the region too; a uniform quantiser alone needs no statistics."""
    edit = edit_of(find(name), 3, blob_mask)
    rows = np.nonzero(blob_mask)[0]
    y = int(rows[len(rows) // 3])
    half = blob_mask.copy()
    half[y:] = 0
    other = np.where(half[..., None] != 0, photograph // 2, photograph).astype(np.uint8)
    kept = (edit.region.mask != 0) & (np.arange(edit.bbox.height)[:, None] + edit.bbox.y1 > y)
    same = np.array_equal(render_edit(photograph, edit)[kept], render_edit(other, edit)[kept])
    assert same == (name == "quantization.uniform")


def test_site_knows_the_pixels_and_the_middle_of_its_region(photograph: Pixels, blob_mask: Pixels) -> None:
    region = Region.from_mask(blob_mask)
    crop = region.bbox.grow(7, region.size)
    view = photograph[crop.slices]
    site = Site(region.size, crop, region.bbox, region.mask, view, (0,))
    assert np.array_equal(site.pixels, photograph[blob_mask != 0])
    assert site.center == ((region.bbox.x1 + region.bbox.x2 - 1) / 2, (region.bbox.y1 + region.bbox.y2 - 1) / 2)


# --- feather and blend -------------------------------------------------------------------------------------------


@given(mask=masks(40), feather=st.integers(0, 5))
def test_weights_stay_inside_and_are_whole_in_the_depth(mask: Pixels, feather: int) -> None:
    region = Region.from_mask(mask)
    weight = region.feather_mask(feather)
    assert weight.dtype == np.uint8
    assert not weight[region.mask == 0].any()
    size = 2 * feather + 1
    # What lies beyond the frame belongs to the region as far as its edge pixels do.
    continued = cv2.copyMakeBorder(mask, *[feather] * 4, borderType=cv2.BORDER_REPLICATE)
    deep = cv2.erode(continued, np.ones((size, size), np.uint8), borderValue=1)[
        feather : feather + mask.shape[0], feather : feather + mask.shape[1]
    ]
    assert (weight[deep[region.bbox.slices] == 1] == 255).all()


@pytest.mark.parametrize("feather", range(6))
def test_weights_rise_from_a_straight_edge_inward(feather: int) -> None:
    weight = feather_mask(np.ones((41, 41), np.uint8), feather)
    middle = weight[20, :21].astype(int)
    assert (np.diff(middle) >= 0).all()
    straight = 255 * (2 * np.arange(feather) + 1) / (2 * feather + 1)
    assert np.abs(middle[:feather] - straight).max(initial=0) <= 2
    assert middle[feather] == 255
    assert (middle[:feather] < 255).all()
    assert (middle > 0).all()
    assert np.array_equal(weight, weight[::-1, ::-1])
    assert np.array_equal(weight, weight.T)


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_a_side_on_the_frame_is_not_feathered(side: str) -> None:
    weight = feather_mask(np.ones((30, 30), np.uint8), 4, **{side: False})
    edges = {"top": weight[0], "bottom": weight[-1], "left": weight[:, 0], "right": weight[:, -1]}
    for name, line in edges.items():
        assert (line[10:20] == 255).all() == (name == side)


@pytest.mark.parametrize(
    ("box", "free"),
    [
        (Box(0, 5, 20, 25), "left"),
        (Box(5, 0, 25, 20), "top"),
        (Box(20, 5, 40, 25), "right"),
        (Box(5, 10, 25, 30), "bottom"),
    ],
)
def test_a_region_knows_which_of_its_sides_lie_on_the_frame(box: Box, free: str) -> None:
    weight = Region.from_box(box, (30, 40)).feather_mask(3)
    assert np.array_equal(weight, feather_mask(np.ones((20, 20), np.uint8), 3, **{free: False}))


def test_blend_rounds_to_the_nearest_level_for_every_weight() -> None:
    """All 65,536 pairs of levels at each weight; no ties are possible, 255 being odd."""
    old, new = (plane.astype(np.uint8) for plane in np.mgrid[:256, :256])
    pictures = [np.repeat(plane[..., None], 3, axis=2) for plane in (old, new)]
    for value in (0, 1, 2, 63, 127, 128, 200, 253, 254, 255):
        out = blend(pictures[0], pictures[1], np.full((256, 256), value, np.uint8))
        exact = (new.astype(np.float64) * value + old * (255.0 - value)) / 255
        assert np.array_equal(out, np.repeat(np.rint(exact)[..., None], 3, axis=2))


def test_blend_leaves_its_inputs_alone(small: Pixels) -> None:
    new = 255 - small
    blend(small, new, blob(small.shape[:2]) * np.uint8(120))
    assert np.array_equal(new, 255 - small)


@pytest.mark.parametrize("columns", range(1, 7))
@pytest.mark.parametrize("rows", range(1, 7))
def test_the_smallest_regions_are_feathered_and_blended(rows: int, columns: int) -> None:
    """OpenCV takes arrays of 1 x 1 and 4 x 1 for scalars; a region may have any shape."""
    image, shape = np.full((9, 9, 3), 100, np.uint8), (9, 9)
    for x, y in ((0, 0), (1, 1), (9 - columns, 9 - rows)):
        for feather in range(4):
            region = Region.from_box(Box(x, y, x + columns, y + rows), shape)
            weight = region.feather_mask(feather)
            assert weight.shape == (rows, columns)
            out = blend(image[region.bbox.slices], np.full((rows, columns, 3), 200, np.uint8), weight)
            assert np.array_equal(out[..., 0], np.rint(100 + 100 * (weight / 255)))


# --- boxes and regions -------------------------------------------------------------------------------------------


@given(
    st.integers(0, 60),
    st.integers(0, 40),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(0, 50),
    st.integers(1, 16),
)
def test_a_grown_box_is_on_the_grid_or_on_the_frame(x: int, y: int, w: int, h: int, halo: int, grid: int) -> None:
    shape, box = (71, 93), Box(x, y, x + w, y + h)
    out = box.grow(halo, shape, grid)
    assert out == aligned(box, shape, halo, grid)
    assert 0 <= out.x1 <= box.x1 < box.x2 <= out.x2 <= shape[1]
    assert 0 <= out.y1 <= box.y1 < box.y2 <= out.y2 <= shape[0]
    assert box.relative_to(out) == Box(x - out.x1, y - out.y1, x + w - out.x1, y + h - out.y1)


@given(masks(40))
def test_a_region_is_its_mask(mask: Pixels) -> None:
    region = Region.from_mask(mask)
    rows, columns = np.nonzero(mask)
    box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    assert region.bbox == box
    assert region.area == mask.sum()
    assert np.array_equal(region.mask, mask[box.slices])
    assert Region.from_rle(json.loads(json.dumps(region.rle))) == region
    assert region == Region.from_mask(mask.astype(bool)) == Region.from_mask(mask * 255) == Region.from_mask(mask * 0.5)


def test_a_box_region_is_a_rectangle() -> None:
    box = Box(3, 5, 17, 11)
    region = Region.from_box(box, (20, 30))
    assert (region.bbox, region.area) == (box, 84)
    assert region.mask.all()


# --- edits -------------------------------------------------------------------------------------------------------


def test_render_does_edits_in_order_and_leaves_the_reference_alone(photograph: Pixels) -> None:
    shape = photograph.shape[:2]
    first = edit_of(find("darken.shift_rgb"), 4, blob(shape))
    second = edit_of(find("noise.impulse"), 5, touching(shape), seed=2)
    both = render(photograph, [first, second])
    assert np.array_equal(both, render(render(photograph, [first]), [second]))
    assert not np.array_equal(both, render(photograph, [second, first]))


def test_render_of_nothing_is_a_copy(small: Pixels) -> None:
    out = render(small, [])
    assert np.array_equal(out, small)
    assert not np.shares_memory(out, small)
    assert out.flags.writeable


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_can_be_done_again_from_its_record(name: str, small: Pixels) -> None:
    edit = dataclasses.replace(
        edit_of(find(name), 4, blob(small.shape[:2]), scale=0.8, feather=3), address=(7, "image 1", 0, name)
    )
    region = Region.from_rle(json.loads(json.dumps(edit.region.rle)))
    again = Edit.from_params(region, name, 4, json.dumps(edit.params))
    assert again == edit
    assert np.array_equal(render(small, [again]), render(small, [edit]))
    assert edit.params["unit"] == find(name).unit


def test_a_region_of_another_image_is_refused(small: Pixels) -> None:
    edit = edit_of(find("blur.gaussian"), 3, blob((200, 260)))
    with pytest.raises(UserError, match=r"\(200, 260\).*does not fit.*\(96, 128\)"):
        render_edit(small, edit)


@pytest.mark.parametrize(
    ("shape", "scale"), [((512, 700), 1.0), ((700, 512), 1.0), ((96, 128), 0.1875), ((1024, 1024), 2)]
)
def test_lengths_follow_the_short_side_over_512(shape: tuple[int, int], scale: float) -> None:
    assert compute_spatial_scale(shape) == scale


@pytest.mark.parametrize("name", [row.name for row in CATALOG if row.spatial])
def test_a_spatial_dial_is_multiplied_by_the_scale(name: str, photograph: Pixels, blob_mask: Pixels) -> None:
    row = find(name)
    edit = edit_of(row, 3, blob_mask, scale=1.5)
    same = dataclasses.replace(edit, amount=edit.amount * 3, scale=0.5)
    assert np.array_equal(render_edit(photograph, edit), render_edit(photograph, same))
    weaker = dataclasses.replace(edit, scale=0.5)
    assert not np.array_equal(render_edit(photograph, edit), render_edit(photograph, weaker))


# --- exact arithmetic --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3, 7, 11, 25, 41])
def test_convolution_is_exact_whole_number_arithmetic(size: int) -> None:
    """Also where OpenCV goes through a Fourier transform in float32, on the hardest picture there is."""
    rng = np.random.default_rng(size)
    image = (rng.integers(0, 2, (150, 170, 3)) * 255).astype(np.uint8)
    image[40:110, 30:140] = 255
    kernel = quantize_kernel(rng.random((size, size)), 1024)
    assert kernel.sum() == 1024
    reach = size // 2
    padded = cv2.copyMakeBorder(image, *[reach] * 4, borderType=cv2.BORDER_REFLECT_101).astype(np.int64)
    sums = np.zeros(image.shape, np.int64)
    for dy, dx in zip(*np.nonzero(kernel), strict=True):
        sums += int(kernel[dy, dx]) * padded[dy : dy + image.shape[0], dx : dx + image.shape[1]]
    assert np.array_equal(convolve(image, kernel), np.clip(np.rint(sums / 1024), 0, 255))


@pytest.mark.parametrize("sigma", [0.6, 1.1, 2.05, 4.75])
def test_the_gaussian_is_scipys_and_is_mirrored_at_the_frame(sigma: float, small: Pixels) -> None:
    """To two levels, with a mean error near 0: OpenCV's fixed point. A frame that repeats its pixels is off by 5."""
    image = np.random.default_rng(0).permuted(small, axis=1)
    exact = ndimage.gaussian_filter(image.astype(float), (sigma, sigma, 0), mode="mirror", truncate=3)
    error = blur_gaussian(image, sigma) - exact
    edges = np.concatenate([error[0], error[-1], error[:, 0], error[:, -1]])
    assert np.abs(error).max() < 2
    assert abs(error.mean()) < 0.1
    assert np.abs(edges).mean() < 0.5


def test_jpeg_is_that_of_the_frame(photograph: Pixels) -> None:
    """Pillow's own file of the whole picture, with the subsampling said out loud."""
    file = BytesIO()
    pillow.fromarray(photograph).save(file, "JPEG", quality=8, subsampling="4:2:0")
    expected = np.asarray(pillow.open(file).convert("RGB"))
    mask = blob(photograph.shape[:2])
    out = distorted(photograph, find("compression.jpeg"), 3, mask)
    assert np.array_equal(out, np.where(mask[..., None] != 0, expected, photograph))
