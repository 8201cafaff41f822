"""References from the Hub: found, streamed, the same in every process, whatever a stranger's table holds."""

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_samples import PLACES, command, picture, rows_of
from datasets import ClassLabel, Dataset, Features, Image, List, Value
from reference_samples import encoded
from stand_in_hub import StandInHub

from distortlab.core.errors import BadRecipe, BadReference, BuildFailed, UserError
from distortlab.recipe import LicenseRules, ReferenceRules, RegionRules
from distortlab.references import open_references
from distortlab.references.hub import tables
from distortlab.references.hub.source import HubImages, open_hub
from distortlab.storage.atomic import read_json
from distortlab.storage.hub_client import Patience
from distortlab.verification.verify import verify

REPO = "user/photos"
NAMES = ("cat", "dog", "bird")
HASTY = Patience(tries=3, first_s=0.01, longest_s=2)
RULES = ReferenceRules(), RegionRules()
PLAIN = Features({"image": Image(), "caption": Value("string")})
DETECTION = Features(
    {
        "image_id": Value("int64"),
        "image": Image(),
        "objects": {"bbox": List(List(Value("float32"), 4)), "category": List(ClassLabel(names=list(NAMES)))},
    }
)
OF_STRUCTS = Features({"image": Image(), "objects": List({"bbox": List(Value("float32")), "label": Value("string")})})
MASKS = Features({"image": Image(), "objects": List({"mask": Image(), "category": Value("string")})})


def photo(number: int) -> dict[str, Any]:
    return {"bytes": encoded(picture(number), "JPEG", quality=92), "path": f"{number}.jpg"}


def boxes(form: str = "xywh") -> list[list[float]]:
    forms = {"xywh": lambda x, y, s: [x, y, s, s], "xyxy": lambda x, y, s: [x, y, x + s, y + s]}
    forms["cxcywhn"] = lambda x, y, s: [(x + s / 2) / 330, (y + s / 2) / 264, s / 330, s / 264]
    return [forms[form](*place) for place in PLACES]


def detection(rows: int, form: str = "xywh") -> list[dict[str, Any]]:
    objects = {"bbox": boxes(form), "category": [0, 1, 2]}
    return [{"image_id": n, "image": photo(n), "objects": objects} for n in range(rows)]


def parquet(rows: list[dict[str, Any]], features: Features, group: int = 3) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pylist(rows, schema=features.arrow_schema)
    pq.write_table(table, out, row_group_size=group)
    return out.getvalue()


def publish(hub: StandInHub, rows: int = 8, features: Features = DETECTION, **files: Any) -> str:
    data = parquet(detection(rows) if features is DETECTION else plain(rows), features)
    return hub.put(REPO, {"data/train-00000-of-00001.parquet": data, **files})


def plain(rows: int) -> list[dict[str, Any]]:
    return [{"image": photo(n), "caption": "a cup"} for n in range(rows)]


def put(hub: StandInHub, rows: list[dict[str, Any]], features: Features) -> None:
    hub.put(REPO, {"train.parquet": parquet(rows, features)})


def opened(spec: str = REPO) -> HubImages:
    return open_hub(spec, HASTY)


def load_all(source: HubImages) -> list[Any]:
    return [entry.load(*RULES) for entry in source.entries(100)]


# --- layouts --------------------------------------------------------------------------------------------------------


def found_boxes(source: HubImages) -> set[tuple[str | None, tuple[int, ...]]]:
    (reference, *_) = load_all(source)
    return {(place.object, tuple(place.region.bbox)) for place in reference.regions}


EXPECTED = {(name, (x, y, x + side, y + side)) for name, (x, y, side) in zip(NAMES, PLACES, strict=True)}


def test_boxes_with_class_labels(hub: StandInHub) -> None:
    publish(hub)
    source = opened()
    assert source.count == 8
    assert source.vocabulary == dict.fromkeys(NAMES, 1.0)
    assert source.alone == {}
    assert found_boxes(source) == EXPECTED


def test_a_list_of_structs_with_names(hub: StandInHub) -> None:
    objects = [{"bbox": box, "label": name} for box, name in zip(boxes(), NAMES, strict=True)]
    put(hub, [{"image": photo(0), "objects": objects}], OF_STRUCTS)
    assert found_boxes(opened()) == EXPECTED


@pytest.mark.parametrize("form", ["xyxy", "cxcywhn"])
def test_boxes_of_another_form_are_declared(hub: StandInHub, form: str) -> None:
    put(hub, detection(1, form), DETECTION)
    assert found_boxes(opened(f"{REPO}?bbox={form}")) == EXPECTED


