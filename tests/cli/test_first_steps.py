"""Small things that people meet first: versions, names, notebooks, and sentences that are true."""

import base64
import html.parser
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dataset_samples import Gallery, edit_manifest, flip_byte, small_recipe
from PIL import Image
from samples import Pixels

import distortlab
from distortlab.core.errors import BadRecipe, UserError
from distortlab.distortions.catalog import list_variants
from distortlab.generation.generate import generate
from distortlab.recipe import load_recipe
from distortlab.sharing.push import push
from distortlab.tasks.terms import FAMILIES

PROGRAMS = {
    "distortlab": ("distortlab.cli",),
    "refine-bench": ("refine_bench.cli.app",),
    "refine_iqa_train": ("refine_iqa_train",),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_says_its_version_and_imports_nothing_heavy_for_it(name: str) -> None:
    module = "refine_iqa_train.cli" if name == "refine_iqa_train" else PROGRAMS[name][0]
    text = (
        f"import sys; sys.argv = ['x', '--version']\nfrom {module} import main\n"
        "try:\n    main()\nfinally:\n    print(sorted({'torch', 'transformers', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [f"{name} {distortlab.__version__}", "[]"], done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_help_is_still_that_of_the_program(name: str) -> None:
    module = "refine_iqa_train" if name == "refine_iqa_train" else PROGRAMS[name][0]
    text = f"from {module if '.' in module else module + '.cli'} import main; main()"
    words = [sys.executable, "-c", text, "--help"]
    environment = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert "--version" in done.stdout
    assert "Examples:" in done.stdout
    assert re.search("images|quality", done.stdout)


# --- severities -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", [3, 3.0, np.int8(3), np.uint64(3), np.int32(3), np.float32(3), np.float64(3)])
def test_a_whole_number_of_any_type_is_a_severity(severity: object, small: Pixels) -> None:
    out = distortlab.distort(small, "blur.gaussian", severity)  # type: ignore[arg-type]
    assert type(out.edit.severity) is int
    assert np.array_equal(out.image, distortlab.distort(small, "blur.gaussian", 3).image)


@pytest.mark.parametrize("amount", [None, 2.0])
@pytest.mark.parametrize(
    ("severity", "sentence"),
    [
        ("3", "severity '3' is text; a severity is one of the numbers 1, 2, 3, 4, 5"),
        (True, "severity True is a truth value"),
        (None, "severity None is nothing"),
        ([3], r"severity \[3\] is a list"),
        (2.5, "severity 2.5 is not one of 1, 2, 3, 4, 5"),
        (float("nan"), "severity nan is not one of"),
        (np.int64(6), "severity 6 is not one of"),
    ],
)
def test_what_is_no_severity_is_told_why(severity: object, sentence: str, amount: float | None, small: Pixels) -> None:
    with pytest.raises(UserError, match=sentence):
        distortlab.distort(small, "blur.gaussian", severity, amount=amount)  # type: ignore[arg-type]


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_in_place_of_a_variant_names_all_its_variants(family: str, small: Pixels) -> None:
    with pytest.raises(UserError, match=f"no distortion called '{family}': it is a family") as error:
        distortlab.distort(small, family)
    assert all(row.name in str(error.value) for row in list_variants(family, "matched"))


@pytest.mark.parametrize(("name", "family"), [("blurr", "blur"), ("noize", "noise"), ("Darken", "darken")])
def test_a_misspelt_family_is_one_too(name: str, family: str, small: Pixels) -> None:
    with pytest.raises(UserError, match=f"no distortion called '{name}': did you mean the family '{family}'") as error:
        distortlab.distort(small, name)
    assert all(row.name in str(error.value) for row in list_variants(family, "matched"))


def test_dir_shows_public_names_only() -> None:
    assert dir(distortlab) == sorted([*distortlab.__all__, "__version__"])


def test_a_key_of_a_recipe_is_checked_although_an_option_replaces_it(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text('n = "x"\n')
    with pytest.raises(BadRecipe, match="n = 'x'"):
        load_recipe(file, n=4)
    file.write_text("n = 7\n")
    assert load_recipe(file, n=4).n == 4
    assert load_recipe(file).n == 7


# --- looking at the folder first ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small") / "data"
    generate(small_recipe(n=4), Gallery(), out, workers=1)
    return out


def test_a_dry_run_of_push_looks_at_the_folder_before_it_asks_anybody(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: object, **__: object) -> None:
        pytest.fail("asked the Hub")

    monkeypatch.setattr("distortlab.storage.hub_client.Hub.ask", ask)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in data.rglob("*"):
        if path.is_file():
            (copy / path.relative_to(data)).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(data)).write_bytes(path.read_bytes())
    flip_byte(copy / "README.md")
    with pytest.raises(UserError, match=r"README\.md is not the file that was generated"):
        push(copy, "user/name", dry_run=True)


# --- notebooks ------------------------------------------------------------------------------------------------------


def test_a_distorted_image_shows_its_pixels(small: Pixels) -> None:
    out = distortlab.distort(small, "noise.gaussian_rgb", 4)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(out._repr_png_()))), out.image)


def test_a_large_image_is_shown_smaller() -> None:
    out = distortlab.distort(np.zeros((30, 4000, 3), np.uint8), "brighten.shift_rgb", 5)
    assert Image.open(io.BytesIO(out._repr_png_())).size == (1600, 12)
    page = _Table(out._repr_html_())
    assert {"figure", "img", "figcaption"} <= page.tags
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', out._repr_html_())
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (800, 6)
    seen = f"brighten.shift_rgb, severity 5, V = {out.edit.visibility.v:.2f}, box (0, 0, 4000, 30)"
    assert f"<figcaption>{seen}</figcaption>" in out._repr_html_()


class _Table(html.parser.HTMLParser):
    """The rows of a page, and its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1].append(data)


def test_a_data_set_shows_a_short_table(data: Path) -> None:
    opened = distortlab.open_dataset(data)
    shown = _Table(opened._repr_html_())
    counts = {split: (opened.count("images", split), opened.count("rft", split)) for split in opened.splits}
    totals = (opened.images, opened.count("rft"))
    expected = [["split", "images", "questions"]]
    expected += [[name, *map(str, numbers)] for name, numbers in {**counts, "all": totals}.items()]
    assert [row[:3] for row in shown.rows] == expected
    assert str(data) in opened._repr_html_()


def test_a_data_set_is_one_line_where_there_is_no_html(data: Path) -> None:
    opened = distortlab.open_dataset(data)
    questions = opened.count("rft")
    assert repr(opened) == f"<StoredDataset {str(data)!r}: {opened.images} images, {questions} questions>"


def test_a_table_of_a_hostile_data_set_is_harmless(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "<script>alert(1)<"
    copy.mkdir()
    for path in data.rglob("*"):
        if path.is_file() and "_distortlab" not in path.parts:
            (copy / path.relative_to(data)).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(data)).write_bytes(path.read_bytes())

    def poison(manifest: dict[str, object]) -> None:
        manifest["counts"] = {"tasks": {"<img src=x onerror=alert(2)>": 3, "a": "<b>"}, "severities": ["<i>"]}

    edit_manifest(copy, poison)
    text = distortlab.open_dataset(copy)._repr_html_()
    assert _Table(text).tags <= {"div", "b", "table", "thead", "tbody", "tr", "th", "td"}
    assert "&lt;img" in text
    assert "<script" not in text
