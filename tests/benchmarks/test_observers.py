"""The observers: features that are finite and mean what they say, two models, one page, one table."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from script_modules import BENCHMARKS, isolate_scripts
from skimage import data

from distortlab import distort
from distortlab.core.region import Box
from distortlab.distortions.catalog import CATALOG, FAMILIES
from distortlab.severity.difficulty import EASY, parse_table


@pytest.fixture(scope="module")
def observing() -> Iterator[Any]:
    """Its modules, which are scripts beside each other and no package."""
    with isolate_scripts(BENCHMARKS / "observers"):
        yield importlib.import_module


@pytest.fixture(scope="module")
def measure(observing: Any) -> Any:
    """Features of a variant at severity 4 on a piece of a photograph."""
    compute = observing("features").compute_features

    def measure(name: str, top: int = 80, side: int = 150) -> dict[str, float]:
        image = np.ascontiguousarray(data.coffee())
        made = distort(image, name, 4, box=(96, top, 96 + side, top + side))
        box = made.edit.bbox
        return compute(image[box.slices], made.image[box.slices], made.edit.region.mask, box.x1, box.y1)

    return measure


@pytest.mark.parametrize("name", [row.name for row in CATALOG])
def test_features_are_finite_and_the_same_for_all(measure: Any, name: str) -> None:
    found = measure(name)
    assert list(found) == list(measure("blur.gaussian"))
    assert all(np.isfinite(value) for value in found.values())


@pytest.mark.parametrize(
    ("name", "feature", "low", "high"),
    [
        ("brighten.shift_rgb", "dmean", 8, 255),
        ("darken.shift_rgb", "dmean", -255, -8),
        ("saturate_weaken.ycbcr", "rchroma", -9, -0.25),
        ("blur.gaussian", "de0", -9, -0.4),
        ("oversharpen.unsharp_mask", "de0", 0.4, 9),
        ("noise.gaussian_rgb", "ac_h", -0.2, 0.2),
        ("noise.correlated", "ac_h", 0.4, 1),
        ("compression.jpeg", "grid8", 1.5, 255),
        ("quantization.uniform", "levels", -9, -0.5),
        ("contrast_weaken.scale", "dspread", -9, -0.15),
    ],
)
def test_a_symptom_says_what_it_is_called_after(measure: Any, name: str, feature: str, low: float, high: float) -> None:
    assert low < measure(name)[feature] < high


def test_nothing_happened_has_no_symptom(observing: Any) -> None:
    image = np.ascontiguousarray(data.coffee()[40:140, 60:200])
    found = observing("features").compute_features(image, image.copy(), np.ones(image.shape[:2], np.uint8), 60, 40)
    for name in ("dmean", "dspread", "dchroma", "hue", "de0", "grid8", "levels", "white", "ties"):
        assert abs(found[name]) < 1e-5, name
    assert found["curve_rest"] < 0.5  # levels of luma are whole numbers


def test_of_a_large_region_the_rows_that_hold_most_of_it_are_looked_at(observing: Any) -> None:
    image = np.ascontiguousarray(np.tile(data.coffee(), (2, 1, 1))[:600, :400])
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[:80, :20] = 1
    mask[320:360, :] = 1
    after = image.copy()
    after[:80, :20] //= 2  # outside of the rows that are looked at
    assert abs(observing("features").compute_features(image, after, mask, 0, 0)["dmean"]) < 1e-5


@pytest.mark.parametrize("shape", [(2, 2), (2, 40), (40, 2), (33, 700)])
def test_regions_of_any_shape_have_features(observing: Any, shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 120, np.uint8)
    found = observing("features").compute_features(image, image + 9, np.ones(shape, np.uint8), 0, 0)
    assert found["dmean"] == pytest.approx(9, abs=0.01)


# --- the models, on made-up draws -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def draw_sets(observing: Any) -> Any:
    """Draws of families that lie apart in one symptom each, but for the last two, which are alike."""
    pytest.importorskip("sklearn")
    pandas, symptoms = pytest.importorskip("pandas"), list(observing("observers").SYMPTOMS.items())
    source = np.random.default_rng(3)
    rows = []
    for part in ("a", "b"):
        for at, family in enumerate(FAMILIES):
            for k in range(50):
                values = {name: source.normal(0, 0.1 * step) for name, step in symptoms}
                name, step = symptoms[min(at, len(FAMILIES) - 2)]
                values[name] += 12 * step
                variant = next(row.name for row in CATALOG if row.family == family)
                row = {"family": family, "variant": variant, "severity": k % 5 + 1, "reference": f"{part}{k % 7}"}
                rows.append({**row, **values})
    frame = pandas.DataFrame(rows)
    return frame[frame.reference.str[0] == "a"], frame[frame.reference.str[0] == "b"]


@pytest.fixture(scope="module")
def verdicts(observing: Any, draw_sets: Any) -> Any:
    return observing("summary").judge(*draw_sets)


def test_families_that_lie_apart_are_told_apart_and_others_are_not(verdicts: Any) -> None:
    for each in verdicts:
        shares = each.average("family")
        for family in FAMILIES[:-2]:
            assert shares.loc[family, family] > 0.9
        for family in FAMILIES[-2:]:
            assert 0.3 < shares.loc[family, family] < 0.7


def test_a_photograph_is_never_on_both_sides(observing: Any, draw_sets: Any) -> None:
    first, second = draw_sets
    mixed = second.assign(reference=first.reference.iloc[0])
    assert len(observing("observers").drop_shared(mixed, first)) == 0
    with pytest.raises(ValueError, match="no draw of quantization"):
        observing("observers").get_families(first[first.family != "quantization"])


def test_page_and_table_hold_what_was_found(observing: Any, verdicts: Any, tmp_path: Path) -> None:
    machine, person = verdicts
    observing("page").write_page(machine, person, tmp_path, "make observers")
    text = (tmp_path / "observers.md").read_text()
    assert (tmp_path / "images" / "observers.png").stat().st_size > 10_000
    assert f"{len(person.draws):,} draws" in text
    table = observing("observe").make_posteriors(person)
    assert len(table) == 5 * len(FAMILIES)
    assert table["blur.gaussian", 1] > EASY > table["quantization.uniform", 1]
    assert parse_table(observing("observe").format_table(table)) == table
    assert "| `blur.gaussian` | 1.00 easy |" in text


def test_a_cell_with_few_draws_has_no_entry(observing: Any, verdicts: Any) -> None:
    person = verdicts[1]
    few = person.draws.assign(severity=np.where(np.arange(len(person.draws)) == 0, 5, 1))
    shortened = type(person)(person.name, few, person.posteriors, person.glances)
    assert ("blur.gaussian", 5) not in observing("observe").make_posteriors(shortened)


def test_a_window_holds_the_region_and_fits_the_image(observing: Any) -> None:
    cut = observing("pages").cut_window
    assert cut((480, 640), Box(300, 200, 340, 240)) == Box(190, 90, 450, 350)
    assert cut((480, 640), Box(0, 0, 10, 10)) == Box(0, 0, 260, 260)
    assert cut((480, 640), Box(0, 0, 640, 480)) == Box(20, 50, 620, 430)
    assert cut((200, 640), Box(620, 10, 640, 30)) == Box(380, 0, 640, 200)