def test_masks_that_are_pictures(hub: StandInHub) -> None:
    x, y, side = PLACES[0]
    mask = np.zeros((264, 330), np.uint8)
    mask[y : y + side, x : x + side] = 255
    masks = [{"mask": {"bytes": encoded(mask, "PNG"), "path": None}, "category": "cat"}]
    put(hub, [{"image": photo(0), "objects": masks}], MASKS)
    assert found_boxes(opened()) == {("cat", (x, y, x + side, y + side))}


def test_without_objects_regions_are_segmented(hub: StandInHub) -> None:
    publish(hub, features=PLAIN)
    source = opened()
    assert (source.vocabulary, source.count) == ({}, 8)
    references = load_all(source)
    assert all(place.object is None for reference in references for place in reference.regions)
    assert any(reference.regions for reference in references)


def test_what_datasets_writes(hub: StandInHub, tmp_path: Path) -> None:
    Dataset.from_list(detection(4), features=DETECTION).to_parquet(tmp_path / "of.parquet")
    hub.put(REPO, {"train/0000.parquet": (tmp_path / "of.parquet").read_bytes()})
    assert opened().count == 4


def test_pixels_ids_license_and_source(hub: StandInHub) -> None:
    publish(hub, **{"README.md": b"---\nlicense: cc-by-4.0\n---\n"})
    source = opened()
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


# --- which files ----------------------------------------------------------------------------------------------------


def test_splits_and_configs_by_name(hub: StandInHub) -> None:
    data = parquet(plain(2), PLAIN)
    names = ("a/train-00000-of-00001.parquet", "a/test-00000-of-00001.parquet", "b/validation.parquet")
    hub.put(REPO, dict.fromkeys(names, data))
    assert opened(f"{REPO}:a/test").table.files.paths == (names[1],)
    assert opened(f"{REPO}:b/validation").table.files.paths == (names[2],)
    with pytest.raises(UserError, match=r"has several configs \(a, b\): name one"):
        opened()
    with pytest.raises(UserError, match="has no split 'tset'; it has test, train"):
        opened(f"{REPO}:a/tset")
    with pytest.raises(UserError, match="has no config 'c'; it has a, b"):
        opened(f"{REPO}:c/train")


def test_the_card_says_which_files(hub: StandInHub) -> None:
    configs = [
        {"config_name": "other", "data_files": "o/*.parquet"},
        {"config_name": "main", "default": True, "data_files": [{"split": "fold1", "path": ["x/*.parquet"]}]},
    ]
    card = f"---\n{json.dumps({'configs': configs})}\n---\n".encode()
    data = parquet(plain(2), PLAIN)
    hub.put(REPO, {"README.md": card, "o/1.parquet": data, "x/1.parquet": data, "x/2.parquet": data})
    files = opened().table.files
    assert (files.config, files.split, files.paths) == ("main", "fold1", ("x/1.parquet", "x/2.parquet"))


def test_our_own_data_sets_are_read(hub: StandInHub, data: Path) -> None:
    from distortlab.sharing.push import push

    push(data, REPO)
    source = opened(f"{REPO}:images/train?image=reference&objects=regions")
    assert source.count == len([row for row in rows_of(data, "images") if row["image_id"].startswith("train")])


def test_the_form_that_the_hub_makes_of_other_formats(hub: StandInHub) -> None:
    hub.put(REPO, {"photos.zip": b"PK"})
    branch = "refs/convert/parquet"
    hub.dataset(REPO).branches[branch] = hub.dataset(REPO).branches["main"]
    hub.put(REPO, {"default/train/0000.parquet": parquet(plain(3), PLAIN)}, branch=branch)
    source = opened()
    assert (source.count, source.table.files.commit) == (3, hub.dataset(REPO).branches[branch])


def test_a_revision_is_pinned(hub: StandInHub) -> None:
    first = publish(hub, rows=4)
    old, again = opened(), opened(f"{REPO}@{first}")
    publish(hub, rows=6)
    assert (opened().count, opened(f"{REPO}@{first}").count) == (6, 4)
    assert old.fingerprint == again.fingerprint != opened().fingerprint
    assert [entry.id for entry in old.entries(9)] == [entry.id for entry in again.entries(9)]
    assert load_all(old)[0].encoded == load_all(again)[0].encoded
    with pytest.raises(UserError, match="no such revision"):
        opened(f"{REPO}@nowhere")


# --- what is refused ------------------------------------------------------------------------------------------------

SPECS = {
    "no name": ("photos", "written user/name"),
    "nothing": ("", "cannot be read"),
    "an unknown option": (f"{REPO}?box=xyxy", "no option of hf: called 'box'; did you mean 'bbox'"),
    "an unknown form": (f"{REPO}?bbox=xxyy", "no form of boxes called 'xxyy'"),
    "no such column": (f"{REPO}?image=photo", "no column of images called 'photo'; it has image"),
    "no objects there": (f"{REPO}?objects=image_id", "neither boxes nor masks; it has nothing"),
    "no such data set": ("user/nothing", "there is no data set user/nothing"),
}


