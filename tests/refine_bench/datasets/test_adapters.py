"""The adapters: every set in its official format, every variant, and every way in which a file can be wrong."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bench_samples import WRITERS, write_kadid, write_koniq, write_spaq

from distortlab.core.errors import UserError
from refine_bench.datasets import SETS, load, load_questions


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


@pytest.mark.parametrize("name", [name for name in SETS if SETS[name].FACTS.labels])
def test_a_set_that_is_not_there_is_named_with_its_files(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(SETS[name].FACTS.title)):
        (load if SETS[name].FACTS.kind == "rated" else load_questions)(name, tmp_path)


def test_the_folder_is_found_by_its_files(tmp_path: Path) -> None:
    write_koniq(tmp_path / "some name")
    assert len(load("koniq", tmp_path).rows) == 2
    write_koniq(tmp_path / "KonIQ-10k", n=4)
    assert len(load("koniq:all", tmp_path).rows) == 4


def test_reading_labels_imports_nothing_heavy() -> None:
    code = (
        "import sys, refine_bench.datasets; print([m for m in ('torch', 'scipy', 'pandas', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
