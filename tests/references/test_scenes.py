import hashlib
import io
import pickle
import subprocess
import sys
from collections import Counter
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

from distortlab.core.image import pixels_sha256
from distortlab.core.seeds import stream
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.base import Reference
from distortlab.references.scenes import collage
from distortlab.references.scenes.collage import compose_scene
from distortlab.references.scenes.planes import ONE, convert_colors, lay_over, multiply
from distortlab.references.scenes.shapes import SHAPES, draw_stencil, fill_share
from distortlab.references.scenes.source import VERSION, SceneEntry, Scenes
from distortlab.references.scenes.textures import MATERIALS, draw_sheet
from distortlab.references.screening import screen

# decoding a mask with pycocotools under NumPy 2 says so; no array of ours has the old `__array__`
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

COUNT = 24
ANY_REGION = RegionRules(min_area=0.0, max_area=1.0, max_box=1.0, min_side=0)


@pytest.fixture(scope="module")
def loaded() -> list[Reference]:
    return [entry.load(ReferenceRules(), RegionRules()) for entry in Scenes().entries(COUNT)]


def test_the_same_id_gives_the_same_pixels_in_another_process(loaded: list[Reference]) -> None:
    code = (
        "from distortlab.references.scenes.source import Scenes\n"
        "from distortlab.recipe import ReferenceRules, RegionRules\n"
        "from distortlab.core.image import pixels_sha256\n"
        "for entry in reversed(Scenes().entries(4)):\n"
        "    found = entry.load(ReferenceRules(), RegionRules())\n"
        "    print(pixels_sha256(found.image), *(r.region.counts.hex() for r in found.regions))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    here = [
        " ".join([pixels_sha256(found.image), *(r.region.counts.hex() for r in found.regions)])
        for found in reversed(loaded[:4])
    ]
    assert out.splitlines() == here
    again = SceneEntry(0, 3, (480, 640)).load(ReferenceRules(), RegionRules())
    assert pixels_sha256(again.image) == pixels_sha256(loaded[3].image)


def test_scenes_and_seeds_differ(loaded: list[Reference]) -> None:
    hashes = {pixels_sha256(found.image) for found in loaded}
    others = Scenes(1).entries(4)
    hashes |= {pixels_sha256(entry.load(ReferenceRules(), RegionRules()).image) for entry in others}
    assert len(hashes) == COUNT + 4
    assert [found.id for found in loaded[:2]] == ["scene-000000", "scene-000001"]


def test_the_file_decodes_to_the_image_in_pillow(loaded: list[Reference]) -> None:
    for found in loaded:
        with PIL.Image.open(io.BytesIO(found.encoded)) as opened:
            assert opened.format == "JPEG"
            np.testing.assert_array_equal(np.asarray(opened.convert("RGB")), found.image)