@pytest.mark.parametrize("name", SPECS)
def test_what_cannot_be_opened(hub: StandInHub, name: str) -> None:
    publish(hub)
    spec, words = SPECS[name]
    with pytest.raises(UserError, match=words):
        open_references(f"hf:{spec}")


def test_no_images(hub: StandInHub) -> None:
    put(hub, [{"text": "a", "n": 1}], Features({"text": Value("string"), "n": Value("int64")}))
    with pytest.raises(UserError, match="no column of images; its columns are text, n"):
        opened()


def test_no_tables(hub: StandInHub) -> None:
    hub.put(REPO, {"photos.zip": b"PK"})
    with pytest.raises(UserError, match="has no Parquet files at main"):
        opened()


def test_a_table_that_is_none(hub: StandInHub) -> None:
    hub.put(REPO, {"train.parquet": b"PAR1 nothing of the kind PAR1"})
    with pytest.raises(UserError, match=f"{REPO}: "):
        opened()


def test_private_and_gated(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hub)
    hub.dataset(REPO).private = True
    assert opened().count == 8
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(UserError, match="it is private: run `hf auth login`"):
        opened()
    hub.dataset(REPO).private, hub.dataset(REPO).gated = False, "manual"
    with pytest.raises(UserError, match="is gated: ask for access at"):
        opened()


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
    (entry,) = opened().entries(9)
    with pytest.raises(BadReference, match=words):
        entry.load(*RULES)


def test_objects_that_do_not_belong_together(hub: StandInHub) -> None:
    objects = {"bbox": boxes(), "category": [0]}
    put(hub, [{"image_id": 1, "image": photo(0), "objects": objects}], DETECTION)
    (entry,) = opened().entries(9)
    with pytest.raises(BadReference, match="do not belong together: 3 bbox, 1 category"):
        entry.load(*RULES)


def test_absurd_boxes_are_left_out_and_counted(hub: StandInHub) -> None:
    rows = detection(1)
    bad = [[float("nan")] * 4, [0, 0, -5, 5], [1e9, 0, 1, 1], [900, 900, 50, 50]]
    rows[0]["objects"] = {"bbox": [*boxes(), *bad], "category": [0, 1, 2, 0, 0, 0, 0]}
    put(hub, rows, DETECTION)
    (reference,) = load_all(opened())
    assert len(reference.regions) == 3
    assert reference.skipped == {"box with absurd coordinates": 2, "box without an area": 1, "outside the picture": 1}


def test_rows_without_objects_are_passed_over(hub: StandInHub) -> None:
    rows = detection(5)
    rows[2]["objects"] = {"bbox": [], "category": []}
    put(hub, rows, DETECTION)
    source = opened()
    assert (source.count, source.skipped) == (4, {"image without objects": 1})


def test_names_that_are_alone_are_known(hub: StandInHub) -> None:
    rows = detection(4)
    rows[1]["objects"] = {"bbox": boxes()[:2], "category": [2, 2]}
    put(hub, rows, DETECTION)
    source = opened()
    assert source.alone == {"bird": 0.25}
    assert source.vocabulary == {"bird": 1.0, "cat": 0.75, "dog": 0.75}


# --- the network ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [503, 0])
def test_a_fault_in_the_middle_is_waited_out(hub: StandInHub, status: int) -> None:
    publish(hub)
    source = opened()
    expected = [reference.encoded for reference in load_all(source)]
    hub.requests.clear()
    tables._cursors.clear()
    hub.fail("GET", "resolve", times=2, status=status)
    assert [reference.encoded for reference in load_all(source)] == expected


def test_a_fault_that_stays_stops_the_build_and_blames_no_image(hub: StandInHub) -> None:
    publish(hub)
    entry = opened().entries(1)[0]
    tables._cursors.clear()
    hub.fail("GET", "resolve", times=1000)
    with pytest.raises(BuildFailed, match="run the same command again"):
        entry.load(*RULES)


def test_listing_fetches_no_images_and_rows_are_fetched_once(hub: StandInHub) -> None:
    publish(hub, rows=9)
    size = hub.dataset(REPO).tree()["data/train-00000-of-00001.parquet"].size
    source = opened()
    footer = 1 << 16  # what Arrow fetches of any file
    assert hub.served < footer + size / 10
    load_all(source)
    assert hub.served < footer + 1.1 * size


def test_entries_are_small_and_travel(hub: StandInHub) -> None:
    publish(hub)
    entries = opened().entries(8)
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
