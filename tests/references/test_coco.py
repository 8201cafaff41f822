"""References from COCO, LVIS and Objects365 files."""

import io
import pickle
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from coco_samples import ALL, REFERENCES, REGIONS, Write, find_entry, open_document
from PIL import Image as Pillow
from reference_samples import annotation, encoded, photograph, small_coco

from distortlab.core.errors import BadReference
from distortlab.core.region import Box
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references import open_references
from distortlab.references.base import Reference

# pycocotools 2.0.11 has not followed NumPy 2 in how an array is copied.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_a_sound_file(pictures: Path, written: Write) -> None:
    coco = open_references(f"coco:{written(small_coco())},{pictures}")
    assert coco.count == 2
    assert dict(coco.vocabulary) == {"cat": 1.0, "dog": 0.5}
    assert dict(coco.skipped) == {"image without a region that may be distorted": 1}
    entry = find_entry(coco, 1)
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
    entry = find_entry(open_document(small_coco(), pictures, written), 2)
    assert entry.load(REFERENCES, REGIONS).skipped == {"crowd": 1}
    both = entry.load(REFERENCES, RegionRules(crowd=True)).regions
    assert [named.object for named in both] == ["cat", "bird"]
    assert both[0].region == both[1].region
    assert both[0].region.bbox == Box(100, 60, 220, 160)


def list_fields_without_image(reference: Reference) -> dict[str, object]:
    """Arrays have no truth value, so that references cannot be compared as a whole."""
    return {field.name: getattr(reference, field.name) for field in fields(reference) if field.name != "image"}


def test_entries_travel_and_load_the_same(pictures: Path, written: Write) -> None:
    for entry in open_document(small_coco(), pictures, written).entries(ALL):
        first, second = (e.load(REFERENCES, REGIONS) for e in (entry, pickle.loads(pickle.dumps(entry))))
        assert np.array_equal(first.image, second.image)
        assert list_fields_without_image(first) == list_fields_without_image(second)


def test_order_and_fingerprint_do_not_depend_on_the_order_of_the_file(pictures: Path, written: Write) -> None:
    document = small_coco()
    first = open_document(document, pictures, written)
    document["images"].reverse()
    document["categories"].reverse()
    second = open_document(document, pictures, written)
    assert [e.id for e in first.entries(ALL)] == [e.id for e in second.entries(ALL)]
    assert first.fingerprint == second.fingerprint
    assert [e.id for e in first.entries(1)] == [e.id for e in first.entries(ALL)][:1]
    document["annotations"][0]["segmentation"][0][0] += 1
    assert open_document(document, pictures, written).fingerprint != first.fingerprint


def test_the_fingerprint_of_a_document_never_changes(pictures: Path, written: Write) -> None:
    """Plans hold it: with another, no data set that was begun could be continued. Polygons, runs, a rectangle."""
    document = small_coco()
    document["images"].append({"id": 4, "file_name": f"{4:012d}.jpg", "width": 400, "height": 300, "license": 1})
    document["annotations"].append({**annotation(6, 4, 2), "segmentation": []})
    fingerprint = open_document(document, pictures, written).fingerprint
    assert fingerprint == "650f5f66a4190b469891b10265423ef5269365b2699a6ed2c332fdec7fca6bae"


def test_fingerprint_does_not_depend_on_where_the_images_lie(pictures: Path, written: Write, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    fingerprints = {open_document(small_coco(), folder, written).fingerprint for folder in (pictures, other)}
    assert len(fingerprints) == 1


def test_lvis_names_its_images_by_address(pictures: Path, written: Write, tmp_path: Path) -> None:
    document = small_coco()
    for image in document["images"]:
        name = image.pop("file_name")
        image |= {"coco_url": f"http://images.cocodataset.org/train2017/{name}", "neg_category_ids": [3]}
    assert find_entry(open_document(document, pictures, written), 1).path.parent == pictures
    split = tmp_path / "train2017"
    split.mkdir()
    assert find_entry(open_document(document, tmp_path, written), 1).path == split / "000000000001.jpg"


def test_objects365_has_folders_and_boxes_only(written: Write, tmp_path: Path) -> None:
    (tmp_path / "v1" / "patch0").mkdir(parents=True)
    (tmp_path / "v1" / "patch0" / "a.jpg").write_bytes(encoded(photograph(), "JPEG"))
    document = small_coco()
    document["images"] = [{"id": 1, "file_name": "v1/patch0/a.jpg", "width": 400, "height": 300}]
    box = annotation(1, 1, 1, bbox=[-20.2, 10.4, 120.0, 200.0], area=24000)
    del box["segmentation"]
    document["annotations"] = [box]
    reference = find_entry(open_document(document, tmp_path, written), 1).load(REFERENCES, REGIONS)
    assert reference.regions[0].region.bbox == Box(0, 10, 100, 210)
    assert reference.regions[0].region.area == 20_000


def test_shrunk_references_have_shrunk_regions_and_lossless_copies(pictures: Path, written: Write) -> None:
    document = small_coco()
    document["annotations"].append(annotation(9, 2, 2, segmentation=[], bbox=[20, 20, 200, 100], area=20000))
    coco = open_document(document, pictures, written)
    for key in (1, 2):
        reference = find_entry(coco, key).load(ReferenceRules(max_side=200), REGIONS)
        full = find_entry(coco, key).load(REFERENCES, REGIONS)
        assert reference.image.shape == (150, 200, 3)
        assert reference.extension == "png"
        with Pillow.open(io.BytesIO(reference.encoded)) as copy:
            assert np.array_equal(np.asarray(copy), reference.image)
        for small, large in zip(reference.regions, full.regions, strict=True):
            assert small.region.size == (150, 200)
            assert small.region.bbox == Box(*(side // 2 for side in large.region.bbox))
            assert small.region.area == large.region.area // 4


def make_turned_jpeg(orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    return encoded(photograph(), "JPEG", exif=exif)


BAD_FILES = {
    "missing": (None, "No such file"),
    "empty": (b"", "not a picture"),
    "truncated": (encoded(photograph(), "JPEG")[:-900], "damaged"),
    "another size": (encoded(photograph(299, 400), "JPEG"), "has 400 x 299 pixels, but 400 x 300"),
    "other way round": (encoded(photograph(400, 300), "JPEG"), "has 300 x 400 pixels, but 400 x 300"),
    "turned": (make_turned_jpeg(6), "EXIF orientation turns it"),
    "transparent": (encoded(Pillow.new("RGBA", (400, 300)), "PNG"), "transparent"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_by_name(name: str, written: Write, tmp_path: Path) -> None:
    data, reason = BAD_FILES[name]
    path = tmp_path / "000000000001.jpg"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(BadReference, match=reason) as caught:
        find_entry(open_document(small_coco(), tmp_path, written), 1).load(REFERENCES, REGIONS)
    assert "000000000001.jpg" in str(caught.value)


def test_an_upside_down_file_is_stored_upright_and_without_loss(written: Write, tmp_path: Path) -> None:
    (tmp_path / "000000000001.jpg").write_bytes(make_turned_jpeg(3))
    reference = find_entry(open_document(small_coco(), tmp_path, written), 1).load(REFERENCES, REGIONS)
    with Pillow.open(io.BytesIO(make_turned_jpeg(3))) as stored, Pillow.open(io.BytesIO(reference.encoded)) as copy:
        assert np.array_equal(np.asarray(stored)[::-1, ::-1], reference.image)
        assert np.array_equal(np.asarray(copy), reference.image)