def test_masks_are_disjoint_and_in_tight_boxes_inside_the_frame(loaded: list[Reference]) -> None:
    for found in loaded:
        covered = np.zeros(found.image.shape[:2], int)
        for named in found.regions:
            box, mask = named.region.bbox, named.region.mask
            assert named.region.size == found.image.shape[:2]
            assert 0 <= box.x1 < box.x2 <= 640
            assert 0 <= box.y1 < box.y2 <= 480
            assert all(edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
            covered[box.slices] += mask
        assert covered.max() == 1


@pytest.mark.parametrize("index", range(6))
def test_a_mask_is_where_the_object_is(monkeypatch: pytest.MonkeyPatch, index: int) -> None:
    """Without the last piece, its mask changes; outside there is less shadow, and nothing else differs."""
    whole = compose_scene(0, index, (480, 640))
    paint, painted = collage._paint, []

    def all_but_the_last(*arguments: Any) -> None:
        painted.append(arguments)
        if len(painted) < len(whole.names):
            paint(*arguments)

    monkeypatch.setattr(collage, "_paint", all_but_the_last)
    bare = compose_scene(0, index, (480, 640))
    inside = whole.labels == len(whole.names)
    changes = [whole.planes.luma != bare.planes.luma]
    pairs = ((whole.planes.cb, bare.planes.cb), (whole.planes.cr, bare.planes.cr))
    changes += [(one != other).repeat(2, 0).repeat(2, 1) for one, other in pairs]
    assert np.any(changes, axis=0)[inside].mean() > 0.95
    near = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (whole.planes.luma <= bare.planes.luma)[~near].all()


def test_regions_are_the_pixels_of_the_collage(loaded: list[Reference]) -> None:
    for index, found in enumerate(loaded[:6]):
        collage = compose_scene(0, index, (480, 640))
        for named in found.regions:
            mask = np.zeros((480, 640), bool)
            mask[named.region.bbox.slices] = named.region.mask
            np.testing.assert_array_equal(mask, collage.labels == collage.names.index(str(named.object)) + 1)


def test_backdrops_have_light_and_texture_and_their_own_seed() -> None:
    for name in collage.BACKDROPS:
        one, two = (collage._backdrop(name, (480, 640), stream("test", name, k)).luma.astype(int) for k in (1, 2))
        assert one.std() > 15, name
        assert one.mean() > 30, name
        assert (one != two).any(), name


def test_names_are_distinct_and_known(loaded: list[Reference]) -> None:
    vocabulary = Scenes().vocabulary
    for found in loaded:
        assert 3 <= len(found.objects) == len(set(found.objects)) <= 7
        assert set(found.objects) <= set(vocabulary)
        assert {named.object for named in found.regions} <= set(found.objects)
        assert len(found.regions) + sum(found.skipped.values()) == len(found.objects)
    assert len(vocabulary) == len(SHAPES) * len(MATERIALS)


def test_the_vocabulary_says_how_often_names_come_up() -> None:
    scenes = 200
    names = [name for index in range(scenes) for name in compose_scene(0, index, (90, 120)).names]
    vocabulary = Scenes().vocabulary
    assert abs(len(names) - scenes * sum(vocabulary.values())) < 4 * np.sqrt(2 * scenes)
    for half in (0, 1):
        seen = Counter(name.split()[half] for name in names)
        expected = Counter[str]()
        for name, share in vocabulary.items():
            expected[name.split()[half]] += scenes * share
        for word, mean in expected.items():
            assert abs(seen[word] - mean) < 4 * np.sqrt(mean), word


def test_regions_that_break_the_rules_are_counted_and_left_out() -> None:
    entry = Scenes().entries(1)[0]
    every = entry.load(ReferenceRules(), ANY_REGION)
    smallest = sorted(named.region.area for named in every.regions)[:2]
    limit = sum(smallest) / 2 / every.image[..., 0].size
    some = entry.load(ReferenceRules(), RegionRules(min_area=limit))
    assert len(some.regions) == len(every.regions) - 1
    assert some.skipped == {"too small": 1}
    assert some.objects == every.objects


@pytest.mark.parametrize(("size", "max_side", "expected"), [
    ((480, 640), 320, (240, 320)),
    ((480, 640), 640, (480, 640)),
    ((900, 600), 450, (450, 300)),
    ((768, 1024), 2000, (768, 1024)),
])  # fmt: skip
def test_no_side_is_longer_than_asked(size: tuple[int, int], max_side: int, expected: tuple[int, int]) -> None:
    found = Scenes(size=size).entries(3)[2].load(ReferenceRules(max_side=max_side), RegionRules())
    assert found.image.shape == (*expected, 3)
    assert {named.region.size for named in found.regions} == {expected}


def test_scenes_of_this_version_have_these_pixels() -> None:
    """Another hash on another machine is a filter that differs; after a change of the code, raise `VERSION`."""
    planes = [compose_scene(0, index, (240, 320)).planes for index in range(8)]
    parts = b"".join(plane.tobytes() for scene in planes for plane in (scene.luma, scene.cb, scene.cr))
    assert (VERSION, hashlib.sha256(parts).hexdigest()) == (
        "2",
        "051a396f47ccdb87513fb891a21fcc85d8d28595f06f0f9fa2ed41686c81bc6d",
    )


def test_the_file_has_the_colours_of_the_planes() -> None:
    planes = compose_scene(0, 2, (480, 640)).planes
    decoded = PIL.Image.open(io.BytesIO(planes.encode_jpeg(100)))
    decoded.draft("YCbCr", decoded.size)
    assert decoded.mode == "YCbCr"
    found = np.asarray(decoded).astype(int)
    assert np.abs(found[..., 0] - planes.luma).max() <= 2
    for channel, plane in ((1, planes.cb), (2, planes.cr)):
        assert np.abs(found[::2, ::2, channel] - plane).mean() < 2


def test_colors_become_planes_as_in_pillow() -> None:
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    rgb = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    expected = np.asarray(PIL.Image.fromarray(rgb).convert("YCbCr")).astype(int)
    assert np.abs(convert_colors(rgb) - expected).max() <= 1
    assert convert_colors(rgb).min() >= 0
    assert convert_colors(rgb).max() <= 255


def test_full_weights_and_factors_of_one_change_nothing() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(multiply(values, np.full_like(values, ONE)), values)
    below, above = values.copy(), values[::-1].copy()
    lay_over(below, above, np.where(values % 2, 255, 0).astype(np.uint8))
    np.testing.assert_array_equal(below, np.where(values % 2, above, values))
    factors = np.arange(256, dtype=np.uint8).reshape(16, 16).T.copy()
    expected = np.minimum((2 * values.astype(int) * factors + ONE) // (2 * ONE), 255)
    np.testing.assert_array_equal(multiply(values, factors), expected)


@pytest.mark.parametrize("size", [(479, 641), (301, 640), (40, 33), (1, 1), (1200, 1600)])
def test_scenes_of_any_size(size: tuple[int, int]) -> None:
    scene = compose_scene(3, 1, size)
    assert scene.planes.luma.shape == scene.labels.shape == size
    found = SceneEntry(3, 1, size).load(ReferenceRules(max_side=2000), ANY_REGION)
    assert found.image.shape == (*size, 3)


def test_scenes_pass_the_screening(loaded: list[Reference]) -> None:
    reasons = Counter(screen(found.image, ReferenceRules()) for found in loaded)
    assert reasons[None] >= COUNT - 1, reasons


def test_objects_stand_everywhere_and_can_be_seen_to_change(loaded: list[Reference]) -> None:
    regions = [named.region for found in loaded for named in found.regions]
    left = np.mean([region.bbox.x1 + region.bbox.x2 < 640 for region in regions])
    top = np.mean([region.bbox.y1 + region.bbox.y2 < 480 for region in regions])
    assert 0.3 < left < 0.7
    assert 0.3 < top < 0.7
    for found in loaded:
        for named in found.regions:
            pixels = found.image[named.region.bbox.slices][named.region.mask == 1].astype(int)
            assert pixels.std(axis=0).max() > 8, named.object
            assert 25 < pixels.mean() < 230, named.object


def test_the_fingerprint_knows_seed_and_size() -> None:
    sources = (Scenes(), Scenes(1), Scenes(size=(640, 480)), Scenes(size=(480, 480)), Scenes(11))
    assert len({source.fingerprint for source in sources}) == len(sources)
    assert Scenes().fingerprint == Scenes(0, (480, 640)).fingerprint
    assert Scenes().count is None
    assert Scenes().skipped == {}


def test_sources_and_entries_travel_between_processes() -> None:
    source = pickle.loads(pickle.dumps(Scenes(5)))
    assert source == Scenes(5)
    entries = source.entries(10)
    assert pickle.loads(pickle.dumps(entries)) == entries
    assert len({entry.id for entry in entries}) == 10


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_stencil_is_solid_inside_with_soft_edges(shape) -> None:
    weight = draw_stencil(shape, 120, 90, 20)
    assert weight.dtype == np.uint8
    assert weight.max() == 255
    assert weight.min() == 0
    assert ((weight > 0) & (weight < 255)).any()
    share = (weight >= 128).sum() / (120 * 90)
    assert share == pytest.approx(fill_share(shape.name), rel=0.06)


@pytest.mark.parametrize("name", ["ring", "flower", "gear"])
def test_a_hole_is_empty(name: str) -> None:
    weight = draw_stencil(next(shape for shape in SHAPES if shape.name == name), 120, 120)
    assert weight[weight.shape[0] // 2, weight.shape[1] // 2] == 0


@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.name)
def test_a_sheet_has_texture_everywhere(material) -> None:
    grey = draw_sheet(material.name).astype(int)
    assert min(grey.shape) >= 300
    assert 20 < grey.std() < 90
    blocks = grey[:288, :448].reshape(36, 8, 56, 8).std(axis=(1, 3))
    assert np.percentile(blocks, 2) > 1.5
