"""The adapters: every set in its official format, every variant, and every way in which a file can be wrong."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bench_samples import WRITERS, write_kadid, write_koniq, write_llvisionqa, write_meta, write_picture, write_spaq
from hypothesis import given
from hypothesis import strategies as st

from distortlab.core.errors import UserError
from refine_bench.datasets import SETS, Scale, load, load_questions, parse_spec, to_five

DATA = os.environ.get("REFINE_BENCH_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="REFINE_BENCH_DATA is not set")


# --- scales ---------------------------------------------------------------------------------------------------------


@given(st.floats(0, 1), st.floats(-1e3, 1e3), st.floats(0.1, 1e3), st.booleans())
def test_a_scale_maps_onto_one_to_five(share: float, low: float, width: float, up: bool) -> None:
    scale = Scale(low, low + width, up)
    value = to_five(low + share * width, scale)
    assert value == pytest.approx(1 + 4 * (share if up else 1 - share), abs=1e-9)
    assert to_five(low, scale) == (1.0 if up else 5.0)


def test_the_observed_range_gives_the_training_label_of_refine_iqa() -> None:
    # Its example file says so for 10004473376.jpg; DeQA-Score's set runs from 1.09615 to 4.31.
    assert to_five(3.828571, Scale(1.09615, 4.31)) == pytest.approx(4.400806947958697, abs=2e-5)


# --- sets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("koniq", ["1.jpg", "3.jpg"]),
        ("koniq:training", ["0.jpg", "2.jpg", "4.jpg"]),
        ("koniq:validation", ["5.jpg"]),
        ("koniq:all", [f"{k}.jpg" for k in range(6)]),
    ],
)
def test_koniq_splits(tmp_path: Path, spec: str, names: list[str]) -> None:
    assert [row.name for row in load(spec, write_koniq(tmp_path / "koniq")).rows] == names


def test_koniq_has_two_kinds_of_mos(tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    acr, zscore = (load(f"koniq:{label}+all", tmp_path) for label in ("acr", "zscore"))
    assert acr.rows[0].mos == pytest.approx(1.7)
    assert zscore.rows[0].mos == 40
    assert (acr.rows[0].sd, zscore.rows[0].sd) == (0.5, None)
    assert acr.rows[0].n_ratings == 100
    assert acr.five(acr.rows[0].mos) == pytest.approx(1.7)
    assert (zscore.observed.low, zscore.observed.high) == (40, 55)


def test_the_observed_range_is_that_of_the_whole_set(tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    assert load("koniq:zscore+validation", tmp_path).observed == load("koniq:zscore+all", tmp_path).observed


def test_spaq_and_its_split(tmp_path: Path) -> None:
    root = write_spaq(tmp_path)
    assert [row.mos for row in load("spaq", root).rows] == [0, 10.5, 21, 31.5, 42]
    with pytest.raises(UserError, match=r"test_spaq\.json"):
        load("spaq:2224", root)
    (root / "test_spaq.json").write_text(json.dumps([{"image": "spaq/00003.jpg", "gt_score": 31.5}]))
    assert [row.name for row in load("spaq:2224", root).rows] == ["00003.jpg"]
    assert len(load("spaq:8901", root).rows) == 4


def test_kadid_rises_with_quality_and_knows_its_references(tmp_path: Path) -> None:
    root = write_kadid(tmp_path)
    whole = load("kadid", root)
    assert whole.rows[0].mos > whole.rows[2].mos
    assert {row.reference_id for row in whole.rows} == {"I01", "I66"}
    assert all(row.reference is not None and row.reference.is_file() for row in whole.rows)
    assert {row.reference_id for row in load("kadid:2000", root).rows} == {"I66"}
    assert {row.kind for row in whole.rows} == {"01"}


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


def test_files_whose_names_differ_in_case_alone_are_kept_apart(tmp_path: Path) -> None:
    for number, name in enumerate(("A.png", "a.png", "B.png")):
        write_picture(tmp_path / name, number)
    items = [{"image": name, "gt_score": k} for k, name in enumerate(("A.png", "a.png", "b.PNG"))]
    (tmp_path / "m.json").write_text(json.dumps(items))
    found = load(f"meta:{tmp_path}/m.json", tmp_path)
    assert [row.image.name for row in found.rows] == ["A.png", "a.png", "B.png"]
    (tmp_path / "m.json").write_text(json.dumps([{"image": "A.PNG", "gt_score": 1}]))
    with pytest.raises(UserError, match="no image"):
        load(f"meta:{tmp_path}/m.json", tmp_path)


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


RATED = [name for name in WRITERS if SETS[name].FACTS.kind == "rated"]
QUESTIONS = [name for name in WRITERS if name not in RATED]


@pytest.mark.parametrize("name", RATED)
def test_every_rated_set_reads_its_official_files(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / "set")
    found = load(name, tmp_path, strict=False)
    assert found.rows
    assert all(row.image.is_file() for row in found.rows)
    assert found.spec.facts.count(found.spec.choice) == found.expected
    assert len(found.sha256) == 64
    assert all(found.observed.low <= row.mos <= found.observed.high for row in found.rows)
    if name != "live":  # its test folder holds one picture of 982
        assert not found.problems
        assert all(row.reference is None or row.reference.is_file() for row in found.rows)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_set_of_questions_reads_its_official_files(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / "set")
    found = load_questions(name, tmp_path)
    assert found.rows
    assert len({row.name for row in found.rows}) == len(found.rows)
    assert all(path.is_file() for row in found.rows for path in row.images)


def test_every_set_has_facts_and_a_sample() -> None:
    assert set(WRITERS) == {name for name in SETS if SETS[name].FACTS.labels}
    for module in SETS.values():
        assert module.FACTS.citation
        assert module.FACTS.url.startswith("https://")


def test_variants_choose_rows_and_labels(tmp_path: Path) -> None:
    for name, writer in WRITERS.items():
        writer(tmp_path / name)
    sizes = {"clive": 2, "clive:1169": 9, "csiq": 6, "csiq:716": 4, "flive": 5, "flive:test": 3, "pipal": 4}
    for spec, n in sizes.items():
        assert len(load(spec, tmp_path).rows) == n, spec
    for spec, n in (("live", 736), ("live:982", 982)):
        assert len(load(spec, tmp_path, images=False).rows) == n, spec
    assert load("live:release2+982", tmp_path, images=False).rows[-1].mos == 45
    assert load("agiqa:align", tmp_path).rows[3].mos == 1.0
    assert load("csiq", tmp_path).rows[0].reference_id == "1600"
    assert load("csiq", tmp_path).five(0.0) == 5.0
    assert load("tid2013", tmp_path).rows[1].reference_id == "I25"


def test_answers_of_multiple_choice(tmp_path: Path) -> None:
    write_llvisionqa(tmp_path)
    dev, test = load_questions("qbench-a1", tmp_path), load_questions("qbench-a1:test", tmp_path)
    assert [row.answer for row in dev.rows] == [0, 1, 2, 0]
    assert {row.answer for row in test.rows} == {None}
    assert dict(dev.rows[2].groups) == {"type": "how", "concern": "in-context distortion"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"correct_ans": "Bright"}, ("row 1", "'Bright' is none of the options")),
        ({"candidates": ["A", "A"]}, ("row 1", "no two alike")),
        ({"question": 3}, ("item 1", "question")),
        ({"img_path": "gone.jpg"}, ("row 1", "no image")),
    ],
)
def test_a_bad_question_is_named(change: dict[str, object], words: tuple[str, ...], tmp_path: Path) -> None:
    file = write_llvisionqa(tmp_path, n=1) / "llvisionqa_dev.json"
    file.write_text(json.dumps([{**json.loads(file.read_text())[0], **change}]))
    with pytest.raises(UserError) as caught:
        load_questions("qbench-a1", tmp_path)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("name", [name for name in SETS if SETS[name].FACTS.labels])
def test_a_set_that_is_not_there_is_named_with_its_files(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(SETS[name].FACTS.title)):
        (load if SETS[name].FACTS.kind == "rated" else load_questions)(name, tmp_path)


def test_the_folder_is_found_by_its_files(tmp_path: Path) -> None:
    write_koniq(tmp_path / "some name")
    assert len(load("koniq", tmp_path).rows) == 2
    write_koniq(tmp_path / "KonIQ-10k", n=4)
    assert len(load("koniq:all", tmp_path).rows) == 4


# --- what is wrong --------------------------------------------------------------------------------------------------


def test_matlab_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    root = WRITERS["tid2013"](tmp_path)
    (root / "mos_std.txt").write_text("0.1\n")
    with pytest.raises(UserError, match=r"3 scores, 1 deviations"):
        load("tid2013", root)
    other = WRITERS["clive"](tmp_path / "clive")
    (other / "Data/AllMOS_release.mat").write_bytes(b"no such thing")
    with pytest.raises(UserError, match=r"AllMOS_release\.mat is not a readable MATLAB file"):
        load("clive", other)


def _line(old: str, new: str) -> Callable[[Path], object]:
    def change(file: Path) -> None:
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_line("I01_01_02.png,I01.png,3", "I01_01_02.png,I01.png,good"), ("row 3", "'good', not a number")),
        (_line("I01_01_02.png,I01.png,3", "I01_01_02.png,I01.png,nan"), ("row 3", "nan")),
        (_line("I01_01_02.png,I01.png,3", "I01_01_02.png,I01.png,30"), ("row 3", "outside of 1 to 5")),
        (_line("I01_01_02.png", "I01_01_01.png"), ("row 3", "twice, first in row 2")),
        (_line("I01_01_02.png", "I99_01_02.png"), ("row 3", "no image")),
        (_line("dmos,", "mos,"), ("no column dmos", "it has dist_img")),
        (_line("I01_01_02.png,I01.png,3,0.5", "I01_01_02.png,I01.png"), ("row 3", "fewer values")),
        (_line("I01_01_02.png", "../../etc/passwd"), ("leads out of its folder",)),
        (lambda file: file.write_bytes(b"\xff\xfe\x00"), ("dmos.csv", "UTF-8")),
        (lambda file: file.write_text("dist_img,ref_img,dmos,var\n"), ("no row",)),
    ],
)
def test_a_bad_row_is_named_with_its_file_and_line(
    change: Callable[[Path], object], words: tuple[str, ...], tmp_path: Path
) -> None:
    change(write_kadid(tmp_path) / "dmos.csv")
    with pytest.raises(UserError) as caught:
        load("kadid", tmp_path)
    assert all(word in str(caught.value) for word in words), caught.value


def test_bad_rows_are_left_out_and_named_where_asked(tmp_path: Path) -> None:
    (write_kadid(tmp_path) / "images" / "I01_01_02.png").unlink()
    found = load("kadid", tmp_path, strict=False)
    assert len(found.rows) == 5
    (problem,) = found.problems
    assert (problem.file, problem.line) == ("dmos.csv", 3)
    assert len(load("kadid", tmp_path, images=False).rows) == 6


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


def test_an_old_name_of_a_variant_says_what_it_was_and_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        parse_spec("csiq:750")
    for word in ("csiq:716", "34 images that CSIQ does not have", "meta:csiq.json+down"):
        assert word in str(caught.value)


@pytest.mark.parametrize("name", RATED)
def test_a_variant_that_is_called_by_a_number_has_so_many_rows(name: str) -> None:
    facts = SETS[name].FACTS
    for option in (option for axis in facts.axes for option in axis.options):
        if option.isdigit() and option in facts.counts:
            assert facts.counts[option] == int(option)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("konik", ("koniq", "did you mean")),
        ("koniq:zscor", ("zscore",)),
        ("koniq:512+1024", ("both a size",)),
        ("meta", ("needs a file",)),
    ],
)
def test_an_unknown_name_gets_the_nearest_known_one(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as caught:
        parse_spec(text)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_spec_spells_out_every_option() -> None:
    assert str(parse_spec("koniq:512")) == "koniq:acr+512+official-2015"
    assert str(parse_spec("spaq")) == "spaq:11125"


def test_reading_labels_imports_nothing_heavy() -> None:
    code = (
        "import sys, refine_bench.datasets; print([m for m in ('torch', 'scipy', 'pandas', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the official files, where they are -----------------------------------------------------------------------------


@needs_data
def test_the_official_koniq_file() -> None:
    root = Path(str(DATA)) / "iqa_annotations"
    for spec, n in (("koniq", 2015), ("koniq:qalign-2010", 2010), ("koniq:training", 7058), ("koniq:all", 10073)):
        found = load(spec, root, images=False)
        assert len(found.rows) == n == found.expected
        assert not found.problems
    first = load("koniq:all", root, images=False).rows[0]
    assert first.mos == pytest.approx(3.828571429, abs=1e-8)
    observed = load("koniq:all", root, images=False)
    assert observed.five(first.mos, observed=True) == pytest.approx(4.400806947958697, abs=1e-8)
