"""Folders of pictures: what is found in them, and the regions of pictures that nobody annotated."""

import io
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from reference_samples import encoded, photograph

from distortlab.core.errors import BadReference, UserError
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references import open_references
from distortlab.references.regions.rules import find_rule_violation
from distortlab.references.regions.segmentation import MAX_REGIONS, segment_image

# pycocotools 2.0.11 has not followed NumPy 2 in how an array is copied.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ALL = 10**9
REFERENCES, REGIONS = ReferenceRules(), RegionRules()


def blobs() -> np.ndarray:
    """A red disc and a blue box on soft ground, with a little noise."""
    image = np.full((300, 400, 3), (150, 150, 140), np.uint8)
    cv2.circle(image, (120, 150), 60, (200, 40, 30), -1)
    cv2.rectangle(image, (240, 80), (339, 199), (30, 60, 190), -1)
    return np.clip(image + np.random.default_rng(0).normal(0, 3, image.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("a.jpg", "deep/b.PNG", "deep/er/c d.jpeg", "deep/er/c_d.jpeg", "ü/é.webp"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        kind = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}[name.rpartition(".")[2].lower()]
        (root / name).write_bytes(encoded(blobs(), kind))
    (root / "notes.txt").write_text("x")
    (root / ".hidden.jpg").write_bytes(b"")
    (root / ".git").mkdir()
    (root / ".git" / "x.jpg").write_bytes(b"")
    return root


def test_pictures_are_found_at_every_depth(folder: Path) -> None:
    found = open_references(f"folder:{folder}")
    assert found.count == 5
    assert found.vocabulary == {}
    assert dict(found.skipped) == {"file of another kind": 2}
    ids = [entry.id for entry in found.entries(ALL)]
    assert len(set(ids)) == 5
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in ids)


def test_ids_order_and_fingerprint_are_those_of_relative_paths(folder: Path) -> None:
    before = open_references(f"folder:{folder}")
    ids, fingerprint = [entry.id for entry in before.entries(ALL)], before.fingerprint
    moved = folder.rename(folder.parent / "moved")
    after = open_references(f"folder:{moved}")
    assert [entry.id for entry in after.entries(ALL)] == ids
    assert [entry.id for entry in after.entries(2)] == ids[:2]
    assert after.fingerprint == fingerprint
    (moved / "a.jpg").write_bytes(encoded(blobs(), "JPEG", quality=50))
    assert open_references(f"folder:{moved}").fingerprint != fingerprint


def test_links_in_a_circle_end(folder: Path) -> None:
    (folder / "deep" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "again").symlink_to(folder / "deep" / "er", target_is_directory=True)
    (folder / "dangling.jpg").symlink_to(folder / "nothing.jpg")
    found = open_references(f"folder:{folder}")
    # Each picture is found once, by whichever name comes first; the dangling link is a file to refuse.
    assert found.count == 6
    assert found.skipped["folder linked twice"] == 2


def test_folders_without_pictures_are_errors(tmp_path: Path) -> None:
    for spec, reason in (
        (f"folder:{tmp_path}", "no pictures below"),
        (f"folder:{tmp_path / 'nowhere'}", "no folder of images at .*nowhere"),
        ("folder:", "a path is needed"),
        ("folders:x", "did you mean 'folder'"),
        ("", "known: scenes, coco, folder"),
        ("scenes:x", "whole number"),
    ):
        with pytest.raises(UserError, match=reason):
            open_references(spec)


def test_entries_load_the_same_wherever_they_are_loaded(folder: Path) -> None:
    for entry in open_references(f"folder:{folder}").entries(ALL):
        first, second = (e.load(REFERENCES, REGIONS) for e in (entry, pickle.loads(pickle.dumps(entry))))
        assert np.array_equal(first.image, second.image)
        assert first.regions == second.regions
        with Pillow.open(io.BytesIO(first.encoded)) as copy:
            assert np.array_equal(np.asarray(copy.convert("RGB")), first.image)
        assert {named.object for named in first.regions} == {None}


def test_a_bad_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(BadReference, match=r"bad\.jpg"):
        open_references(f"folder:{tmp_path}").entries(1)[0].load(REFERENCES, REGIONS)


def test_segmentation_finds_the_disc_and_the_box() -> None:
    image = blobs()
    disc, box = np.zeros((300, 400), np.uint8), np.zeros((300, 400), np.uint8)
    cv2.circle(disc, (120, 150), 60, 1, -1)
    box[80:200, 240:340] = 1
    regions = segment_image(image, REGIONS)
    for truth in (disc, box):
        assert max(overlap(region, truth) for region in regions) > 0.8


def overlap(region: object, truth: np.ndarray) -> float:
    mask = np.zeros_like(truth)
    mask[region.bbox.slices] = region.mask  # type: ignore[attr-defined]
    return float((mask & truth).sum() / (mask | truth).sum())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(300, 400), (90, 700), (640, 480), (40, 40), (1, 1)])
def test_segmented_regions_pass_the_rules_and_hardly_touch(seed: int, shape: tuple[int, int]) -> None:
    image = photograph(*shape, seed=seed)
    before = image.copy()
    regions = segment_image(image, REGIONS)
    assert np.array_equal(image, before)
    assert regions == segment_image(image, REGIONS)
    assert len(regions) <= MAX_REGIONS
    covered = np.zeros(shape, np.int32)
    for region in regions:
        assert region.size == shape
        assert find_rule_violation(region, REGIONS) is None
        covered[region.bbox.slices] += region.mask
    # Outlines are smoothed after pieces were kept apart, so neighbours may share a seam.
    assert np.count_nonzero(covered > 1) <= 0.02 * covered.size


def test_a_flat_picture_has_no_regions() -> None:
    assert segment_image(np.full((300, 400, 3), 90, np.uint8), REGIONS) == ()
