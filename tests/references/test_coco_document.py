"""Annotation files that are broken, or of another format."""

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from coco_samples import ALL, REGIONS, Write, find_entry, json_values, open_document
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_samples import annotation, small_coco

from distortlab.core.errors import UserError
from distortlab.references import open_references
from distortlab.references.coco import open_coco

# pycocotools 2.0.11 has not followed NumPy 2 in how an array is copied.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


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
    coco = open_document(document, pictures, written)
    assert coco.count == 2
    assert dict(coco.skipped) == {"image without a region that may be distorted": 1, reason: 1}


def test_a_broken_outline_still_says_what_is_in_the_picture(pictures: Path, written: Write) -> None:
    document = small_coco()
    document["annotations"].append(annotation(9, 2, 2, segmentation=[[1, 2]]))
    assert find_entry(open_document(document, pictures, written), 2).objects == ("bird", "cat", "dog")


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
    coco = open_document(document, pictures, written)
    assert coco.count == 2
    assert dict(coco.skipped) == {"image without a region that may be distorted": 1, reason: 1}


@pytest.mark.parametrize("broken", [3, {"id": 9}, {"name": "x"}, {"id": 9, "name": ""}, {"id": 1, "name": "again"}])
def test_a_broken_category_is_counted(broken: Any, pictures: Path, written: Write) -> None:
    document = small_coco()
    document["categories"].append(broken)
    assert open_document(document, pictures, written).skipped["category without a usable id or name"] == 1


def test_ids_that_are_not_numbers_stay_apart(pictures: Path, written: Write) -> None:
    document = small_coco()
    for number, key in enumerate(("1", "a/b", -1)):
        document["images"].append({"id": key, "file_name": f"{number}.jpg", "width": 400, "height": 300})
        document["annotations"].append(annotation(number, key, 1))
    ids = [entry.id for entry in open_document(document, pictures, written).entries(ALL)]
    assert len(set(ids)) == 5
    assert all(set(entry) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for entry in ids)


def test_names_that_could_not_be_written_are_cleaned(pictures: Path, written: Write) -> None:
    document = small_coco()
    document["categories"][0]["name"] = "black \ud800\n  cat"
    assert "black cat" in open_document(document, pictures, written).vocabulary


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
