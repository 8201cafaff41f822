"""References from the Hub: whatever a table holds, entries, and a data set made of them."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from dataset_samples import PLACES, command, rows_of
from datasets import Dataset
from hub_samples import (
    DETECTION,
    MASKS,
    NAMES,
    OF_STRUCTS,
    PLAIN,
    REPO,
    RULES,
    boxes,
    detection,
    load_all,
    open_photos,
    photo,
    publish,
    put,
)
from reference_samples import encoded
from stand_in_hub import StandInHub

from distortlab.core.errors import BadRecipe, BadReference
from distortlab.recipe import LicenseRules
from distortlab.references import open_references
from distortlab.references.hub.source import HubImages
from distortlab.storage.atomic import read_json
from distortlab.verification.verify import verify


def found_boxes(source: HubImages) -> set[tuple[str | None, tuple[int, ...]]]:
    (reference, *_) = load_all(source)
    return {(place.object, tuple(place.region.bbox)) for place in reference.regions}


EXPECTED = {(name, (x, y, x + side, y + side)) for name, (x, y, side) in zip(NAMES, PLACES, strict=True)}


def test_boxes_with_class_labels(hub: StandInHub) -> None:
    publish(hub)
    source = open_photos()
    assert source.count == 8
    assert source.vocabulary == dict.fromkeys(NAMES, 1.0)
    assert source.alone == {}
    assert found_boxes(source) == EXPECTED


def test_a_list_of_structs_with_names(hub: StandInHub) -> None:
    objects = [{"bbox": box, "label": name} for box, name in zip(boxes(), NAMES, strict=True)]
    put(hub, [{"image": photo(0), "objects": objects}], OF_STRUCTS)
    assert found_boxes(open_photos()) == EXPECTED


@pytest.mark.parametrize("form", ["xyxy", "cxcywhn"])
def test_boxes_of_another_form_are_declared(hub: StandInHub, form: str) -> None:
    put(hub, detection(1, form), DETECTION)
    assert found_boxes(open_photos(f"{REPO}?bbox={form}")) == EXPECTED


def test_masks_that_are_pictures(hub: StandInHub) -> None:
    x, y, side = PLACES[0]
    mask = np.zeros((264, 330), np.uint8)
    mask[y : y + side, x : x + side] = 255
    masks = [{"mask": {"bytes": encoded(mask, "PNG"), "path": None}, "category": "cat"}]
    put(hub, [{"image": photo(0), "objects": masks}], MASKS)
    assert found_boxes(open_photos()) == {("cat", (x, y, x + side, y + side))}


def test_without_objects_regions_are_segmented(hub: StandInHub) -> None:
    publish(hub, features=PLAIN)
    source = open_photos()
    assert (source.vocabulary, source.count) == ({}, 8)
    references = load_all(source)
    assert all(place.object is None for reference in references for place in reference.regions)
    assert any(reference.regions for reference in references)


def test_what_datasets_writes(hub: StandInHub, tmp_path: Path) -> None:
    Dataset.from_list(detection(4), features=DETECTION).to_parquet(tmp_path / "of.parquet")
    hub.put(REPO, {"train/0000.parquet": (tmp_path / "of.parquet").read_bytes()})
    assert open_photos().count == 4


def test_pixels_ids_license_and_source(hub: StandInHub) -> None:
    publish(hub, **{"README.md": b"---\nlicense: cc-by-4.0\n---\n"})
    source = open_photos()
    references = load_all(source)
    assert len({reference.id for reference in references}) == 8
    assert {reference.license for reference in references} == {"cc-by-4.0"}
    assert "licence, as its card states it: cc-by-4.0" in source.license
    assert open_references(f"hf:{REPO}:train", licenses=LicenseRules(allow=("by",))).count == source.count
    with pytest.raises(BadRecipe, match=r"leaves none of the references: they have 'cc-by-4\.0'"):
        open_references(f"hf:{REPO}:train", licenses=LicenseRules(deny=("CC-BY",)))
    commit = hub.dataset(REPO).branches["main"]
    assert all(r.source.startswith(f"hf://datasets/{REPO}@{commit}/data/train") for r in references)
    numbers = sorted(int(reference.source.rpartition("#")[2]) for reference in references)
    assert numbers == list(range(8))
    for reference in references:
        expected = photo(int(reference.source.rpartition("#")[2]))["bytes"]
        assert reference.encoded == expected


HOSTILE = {
    "no picture": ({"bytes": b"<svg/>", "path": "x.jpg"}, "not a picture"),
    "cut off": ({"bytes": photo(0)["bytes"][:900], "path": None}, "damaged"),
    "elsewhere": ({"bytes": None, "path": "/etc/passwd"}, "does not hold the bytes"),
    "nothing": (None, "does not hold the bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_images_are_set_aside(hub: StandInHub, name: str) -> None:
    value, words = HOSTILE[name]
    put(hub, [{"image": value, "caption": ""}], PLAIN)
    (entry,) = open_photos().entries(9)
    with pytest.raises(BadReference, match=words):
        entry.load(*RULES)


def test_objects_that_do_not_belong_together(hub: StandInHub) -> None:
    objects = {"bbox": boxes(), "category": [0]}
    put(hub, [{"image_id": 1, "image": photo(0), "objects": objects}], DETECTION)
    (entry,) = open_photos().entries(9)
    with pytest.raises(BadReference, match="do not belong together: 3 bbox, 1 category"):
        entry.load(*RULES)


def test_absurd_boxes_are_left_out_and_counted(hub: StandInHub) -> None:
    rows = detection(1)
    bad = [[float("nan")] * 4, [0, 0, -5, 5], [1e9, 0, 1, 1], [900, 900, 50, 50]]
    rows[0]["objects"] = {"bbox": [*boxes(), *bad], "category": [0, 1, 2, 0, 0, 0, 0]}
    put(hub, rows, DETECTION)
    (reference,) = load_all(open_photos())
    assert len(reference.regions) == 3
    assert reference.skipped == {"box with absurd coordinates": 2, "box without an area": 1, "outside the picture": 1}


def test_rows_without_objects_are_passed_over(hub: StandInHub) -> None:
    rows = detection(5)
    rows[2]["objects"] = {"bbox": [], "category": []}
    put(hub, rows, DETECTION)
    source = open_photos()
    assert (source.count, source.skipped) == (4, {"image without objects": 1})


def test_names_that_are_alone_are_known(hub: StandInHub) -> None:
    rows = detection(4)
    rows[1]["objects"] = {"bbox": boxes()[:2], "category": [2, 2]}
    put(hub, rows, DETECTION)
    source = open_photos()
    assert source.alone == {"bird": 0.25}
    assert source.vocabulary == {"bird": 1.0, "cat": 0.75, "dog": 0.75}


def test_entries_are_small_and_travel(hub: StandInHub) -> None:
    publish(hub)
    entries = open_photos().entries(8)
    assert len(pickle.dumps(list(entries))) < 4000
    for entry in entries[::-1]:  # against the order: still the right rows
        again = pickle.loads(pickle.dumps(entry)).load(*RULES)
        assert again.encoded == photo(int(again.source.rpartition("#")[2]))["bytes"]


@pytest.mark.slow
def test_a_data_set_is_built_from_it_by_two_processes(
    hub: StandInHub, tmp_path: Path, client_environment: dict[str, str]
) -> None:
    """On the command line: workers take the environment of the process that starts them."""
    publish(hub, rows=12)
    own = tmp_path / "own.toml"
    own.write_text("n = 12\nimages_per_reference = 2\nimages_per_shard = 4\n[splits]\ntrain = 3\nvalidation = 1\n")
    for workers in (1, 2):
        words = ("generate", "--recipe", own, "--refs", f"hf:{REPO}", "--out", tmp_path / str(workers))
        done = command(*words, "--workers", workers, environment=client_environment, timeout=120)
        assert done.code == 0, done.err
    assert rows_of(tmp_path / "1", "rft") == rows_of(tmp_path / "2", "rft")
    assert verify(tmp_path / "2").problems == []
    assert "object" in {row["task"] for row in rows_of(tmp_path / "2", "rft")}
    assert REPO in read_json(tmp_path / "2" / "_distortlab" / "plan.json")["references"]["source"]
