"""The region engine: crops, halos, feathers, blends, and the law of the whole image."""

import dataclasses
import json
from io import BytesIO

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
    aligned,
    blob,
    distorted,
    edit_of,
    on_whole_image,
    photograph,
    thin,
    touching,
    whole,
)
from strategies import masks

from distortlab.core.errors import UserError
from distortlab.core.region import Box, Region
from distortlab.distortions.base import Profile, Site
from distortlab.distortions.catalog import CATALOG, find
from distortlab.distortions.edit import Edit, compute_spatial_scale, render, render_edit

LOCAL = [row.name for row in CATALOG if row.local]
CODECS = [row.name for row in CATALOG if not row.local]
# Nothing beyond the pixel and the statistics of the region.
POINTWISE = [row.name for row in CATALOG if row.halo(3, 1.0) == 0 and row.grid(3, 1.0) == 1]
STATISTICS = [name for name in NAMES if name.startswith(("contrast_", "quantization."))]


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
    """The law above is not kept by ignoring the region too."""
    edit = edit_of(find(name), 3, blob_mask)
    rows = np.nonzero(blob_mask)[0]
    y = int(rows[len(rows) // 3])
    half = blob_mask.copy()
    half[y:] = 0
    other = np.where(half[..., None] != 0, photograph // 2, photograph).astype(np.uint8)
    kept = (edit.region.mask != 0) & (np.arange(edit.bbox.height)[:, None] + edit.bbox.y1 > y)
    assert not np.array_equal(render_edit(photograph, edit)[kept], render_edit(other, edit)[kept])


def test_site_knows_the_pixels_and_the_middle_of_its_region(photograph: Pixels, blob_mask: Pixels) -> None:
    region = Region.from_mask(blob_mask)
    crop = region.bbox.grow(7, region.size)
    view = photograph[crop.slices]
    site = Site(region.size, crop, region.bbox, region.mask, view, (0,))
    assert np.array_equal(site.pixels, photograph[blob_mask != 0])
    assert site.center == ((region.bbox.x1 + region.bbox.x2 - 1) / 2, (region.bbox.y1 + region.bbox.y2 - 1) / 2)


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


def test_jpeg_is_that_of_the_frame(photograph: Pixels) -> None:
    """Pillow's own file of the whole picture, with the subsampling said out loud."""
    file = BytesIO()
    pillow.fromarray(photograph).save(file, "JPEG", quality=7, subsampling="4:2:0")
    expected = np.asarray(pillow.open(file).convert("RGB"))
    mask = blob(photograph.shape[:2])
    out = distorted(photograph, find("compression.jpeg"), 3, mask)
    assert np.array_equal(out, np.where(mask[..., None] != 0, expected, photograph))


@pytest.mark.parametrize("feather", [0, 4, 64])
def test_nothing_is_blended_at_the_edge_of_the_frame(small: Pixels, feather: int) -> None:
    """Which is why the whole frame needs no blending."""
    size = small.shape[:2]
    frame = Region.from_box(Box(0, 0, size[1], size[0]), size)
    assert frame.is_frame
    assert (frame.feather_mask(feather) == 255).all()
    assert not Region.from_box(Box(0, 0, size[1], size[0] - 1), size).is_frame
    edit = Edit(frame, "noise.gaussian_rgb", 3, 20.0, 1.0, feather, (1,), 1)
    changed = render_edit(small, edit)
    assert np.array_equal(changed, render_edit(small, dataclasses.replace(edit, feather=0)))
    assert changed.flags.writeable
    assert not np.shares_memory(changed, small)
