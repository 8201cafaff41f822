"""COCO, LVIS and Objects365 files, sound and broken."""

import io
import json
import math
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from pycocotools import mask as coco_mask
from reference_samples import annotation, encoded, photograph, small_coco, square

from distortlab.core.errors import BadReference, UserError
from distortlab.core.region import Box, Region
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references import References, open_references
from distortlab.references.coco import Coco, CocoEntry, open_coco
from distortlab.references.regions.outlines import (
    Rectangle,
    Runs,
    Shape,
    decode_runs,
    draw_shape,
    read_rectangle,
    read_shape,
)
from distortlab.references.regions.rules import find_box_violation, find_rule_violation

# pycocotools 2.0.11 has not followed NumPy 2 in how an array is copied.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Write = Callable[[Any], Path]
ALL = 10**9
REFERENCES, REGIONS = ReferenceRules(), RegionRules()


def opened(document: Any, pictures: Path, written: Write, rules: RegionRules = REGIONS) -> Coco:
    return open_coco(written(document), pictures, rules)


def entry_of(coco: References, key: int) -> CocoEntry:
    found = [entry for entry in coco.entries(ALL) if entry.id == f"coco-{key:012d}"]
    assert isinstance(found[0], CocoEntry)
    return found[0]


def test_a_sound_file(pictures: Path, written: Write) -> None:
    coco = open_references(f"coco:{written(small_coco())},{pictures}")
    assert coco.count == 2
    assert dict(coco.vocabulary) == {"cat": 1.0, "dog": 0.5}
    assert dict(coco.skipped) == {"image without a region that may be distorted": 1}
    entry = entry_of(coco, 1)
    reference = entry.load(REFERENCES, REGIONS)
    assert [named.object for named in reference.regions] == ["cat", "dog"]
    assert reference.objects == ("bird", "cat", "dog")
    assert reference.skipped == {"too small": 1}
    assert reference.source == "http://images.example.org/train/000000000001.jpg"
    assert reference.license == "CC BY (https://example.org/by)"
    assert reference.encoded == entry.path.read_bytes()
    assert reference.extension == "jpg"
    assert reference.regions[0].region.bbox == Box(40, 50, 140, 150)
    assert reference.regions[0].region.area == 10_000


def test_crowds_only_where_the_rules_say_so(pictures: Path, written: Write) -> None:
    entry = entry_of(opened(small_coco(), pictures, written), 2)
    assert entry.load(REFERENCES, REGIONS).skipped == {"crowd": 1}
    both = entry.load(REFERENCES, RegionRules(crowd=True)).regions
    assert [named.object for named in both] == ["cat", "bird"]
    assert both[0].region == both[1].region
    assert both[0].region.bbox == Box(100, 60, 220, 160)


def test_entries_travel_and_load_the_same(pictures: Path, written: Write) -> None:
    for entry in opened(small_coco(), pictures, written).entries(ALL):
        first, second = (e.load(REFERENCES, REGIONS) for e in (entry, pickle.loads(pickle.dumps(entry))))
        assert np.array_equal(first.image, second.image)
        assert replace(first, image=second.image) == second


def test_order_and_fingerprint_do_not_depend_on_the_order_of_the_file(pictures: Path, written: Write) -> None:
    document = small_coco()
    first = opened(document, pictures, written)
    document["images"].reverse()
    document["categories"].reverse()
    second = opened(document, pictures, written)
    assert [e.id for e in first.entries(ALL)] == [e.id for e in second.entries(ALL)]
    assert first.fingerprint == second.fingerprint
    assert [e.id for e in first.entries(1)] == [e.id for e in first.entries(ALL)][:1]
    document["annotations"][0]["segmentation"][0][0] += 1
    assert opened(document, pictures, written).fingerprint != first.fingerprint


