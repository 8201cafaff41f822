"""What every distortion makes of a photograph stays what it was, unless its version is raised."""

import dataclasses

import pytest
import record_goldens
from record_goldens import FILE, Record, complaint, load, main
from samples import NAMES

from distortlab.distortions.catalog import find


@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_those_on_file(name: str) -> None:
    assert complaint(find(name), load()) is None


def test_nothing_on_file_is_left_over() -> None:
    assert list(load()) == list(NAMES)
    assert FILE.stat().st_size < 500_000


def test_a_raised_version_asks_for_a_new_record() -> None:
    row = dataclasses.replace(find("blur.gaussian"), version=99)
    assert "is version 99, its goldens are of version 1: record again" in str(complaint(row, load()))


def other_pixels(name: str) -> dict[str, Record]:
    """What is on file, had the severities of a row been recorded in the opposite order: not what its settings give."""
    known = load()
    known[name]["matched"] = known[name]["matched"][::-1]
    return known


def test_other_pixels_under_the_same_version_are_a_fault() -> None:
    assert "raise `version`" in str(complaint(find("blur.gaussian"), other_pixels("blur.gaussian")))


def test_another_ladder_asks_for_a_new_record_only_where_the_old_settings_give_the_old_pixels() -> None:
    row = dataclasses.replace(find("blur.gaussian"), matched=find("blur.lens").matched)
    assert "has another ladder than its goldens: record again" in str(complaint(row, load()))
    assert "raise `version`" in str(complaint(row, other_pixels("blur.gaussian")))


def test_a_new_row_asks_for_its_record() -> None:
    assert "has no goldens" in str(complaint(dataclasses.replace(find("blur.gaussian"), name="blur.new"), load()))


def test_recording_refuses_a_change_without_a_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = find("blur.gaussian")
    monkeypatch.setattr(record_goldens, "CATALOG", (row,))
    on_file = {row.name: other_pixels(row.name)[row.name]}
    monkeypatch.setattr(record_goldens, "load", lambda: on_file)
    before = FILE.read_bytes()
    assert main(check=False) == 1
    assert FILE.read_bytes() == before
    assert "raise `version`" in capsys.readouterr().out
