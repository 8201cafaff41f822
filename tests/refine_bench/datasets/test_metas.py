"""Lists of labels in JSON."""

import json
from pathlib import Path

import pytest
from bench_samples import write_meta, write_picture

from distortlab.core.errors import UserError
from refine_bench.datasets import load


def test_metas_of_deqa_and_qalign(tmp_path: Path) -> None:
    write_picture(tmp_path / "koniq" / "a.jpg")
    write_picture(tmp_path / "b.jpg")
    deqa = [{"id": "a", "image": "koniq/a.jpg", "gt_score": 70.0, "gt_score_norm": 4.4, "std": 9.0, "std_norm": 0.5}]
    qalign = [{"id": "I66.png->4.63", "image": "kadid/b.jpg"}, {"img_path": "koniq/a.jpg", "gt_score": "1.25"}]
    for name, items in (("deqa.json", deqa), ("qalign.json", qalign)):
        (tmp_path / name).write_text(json.dumps(items))
    (row,) = load(f"meta:{tmp_path}/deqa.json+norm", tmp_path).rows
    assert (row.mos, row.sd) == (4.4, 0.5)
    found = load(f"meta:{tmp_path}/qalign.json", tmp_path)
    assert [row.mos for row in found.rows] == [4.63, 1.25]
    assert [row.image for row in found.rows] == [tmp_path / "b.jpg", tmp_path / "koniq" / "a.jpg"]


def test_a_meta_keeps_images_of_one_name_apart(tmp_path: Path) -> None:
    file = write_meta(tmp_path)
    found = load(f"meta:{file}+down", tmp_path)
    names = [f"live/{folder}/img{k}.bmp" for folder in ("jp2k", "wn") for k in (1, 2, 3)]
    assert [row.name for row in found.rows] == names
    assert len({row.image for row in found.rows}) == 6
    assert all(row.image.is_file() for row in found.rows)
    assert found.five(found.observed.low) == 5.0
    (tmp_path / "img1.bmp").write_bytes((tmp_path / "wn/img1.bmp").read_bytes())
    for folder in ("jp2k", "wn"):
        (tmp_path / folder / "img1.bmp").unlink()
    with pytest.raises(UserError, match=r"'live/jp2k/img1\.bmp' and 'live/wn/img1\.bmp' both lead to .*img1\.bmp"):
        load(f"meta:{file}", tmp_path)


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../../etc/passwd", "C:\\etc\\passwd"])
def test_a_path_of_a_meta_stays_below_the_folder(path: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(json.dumps([{"image": path, "gt_score": 1}]))
    (row,) = load(f"meta:{tmp_path}/m.json", tmp_path, images=False).rows
    assert row.image.is_relative_to(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"gt_score": 1}]', ("item 1", "no image")),
        ('[{"image": "a.png"}]', ("row 1", "no gt_score")),
        ('[{"image": "a.png", "gt_score": 1}, 3]', ("item 2", "int")),
        ('{"image": "a.png", "gt_score": 1}{"image": "b', ("line 1", "1 items before it")),
        ("[" * 100_000, ("line 1",)),
    ],
)
def test_a_bad_json_file_is_named_with_its_item(text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(UserError) as caught:
        load(f"meta:{tmp_path}/m.json", tmp_path, images=False)
    assert all(word in str(caught.value) for word in words), caught.value
