"""A release is refused unless the tag, the version, the citation and the changelog agree."""

from pathlib import Path

import pytest
from check_release import ReleaseError, check_release, find_section

CHANGELOG = """# Changelog

## 1.1.0 (2027-03-01)

- New.

## 1.0.1 (2027-02-01)

- Mended.
- Again.

## 1.0.0 (unreleased)

## 0.9.0 (2027-01-01)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        "distortlab/__init__.py": '"""About."""\n\n__version__ = "1.0.1"\n',
        "CITATION.cff": "cff-version: 1.2.0\nversion: 1.0.1\n",
        "CHANGELOG.md": CHANGELOG,
        "pyproject.toml": '[project]\nname = "x"\n[project.urls]\nSource = "https://github.com/some/project"\n',
    }
    (tmp_path / "distortlab").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_all_agree(checkout: Path) -> None:
    assert check_release(checkout, "v1.0.1") == "- Mended.\n- Again.\n"
    assert check_release(checkout, "v1.0.1", "https://github.com/some/project")


@pytest.mark.parametrize("tag", ["v1.0.0", "1.0.1", "v1.0.1rc1", "v1.0.10"])
def test_another_tag(checkout: Path, tag: str) -> None:
    with pytest.raises(ReleaseError, match=r"the tag must be v1\.0\.1"):
        check_release(checkout, tag)


def test_another_citation(checkout: Path) -> None:
    (checkout / "CITATION.cff").write_text("cff-version: 1.0.1\nversion: 1.0.0\n", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"CITATION\.cff names version 1\.0\.0; write 1\.0\.1"):
        check_release(checkout, "v1.0.1")


def test_another_address(checkout: Path) -> None:
    with pytest.raises(ReleaseError, match=r"write https://github\.com/other/project"):
        check_release(checkout, "v1.0.1", "https://github.com/other/project")


@pytest.mark.parametrize(
    ("version", "words"),
    [("1.0.0", "give the release its date"), ("1.0", "no heading"), ("0.9.0", "says nothing"), ("1.0.2", "no heading")],
)
def test_a_section_is_there_dated_and_says_something(version: str, words: str) -> None:
    with pytest.raises(ReleaseError, match=words):
        find_section(CHANGELOG, version)


def test_a_section_ends_where_the_next_begins() -> None:
    assert find_section(CHANGELOG, "1.1.0") == "- New.\n"
