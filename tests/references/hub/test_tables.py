"""Tables on the Hub: which files a split has, what cannot be opened, faults of the network."""

import json
from pathlib import Path

import pytest
from dataset_samples import rows_of
from datasets import Features, Value
from hub_samples import PLAIN, REPO, RULES, load_all, open_photos, parquet, plain, publish, put
from stand_in_hub import StandInHub

from distortlab.core.errors import BuildFailed, UserError
from distortlab.references import open_references
from distortlab.references.hub import tables


def test_splits_and_configs_by_name(hub: StandInHub) -> None:
    data = parquet(plain(2), PLAIN)
    names = ("a/train-00000-of-00001.parquet", "a/test-00000-of-00001.parquet", "b/validation.parquet")
    hub.put(REPO, dict.fromkeys(names, data))
    assert open_photos(f"{REPO}:a/test").table.files.paths == (names[1],)
    assert open_photos(f"{REPO}:b/validation").table.files.paths == (names[2],)
    with pytest.raises(UserError, match=r"has several configs \(a, b\): name one"):
        open_photos()
    with pytest.raises(UserError, match="has no split 'tset'; it has test, train"):
        open_photos(f"{REPO}:a/tset")
    with pytest.raises(UserError, match="has no config 'c'; it has a, b"):
        open_photos(f"{REPO}:c/train")


def test_the_card_says_which_files(hub: StandInHub) -> None:
    configs = [
        {"config_name": "other", "data_files": "o/*.parquet"},
        {"config_name": "main", "default": True, "data_files": [{"split": "fold1", "path": ["x/*.parquet"]}]},
    ]
    card = f"---\n{json.dumps({'configs': configs})}\n---\n".encode()
    data = parquet(plain(2), PLAIN)
    hub.put(REPO, {"README.md": card, "o/1.parquet": data, "x/1.parquet": data, "x/2.parquet": data})
    files = open_photos().table.files
    assert (files.config, files.split, files.paths) == ("main", "fold1", ("x/1.parquet", "x/2.parquet"))


def test_our_own_data_sets_are_read(hub: StandInHub, data: Path) -> None:
    from distortlab.sharing.push import push

    push(data, REPO)
    source = open_photos(f"{REPO}:images/train?image=reference&objects=regions")
    assert source.count == len([row for row in rows_of(data, "images") if row["image_id"].startswith("train")])


def test_the_form_that_the_hub_makes_of_other_formats(hub: StandInHub) -> None:
    hub.put(REPO, {"photos.zip": b"PK"})
    branch = "refs/convert/parquet"
    hub.dataset(REPO).branches[branch] = hub.dataset(REPO).branches["main"]
    hub.put(REPO, {"default/train/0000.parquet": parquet(plain(3), PLAIN)}, branch=branch)
    source = open_photos()
    assert (source.count, source.table.files.commit) == (3, hub.dataset(REPO).branches[branch])


def test_a_revision_is_pinned(hub: StandInHub) -> None:
    first = publish(hub, rows=4)
    old, again = open_photos(), open_photos(f"{REPO}@{first}")
    publish(hub, rows=6)
    assert (open_photos().count, open_photos(f"{REPO}@{first}").count) == (6, 4)
    assert old.fingerprint == again.fingerprint != open_photos().fingerprint
    assert [entry.id for entry in old.entries(9)] == [entry.id for entry in again.entries(9)]
    assert load_all(old)[0].encoded == load_all(again)[0].encoded
    with pytest.raises(UserError, match="no such revision"):
        open_photos(f"{REPO}@nowhere")


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
        open_photos()


def test_no_tables(hub: StandInHub) -> None:
    hub.put(REPO, {"photos.zip": b"PK"})
    with pytest.raises(UserError, match="has no Parquet files at main"):
        open_photos()


def test_a_table_that_is_none(hub: StandInHub) -> None:
    hub.put(REPO, {"train.parquet": b"PAR1 nothing of the kind PAR1"})
    with pytest.raises(UserError, match=f"{REPO}: "):
        open_photos()


def test_private_and_gated(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hub)
    hub.dataset(REPO).private = True
    assert open_photos().count == 8
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(UserError, match="it is private: run `hf auth login`"):
        open_photos()
    hub.dataset(REPO).private, hub.dataset(REPO).gated = False, "manual"
    with pytest.raises(UserError, match="is gated: ask for access at"):
        open_photos()


@pytest.mark.parametrize("status", [503, 0])
def test_a_fault_in_the_middle_is_waited_out(hub: StandInHub, status: int) -> None:
    publish(hub)
    source = open_photos()
    expected = [reference.encoded for reference in load_all(source)]
    hub.requests.clear()
    tables._cursors.clear()
    hub.fail("GET", "resolve", times=2, status=status)
    assert [reference.encoded for reference in load_all(source)] == expected


def test_a_fault_that_stays_stops_the_build_and_blames_no_image(hub: StandInHub) -> None:
    publish(hub)
    entry = open_photos().entries(1)[0]
    tables._cursors.clear()
    hub.fail("GET", "resolve", times=1000)
    with pytest.raises(BuildFailed, match="run the same command again"):
        entry.load(*RULES)


def test_listing_fetches_no_images_and_rows_are_fetched_once(hub: StandInHub) -> None:
    publish(hub, rows=9)
    size = hub.dataset(REPO).tree()["data/train-00000-of-00001.parquet"].size
    source = open_photos()
    footer = 1 << 16  # what Arrow fetches of any file
    assert hub.served < footer + size / 10
    load_all(source)
    assert hub.served < footer + 1.1 * size
