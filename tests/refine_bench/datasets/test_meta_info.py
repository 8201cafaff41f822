"""pyiqa's lists of labels in the place of official files."""

import shutil
from pathlib import Path

import pytest
from bench_samples import WRITERS, write_csv

from distortlab.core.errors import UserError
from refine_bench.datasets import SETS, find_folder, load

OFFICIAL = {
    "kadid": "dmos.csv",
    "tid2013": "mos_with_names.txt",
    "csiq": "csiq.DMOS.xlsx",
    "spaq": "Annotations",
    "clive": "Data",
    "pipal": "Train_Label",
}
ATTRIBUTES = ("Brightness", "Colorfulness", "Contrast", "Noisiness", "Sharpness")
HEADERS = {
    "kadid": ("ref_name", "dist_name", "dmos", "std"),
    "tid2013": ("ref_name", "dist_name", "mos", "std"),
    "csiq": ("ref_name", "dist_name", "dmos"),
    "spaq": ("Image name", "MOS", *ATTRIBUTES, "ISO", "Brightness"),
    "clive": ("img_name", "mos", "std"),
    "pipal": ("hq_name", "dist_name", "elo_score"),
}


def write_list(name: str, root: Path, where: Path) -> None:
    """What the official files say, as pyiqa writes it; they are removed."""
    rows = load({"clive": "clive:1169"}.get(name, name), root).rows
    values: list[list[object]] = []
    for row in rows:
        scores = [row.mos, row.sd] if "std" in HEADERS[name] else [row.mos]
        own = row.name.rpartition("/")[2]
        if name == "spaq":
            scores += [*row.attributes.values(), 100, -1.5]
        reference = [row.reference.name if row.reference else ""] if HEADERS[name][1] == "dist_name" else []
        values.append([*reference, own, *scores])
    write_csv(where / SETS[name].FACTS.meta_info, HEADERS[name], values)
    path = root / OFFICIAL[name]
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("place", ["in the folder", "beside it"])
@pytest.mark.parametrize("name", OFFICIAL)
def test_a_list_of_pyiqa_says_what_the_official_files_say(name: str, place: str, tmp_path: Path) -> None:
    root = WRITERS[name](tmp_path / name)
    official = load(name, tmp_path)
    write_list(name, root, root if place == "in the folder" else tmp_path / "meta_info")
    assert find_folder(SETS[name].FACTS, tmp_path) == root
    found = load(name, tmp_path)
    assert found.sha256 == official.sha256
    for row, other in zip(found.rows, official.rows, strict=True):
        assert (row.image, row.reference, row.reference_id) == (other.image, other.reference, other.reference_id)
        assert (row.kind, row.attributes) == (other.kind, other.attributes)
        assert row.sd == (None if name == "csiq" else other.sd)


def test_a_list_beside_counts_for_a_folder_with_the_name_of_the_set_only(tmp_path: Path) -> None:
    root = WRITERS["kadid"](tmp_path / "some name")
    write_list("kadid", root, tmp_path / "meta_info")
    with pytest.raises(UserError, match="KADID-10k is not in"):
        load("kadid", tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ref_name,dist_name,mos\n", "has no column dmos, std; it has ref_name, dist_name, mos"),
        ("", "has no column .*; it has none"),
        ("ref_name,dist_name,dmos,std\nI01.png,I01_01_01.png\n", "row 2: fewer values than the header"),
    ],
)
def test_a_wrong_list_is_named(text: str, why: str, tmp_path: Path) -> None:
    root = WRITERS["kadid"](tmp_path / "kadid")
    (root / "dmos.csv").unlink()
    (root / "meta_info_KADID10kDataset.csv").write_text(text)
    with pytest.raises(UserError, match=why):
        load("kadid", tmp_path)


def test_names_that_csiq_and_tid_do_not_have(tmp_path: Path) -> None:
    for name, row in (("csiq", ["a.png", "a.png", "0.5"]), ("tid2013", ["I01.BMP", "I01.bmp", "5", "1"])):
        root = WRITERS[name](tmp_path / name)
        (root / OFFICIAL[name]).unlink()
        write_csv(root / SETS[name].FACTS.meta_info, HEADERS[name], [row])
        with pytest.raises(UserError, match="is not a"):
            load(name, tmp_path)