def test_fingerprint_does_not_depend_on_where_the_images_lie(pictures: Path, written: Write, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    fingerprints = {opened(small_coco(), folder, written).fingerprint for folder in (pictures, other)}
    assert len(fingerprints) == 1


def test_lvis_names_its_images_by_address(pictures: Path, written: Write, tmp_path: Path) -> None:
    document = small_coco()
    for image in document["images"]:
        name = image.pop("file_name")
        image |= {"coco_url": f"http://images.cocodataset.org/train2017/{name}", "neg_category_ids": [3]}
    assert entry_of(opened(document, pictures, written), 1).path.parent == pictures
    split = tmp_path / "train2017"
    split.mkdir()
    assert entry_of(opened(document, tmp_path, written), 1).path == split / "000000000001.jpg"


def test_objects365_has_folders_and_boxes_only(written: Write, tmp_path: Path) -> None:
    (tmp_path / "v1" / "patch0").mkdir(parents=True)
    (tmp_path / "v1" / "patch0" / "a.jpg").write_bytes(encoded(photograph(), "JPEG"))
    document = small_coco()
    document["images"] = [{"id": 1, "file_name": "v1/patch0/a.jpg", "width": 400, "height": 300}]
    box = annotation(1, 1, 1, bbox=[-20.2, 10.4, 120.0, 200.0], area=24000)
    del box["segmentation"]
    document["annotations"] = [box]
    reference = entry_of(opened(document, tmp_path, written), 1).load(REFERENCES, REGIONS)
    assert reference.regions[0].region.bbox == Box(0, 10, 100, 210)
    assert reference.regions[0].region.area == 20_000


def test_shrunk_references_have_shrunk_regions_and_lossless_copies(pictures: Path, written: Write) -> None:
    document = small_coco()
    document["annotations"].append(annotation(9, 2, 2, segmentation=[], bbox=[20, 20, 200, 100], area=20000))
    coco = opened(document, pictures, written)
    for key in (1, 2):
        reference = entry_of(coco, key).load(ReferenceRules(max_side=200), REGIONS)
        full = entry_of(coco, key).load(REFERENCES, REGIONS)
        assert reference.image.shape == (150, 200, 3)
        assert reference.extension == "png"
        with Pillow.open(io.BytesIO(reference.encoded)) as copy:
            assert np.array_equal(np.asarray(copy), reference.image)
        for small, large in zip(reference.regions, full.regions, strict=True):
            assert small.region.size == (150, 200)
            assert small.region.bbox == Box(*(side // 2 for side in large.region.bbox))
            assert small.region.area == large.region.area // 4


NOT_THE_FORMAT = {
    "not JSON": ('{"images": [}', r"not JSON: .*line 1, column 13"),
    "cut off": ('{"images": [\n{"id": 1', "not JSON: .*line 2"),
    "not UTF-8": ("\udc80", "JSON"),
    "too deep": ("[" * 200_000, "JSON"),
    "a giant number": ('{"images": ' + "9" * 5000 + "}", "JSON"),
    "a list": ([], "holds a list"),
    "a string": ('"images"', "holds a string"),
    "empty": ({}, "no 'images'.*nothing"),
    "captions": ({"images": [], "annotations": []}, "no 'categories'.*'images', 'annotations'"),
    "test images": ({"images": [], "categories": []}, "no 'annotations'"),
    "wrong type": ({"images": {}, "annotations": [], "categories": []}, "'images' is a object"),
    "no instances": ({"images": [], "annotations": [], "categories": []}, "no usable instance"),
}


@pytest.mark.parametrize("name", NOT_THE_FORMAT)
def test_a_file_of_another_kind_is_an_error_that_names_it(name: str, pictures: Path, tmp_path: Path) -> None:
    content, reason = NOT_THE_FORMAT[name]
    path = tmp_path / "broken.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=reason) as caught:
        open_coco(path, pictures, REGIONS)
    assert "broken.json" in str(caught.value)


def test_missing_places_are_errors(pictures: Path, written: Write, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.json"):
        open_coco(tmp_path / "nothing.json", pictures, REGIONS)
    with pytest.raises(UserError, match=r"no folder of images at .*nowhere"):
        open_coco(written(small_coco()), tmp_path / "nowhere", REGIONS)
    for spec in ("coco:", "coco:one.json"):
        with pytest.raises(UserError, match=r"coco:FILE\.json,FOLDER"):
            open_references(spec)


NAN, INFINITE = math.nan, math.inf
BROKEN_ANNOTATIONS: dict[str, tuple[Any, str]] = {
    "not an object": (17, "annotation without image or category"),
    "no image": ({"id": 1, "category_id": 1}, "annotation without image or category"),
    "unknown image": (annotation(9, 99, 1), "annotation of an unknown image"),
    "image as a list": (annotation(9, [1], 1), "annotation of an unknown image"),
    "unknown category": (annotation(9, 3, 99), "annotation of an unknown category"),
    "category as an object": (annotation(9, 3, {}), "annotation of an unknown category"),
    "two points": (annotation(9, 3, 1, segmentation=[[1, 2, 30, 40]]), "polygon of fewer than 3 points"),
    "half a point": (
        annotation(9, 3, 1, segmentation=[[1, 2, 30, 40, 5, 6, 7]]),
        "polygon with half a point",
    ),
    "words": (annotation(9, 3, 1, segmentation=[["a"] * 6]), "polygon of something else than numbers"),
    "huge integers": (
        annotation(9, 3, 1, segmentation=[[10**400] * 6]),
        "polygon of something else than numbers",
    ),
    "NaN": (annotation(9, 3, 1, segmentation=[[1, 2, NAN, 4, 5, 6]]), "polygon with absurd coordinates"),
    "infinite": (
        annotation(9, 3, 1, segmentation=[[1, INFINITE, 3, 4, 5, 6]]),
        "polygon with absurd coordinates",
    ),
    "flat list": (annotation(9, 3, 1, segmentation=[1, 2, 3, 4, 5, 6]), "outline of an unknown kind"),
    "text": (annotation(9, 3, 1, segmentation="0,0"), "outline of an unknown kind"),
    "neither": ({"id": 9, "image_id": 3, "category_id": 1}, "neither outline nor box"),
    "negative box": (annotation(9, 3, 1, bbox=[10, 10, -5, 5]), "box without an area"),
    "flat box": (annotation(9, 3, 1, bbox=[10, 10, 5, 0]), "box without an area"),
    "absurd box": (annotation(9, 3, 1, bbox=[1e300, 10, 5, 5]), "box with absurd coordinates"),
    "undefined box": (annotation(9, 3, 1, bbox=[1, NAN, 5, 5]), "box with absurd coordinates"),
    "short box": (annotation(9, 3, 1, bbox=[1, 2, 3]), "box that is not four numbers"),
    "box of words": (annotation(9, 3, 1, bbox=["1", "2", "3", "4"]), "box that is not four numbers"),
    "outside": (annotation(9, 3, 1, bbox=[500, 10, 50, 50]), "outside the picture"),
    "runs, no size": (annotation(9, 3, 1, segmentation={"counts": "0"}), "run lengths without a size"),
    "runs, huge": (
        annotation(9, 3, 1, segmentation={"size": [99999, 99999], "counts": "0"}),
        "run lengths of an absurd size",
    ),
    "runs, too few": (
        annotation(9, 3, 1, segmentation={"size": [300, 400], "counts": [5, 5]}),
        "damaged run lengths",
    ),
    "runs, negative": (
        annotation(9, 3, 1, segmentation={"size": [300, 400], "counts": [-1, 120_001]}),
        "damaged run lengths",
    ),
    "runs, floats": (
        annotation(9, 3, 1, segmentation={"size": [300, 400], "counts": [120_000.0]}),
        "damaged run lengths",
    ),
}


@pytest.mark.parametrize("name", BROKEN_ANNOTATIONS)
def test_a_broken_annotation_is_counted_and_the_rest_stays(name: str, pictures: Path, written: Write) -> None:
    broken, reason = BROKEN_ANNOTATIONS[name]
    document = small_coco()
    document["annotations"].append(broken)
    coco = opened(document, pictures, written)
    assert coco.count == 2
    assert dict(coco.skipped) == {"image without a region that may be distorted": 1, reason: 1}


def test_a_broken_outline_still_says_what_is_in_the_picture(pictures: Path, written: Write) -> None:
    document = small_coco()
    document["annotations"].append(annotation(9, 2, 2, segmentation=[[1, 2]]))
    assert entry_of(opened(document, pictures, written), 2).objects == ("bird", "cat", "dog")


BROKEN_IMAGES: dict[str, tuple[Any, str]] = {
    "not an object": ("x", "image without a usable id"),
    "no id": ({"file_name": "a.jpg", "width": 4, "height": 3}, "image without a usable id"),
    "id as a truth value": (
        {"id": True, "file_name": "a", "width": 4, "height": 3},
        "image without a usable id",
    ),
    "no size": ({"id": 9, "file_name": "a.jpg"}, "image of an absurd size"),
    "no rows": ({"id": 9, "file_name": "a.jpg", "width": 4, "height": 0}, "image of an absurd size"),
    "a giant": ({"id": 9, "file_name": "a.jpg", "width": 100_001, "height": 1}, "image of an absurd size"),
    "same id": ({"id": 1, "file_name": "a.jpg", "width": 4, "height": 3}, "image listed twice"),
    "same file": ({"id": 9, "file_name": "000000000001.jpg", "width": 4, "height": 3}, "image listed twice"),
}
for hostile in (
    "/etc/passwd",
    "../a.jpg",
    "b/../../a.jpg",
    "..\\a.jpg",
    "C:\\a.jpg",
    "a\0.jpg",
    "",
    ".",
    "..",
    7,
):
    BROKEN_IMAGES[f"named {hostile!r}"] = (
        {"id": 9, "file_name": hostile, "width": 4, "height": 3},
        "image with a file name outside the folder",
    )


@pytest.mark.parametrize("name", BROKEN_IMAGES)
def test_a_broken_image_is_counted_and_the_rest_stays(name: str, pictures: Path, written: Write) -> None:
    broken, reason = BROKEN_IMAGES[name]
    document = small_coco()
    document["images"].append(broken)
    coco = opened(document, pictures, written)
    assert coco.count == 2
    assert dict(coco.skipped) == {"image without a region that may be distorted": 1, reason: 1}


@pytest.mark.parametrize("broken", [3, {"id": 9}, {"name": "x"}, {"id": 9, "name": ""}, {"id": 1, "name": "again"}])
def test_a_broken_category_is_counted(broken: Any, pictures: Path, written: Write) -> None:
    document = small_coco()
    document["categories"].append(broken)
    assert opened(document, pictures, written).skipped["category without a usable id or name"] == 1


def test_ids_that_are_not_numbers_stay_apart(pictures: Path, written: Write) -> None:
    document = small_coco()
    for number, key in enumerate(("1", "a/b", -1)):
        document["images"].append({"id": key, "file_name": f"{number}.jpg", "width": 400, "height": 300})
        document["annotations"].append(annotation(number, key, 1))
    ids = [entry.id for entry in opened(document, pictures, written).entries(ALL)]
    assert len(set(ids)) == 5
    assert all(set(entry) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for entry in ids)


def test_names_that_could_not_be_written_are_cleaned(pictures: Path, written: Write) -> None:
    document = small_coco()
    document["categories"][0]["name"] = "black \ud800\n  cat"
    assert "black cat" in opened(document, pictures, written).vocabulary


def turned(orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    return encoded(photograph(), "JPEG", exif=exif)


BAD_FILES = {
    "missing": (None, "No such file"),
    "empty": (b"", "not a picture"),
    "truncated": (encoded(photograph(), "JPEG")[:-900], "damaged"),
    "another size": (encoded(photograph(299, 400), "JPEG"), "has 400 x 299 pixels, but 400 x 300"),
    "other way round": (encoded(photograph(400, 300), "JPEG"), "has 300 x 400 pixels, but 400 x 300"),
    "turned": (turned(6), "EXIF orientation turns it"),
    "transparent": (encoded(Pillow.new("RGBA", (400, 300)), "PNG"), "transparent"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_by_name(name: str, written: Write, tmp_path: Path) -> None:
    data, reason = BAD_FILES[name]
    path = tmp_path / "000000000001.jpg"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(BadReference, match=reason) as caught:
        entry_of(opened(small_coco(), tmp_path, written), 1).load(REFERENCES, REGIONS)
    assert "000000000001.jpg" in str(caught.value)


def test_an_upside_down_file_is_stored_upright_and_without_loss(written: Write, tmp_path: Path) -> None:
    (tmp_path / "000000000001.jpg").write_bytes(turned(3))
    reference = entry_of(opened(small_coco(), tmp_path, written), 1).load(REFERENCES, REGIONS)
    with Pillow.open(io.BytesIO(turned(3))) as stored, Pillow.open(io.BytesIO(reference.encoded)) as copy:
        assert np.array_equal(np.asarray(stored)[::-1, ::-1], reference.image)
        assert np.array_equal(np.asarray(copy), reference.image)


# Outlines

SIZE = (30, 40)


def drawn(shape: Shape | str, stored: tuple[int, int] = SIZE) -> Region | str:
    assert not isinstance(shape, str)
    return draw_shape(shape, SIZE, stored)


@given(st.lists(st.tuples(st.floats(-100, 140), st.floats(-100, 130)), min_size=3, max_size=9))
def test_polygons_reaching_out_of_the_picture_are_clipped_to_it(points: list[tuple[float, float]]) -> None:
    flat = [value for point in points for value in point]
    region = drawn(read_shape({"segmentation": [flat]}, None))
    # The same outline, moved into a frame large enough to hold it all.
    moved = [value + 100 for value in flat]
    whole = coco_mask.decode(coco_mask.frPyObjects([moved], 300, 300))[100:130, 100:140, 0]
    if isinstance(region, str):
        assert region in ("outside the picture", "outline of an absurd length")
        assert not whole.any()
    else:
        found = coco_mask.decode(region.rle)
        # Rounding differs by one pixel along edges that were moved.
        assert abs(int(found.sum()) - int(whole.sum())) <= 4 * sum(SIZE)
        assert region.size == SIZE


def test_polygons_are_drawn_as_the_reference_code_draws_them() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        parts = [rng.uniform(0, 30, 12).round(2).tolist() for _ in range(2)]
        expected = coco_mask.merge(coco_mask.frPyObjects(parts, *SIZE))
        assert drawn(read_shape({"segmentation": parts}, None)) == Region.from_rle(expected)


@pytest.mark.parametrize(
    ("outline", "reason"),
    [
        ([square(50, 5, 9)], "outside the picture"),
        ([square(-9, -9, 9)], "outside the picture"),
        ([[0, 0, 1e12, 0, 1e12, 1e12]], "outline of an absurd length"),
        ([[-1.7e308, 0, 1.7e308, 0, 1.7e308, 9]], "outline of an absurd length"),
        ([[0, 0, 39, 29] * 5000], "outline of an absurd length"),
        ({"size": [40, 30], "counts": [1200]}, "run lengths of another size than the picture"),
        ({"size": [30, 40], "counts": "\x00"}, "damaged run lengths"),
        ({"size": [30, 40], "counts": ""}, "damaged run lengths"),
        ({"size": [30, 40], "counts": "o" * 50}, "damaged run lengths"),
        ({"size": [30, 40], "counts": "oooooooooooo0"}, "damaged run lengths"),
    ],
)
def test_what_cannot_be_drawn_has_a_reason(outline: Any, reason: str) -> None:
    shape = read_shape({"segmentation": outline}, None)
    assert (shape if isinstance(shape, str) else draw_shape(shape, SIZE, SIZE)) == reason


def test_a_degenerate_polygon_is_empty() -> None:
    region = drawn(read_shape({"segmentation": [[5, 5, 5, 5, 5, 5]]}, None))
    assert isinstance(region, Region)
    assert find_rule_violation(region, REGIONS) == "empty"


masks = st.builds(
    lambda seed, share: (np.random.default_rng(seed).random(SIZE) < share).astype(np.uint8),
    st.integers(0, 1000),
    st.sampled_from([0.0, 0.02, 0.5, 1.0]),
)


@given(masks)
def test_runs_are_read_as_they_were_written(mask: np.ndarray) -> None:
    region = Region.from_mask(mask)
    runs = decode_runs(region.counts, mask.size)
    assert runs is not None
    values = np.repeat(np.arange(runs.size) % 2, runs)
    assert np.array_equal(values, mask.ravel(order="F"))
    as_text, as_list = ({"size": list(SIZE), "counts": c} for c in (region.counts.decode(), runs.tolist()))
    assert drawn(read_shape({"segmentation": as_text}, None)) == region
    assert drawn(read_shape({"segmentation": as_list}, None)) == region


@settings(max_examples=500)
@given(masks, st.data())
def test_damaged_runs_are_refused_or_drawn_inside(mask: np.ndarray, data: st.DataObject) -> None:
    counts = bytearray(Region.from_mask(mask).counts)
    for _ in range(data.draw(st.integers(1, 4))):
        counts[data.draw(st.integers(0, len(counts) - 1))] = data.draw(st.integers(48, 111))
    region = draw_shape(Runs(SIZE, bytes(counts)), SIZE, SIZE)
    if isinstance(region, Region) and region.area:
        box = region.bbox
        assert 0 <= box.x1 < box.x2 <= 40
        assert 0 <= box.y1 < box.y2 <= 30
        assert region.mask.sum() == region.area


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_any_text_is_refused_or_drawn(text: str) -> None:
    shape = read_shape({"segmentation": {"size": list(SIZE), "counts": text}}, None)
    assert isinstance(drawn(shape), Region | str)


def test_runs_of_no_length_do_not_mislead_the_box() -> None:
    counts = [0, 0, 100, 0, 0, 50, 1050]
    region = drawn(read_shape({"segmentation": {"size": list(SIZE), "counts": counts}}, None))
    assert isinstance(region, Region)
    assert region == Region.from_mask(coco_mask.decode(region.rle))
    assert (region.area, region.bbox) == (50, Box(3, 0, 5, 30))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from(["size", "counts"]), inner),
    max_leaves=12,
)


@settings(max_examples=300)
@given(json_values, json_values)
def test_any_outline_and_any_box_are_refused_or_drawn(outline: Any, box: Any) -> None:
    rectangle = read_rectangle(box)
    shape = read_shape({"segmentation": outline}, None if isinstance(rectangle, str) else rectangle)
    assert isinstance(shape if isinstance(shape, str) else draw_shape(shape, SIZE, SIZE), Region | str)


ROWS: dict[str, Any] = {"images": json_values, "annotations": json_values, "categories": json_values}


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_row_is_skipped_or_used(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A row of a sound file, with some of its values replaced by anything."""
    document = small_coco()
    for key in ROWS:
        row = data.draw(st.sampled_from(document[key]))
        for name in data.draw(st.lists(st.sampled_from(sorted(row)), max_size=3)):
            row[name] = data.draw(json_values)
        document[key].append(data.draw(json_values))
    folder = tmp_path_factory.mktemp("rows")
    path = folder / "rows.json"
    path.write_text(json.dumps(document))
    # Nothing may be left (the only size, the only category); any other exception fails.
    with suppress(UserError):
        coco = open_coco(path, folder, REGIONS)
        assert coco.count
        assert coco.fingerprint


# Rules


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (Box(10, 10, 110, 110), None),
        (Box(10, 10, 40, 40), "too small"),
        (Box(0, 0, 400, 160), "too large"),
        (Box(10, 10, 300, 40), "too thin"),
        (Box(10, 10, 10, 10), "empty"),
    ],
)
def test_rules_agree_for_regions_and_for_numbers(box: Box, reason: str | None) -> None:
    region = Region.from_box(box, (300, 400))
    assert find_rule_violation(region, REGIONS) == reason
    assert find_box_violation(box.width * box.height, (box.width, box.height), (300, 400), REGIONS) == reason


def test_a_frame_around_the_picture_covers_it() -> None:
    mask = np.ones((300, 400), np.uint8)
    mask[30:-30, 30:-30] = 0
    assert find_rule_violation(Region.from_mask(mask), REGIONS) == "covers the frame"
    assert Rectangle(-5, -5, 10, 10).clip((300, 400)) == (0, 0, 5, 5)
