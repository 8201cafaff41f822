"""Commands that pages show: those of the start page run, all others are held against the parsers of the programs."""

import shlex
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from in_process import in_process
from PIL import Image
from samples import Pixels
from shown_commands import find_blocks, find_commands, find_fault, split_command

import distortlab.cli
import refine_bench.cli

ROOT = Path(__file__).parents[2]
START = ROOT / "docs" / "start.md"
WHOLE = sorted({ROOT / "README.md", ROOT / "CONTRIBUTING.md", START, *(ROOT / "docs" / "guides").glob("*.md")})
OURS = ("distortlab ", "refine-bench ", "python -m refine_iqa_train ", "make ", "accelerate launch ")
MAINS = {"distortlab": distortlab.cli.main, "refine-bench": refine_bench.cli.main}
TINY = {"--n 200": "--n 6 --workers 1"}
"""What the start page asks for, and what of it is enough here."""


@pytest.mark.parametrize("page", WHOLE, ids=lambda path: path.stem)
def test_every_command_of_a_guide_is_one(page: Path) -> None:
    commands = list(find_commands(page.read_text(encoding="utf-8")))
    assert commands
    assert {command: fault for command in commands if (fault := find_fault(command))} == {}


def test_the_commands_of_all_other_pages_are_known_to_our_programs() -> None:
    faults = {}
    for page in sorted((ROOT / "docs").glob("*.md")):
        for command in find_commands(page.read_text(encoding="utf-8")):
            if command.startswith(OURS) and "..." not in command and (fault := find_fault(command)):
                faults[f"{page.name}: {command}"] = fault
    assert faults == {}


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("distortlab generate --n 4 --out data/", None),
        ("distortlab genrate --n 4", "no command genrate"),
        ("distortlab generate --number 4", "--number"),
        ("distortlab generate --n four", "valid integer"),
        ("distortlab sheet", "folder"),
        ("python -m refine_iqa_train check --config smoke-stage1 --lora.r 8", None),
        ("python -m refine_iqa_train check --config smoke-stage1 --lora.rank 8", "rank"),
        (
            "accelerate launch --config_file recipes/accelerate/zero4.yaml -m refine_iqa_train sft --config smoke-sft",
            "zero4",
        ),
        ("make tests", "no target tests"),
        ("pip install '.[benches]'", "no extra benches"),
        ("python benchmarks/nothing.py", "there is no benchmarks/nothing.py"),
        ("refinebench list", "what is refinebench?"),
    ],
)
def test_what_is_wrong_with_a_command(command: str, fault: str | None) -> None:
    found = find_fault(command)
    assert found is None if fault is None else found is not None and fault in found


def test_comments_and_broken_lines() -> None:
    page = "```\nmake demo  # a comment\na \\\n  b '#c'\n\n# only this\n```\n```python\nx\n```\n"
    assert list(find_commands(page)) == ["make demo", "a    b '#c'"]
    assert [block.language for block in find_blocks(page)] == ["", "python"]


def expand(word: str) -> list[str]:
    """A word as a shell passes it on: a pattern is the files that it matches."""
    return sorted(map(str, Path().glob(word))) if "*" in word else [word]


@pytest.mark.slow
def test_the_start_page_does_what_it_says(
    tmp_path: Path, small: Pixels, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(small).resize((320, 290)).save("photo.jpg")
    said = StringIO()
    names: dict[str, object] = {"print": partial(print, file=said)}
    text = START.read_text(encoding="utf-8")
    for asked, enough in TINY.items():
        assert asked in text
        text = text.replace(asked, enough)
    for block in find_blocks(text):
        if block.language == "python":
            exec(block.text, names)
            continue
        for command in split_command(block.text):
            program, *words = shlex.split(command)
            if program in MAINS:
                expanded = [path for word in words for path in expand(word)]
                outcome = in_process(program, MAINS[program], capsys, monkeypatch)(*expanded)
                assert outcome.code == 0, (command, outcome)
            else:
                assert command.startswith("python -m pip install "), command
    written = {path.name for path in tmp_path.iterdir()}
    assert written >= {"data", "view.html", "sheet.png", "report.html", "out.png", "gallery.png", "runs"}
    assert "value=1.0, status='scored'" in said.getvalue()
