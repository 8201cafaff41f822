"""The page of images of every kind, in a real browser: numbers, colors, legend, close-ups, filters, questions."""

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from browser_tabs import PHONE, WIDE, Open, drawn, settled, shown, wait
from dataset_samples import rows_of
from view_samples import read_page

from distortlab.core.region import Region
from distortlab.tasks import diagnosis
from distortlab.visualization.colors import FAMILY_COLORS, MARK, get_color

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

Entry = dict[str, Any]


def entries(page: Path, kind: str = "") -> list[Entry]:
    return [entry for entry in read_page(page).data["images"] if kind in ("", entry["kind"])]


def several(page: Path) -> Entry:
    """The first image of three regions."""
    return entries(page, "3")[0]


def opened_at(opened: Open, page: Path, entry: Entry, **options: Any) -> "Tab":
    tab = opened(page, f"#{entry['image_id']}", **options)
    settled(tab, entry["image_id"])
    return tab


def label(region: dict[str, Any]) -> str:
    return f"{region['type']}, {region['level']}"


def legend(tab: "Tab") -> list[str]:
    return [chip.inner_text().strip() for chip in tab.locator("#legend > *").all()]


# --- outlines and the legend ----------------------------------------------------------------------------------------


def test_outlines_have_the_colors_of_the_legend(opened: Open, sets_page: Path) -> None:
    entry = several(sets_page)
    tab = opened_at(opened, sets_page, entry)
    assert legend(tab) == [f"{number} {label(region)}" for number, region in enumerate(entry["regions"], 1)]
    chips = tab.evaluate("[...document.querySelectorAll('#legend .badge')].map((node) => node.style.backgroundColor)")
    assert chips == [f"rgb{get_color(region['distortion'])}" for region in entry["regions"]]
    tab.keyboard.press("1")
    x, y = tab.evaluate("[state.view.x, state.view.y]")
    x1, y1, x2, _ = entry["regions"][0]["bbox"]
    seen = drawn(tab, int(x + (x1 + x2) / 2), int(y + y1) - 1, 1, 2)
    assert (np.abs(seen.astype(int) - get_color(entry["regions"][0]["distortion"])).max(axis=2) < 40).all()


def test_numbers_stand_in_their_regions(opened: Open, sets_page: Path) -> None:
    entry = several(sets_page)
    tab = opened_at(opened, sets_page, entry)
    corners = [region["bbox"][:2] for region in entry["regions"]]
    assert tab.evaluate("outlines.map(({ at }) => at)") == corners, "these are rectangles"
    size = (entry["height"], entry["width"])
    disk = np.zeros(size, np.uint8)
    cv2.circle(disk, (90, 80), 40, 1, -1)
    region = Region.from_mask(disk)
    told = {"bbox": [*region.bbox], "mask": region.rle, "distortion": "blur"}
    x, y = tab.evaluate("(region) => outline(region, current()).at", told)
    ys, xs = np.nonzero(disk)
    assert disk[y, x]
    assert x + y == (xs + ys).min()


def test_a_frame_is_drawn_inside_of_a_whole_image(opened: Open, sets_page: Path) -> None:
    entry = entries(sets_page, "whole")[0]
    region = entry["regions"][0]
    tab = opened_at(opened, sets_page, entry)
    assert legend(tab) == [f"Whole frame: {label(region)}"]
    assert tab.inner_text("#panel h2") == f"{label(region)}, whole frame"
    assert tab.locator("#closer").is_disabled()
    tab.keyboard.press("1")
    x, y, height = tab.evaluate("[state.view.x, state.view.y, current().height]")
    seen = drawn(tab, int(x) + 1, int(y + height / 2), 2, 1)
    assert (np.abs(seen.astype(int) - get_color(region["distortion"])).max(axis=2) < 40).all()


def test_a_pristine_image_is_named_as_such(opened: Open, sets_page: Path) -> None:
    tab = opened_at(opened, sets_page, entries(sets_page, "pristine")[0])
    assert tab.inner_text("#panel h2") == "Pristine"
    assert legend(tab) == ["Pristine: nothing was done to this image."]
    assert tab.inner_text("#exact") == "\u2713 exact pixels"
    assert "nothing is distorted" in tab.inner_text("#panel")
    tab.keyboard.press("r")
    assert tab.evaluate("state.view") is None


def test_a_page_of_single_regions_has_no_legend(opened: Open, usual_page: Path) -> None:
    tab = opened(usual_page)
    assert not tab.locator("#legend").is_visible()
    assert not tab.locator("#kind").is_visible()
    assert not tab.locator(".badge").count()


def test_colors_can_be_told_apart() -> None:
    from skimage.color import deltaE_ciede2000, rgb2lab

    lab = rgb2lab(np.array([*FAMILY_COLORS.values()])[None] / 255)[0]
    far = deltaE_ciede2000(lab[:, None], lab[None]) + 99 * np.eye(len(lab))
    assert far.min() > 17
    assert get_color("no family") == MARK


# --- close-ups ------------------------------------------------------------------------------------------------------


def test_close_ups_go_from_region_to_region(opened: Open, sets_page: Path) -> None:
    entry = several(sets_page)
    tab = opened_at(opened, sets_page, entry)
    for order, region in enumerate(entry["regions"]):
        tab.keyboard.press("r")
        view, width, height = tab.evaluate("[state.view, canvas.width, canvas.height]")
        x1, y1, x2, y2 = region["bbox"]
        assert view["x"] + view["scale"] * (x1 + x2) / 2 == pytest.approx(width / 2, abs=2)
        assert view["y"] + view["scale"] * (y1 + y2) / 2 == pytest.approx(height / 2, abs=2)
        assert view["scale"] > tab.evaluate("fitted().scale")
        pressed = tab.locator("#legend [aria-pressed=true]")
        assert pressed.inner_text() == f"{order + 1} {label(region)}"
    tab.keyboard.press("r")
    assert tab.evaluate("[state.view, state.region]") == [None, None]
    tab.locator("#legend button").nth(1).click()
    assert tab.evaluate("state.region") == 1
    tab.locator("#legend button").nth(1).click()
    assert tab.evaluate("[state.view, state.region]") == [None, None]


def test_hidden_answers_are_not_given_away(opened: Open, sets_page: Path) -> None:
    entry = several(sets_page)
    tab = opened_at(opened, sets_page, entry)
    tab.keyboard.press("r")
    tab.keyboard.press("a")
    wait(tab, "document.querySelector('#panel h2').textContent === 'What was done here?'")
    assert not tab.locator("#legend").is_visible()
    assert not tab.locator(".badge").count() - tab.locator("#legend .badge").count()
    assert not tab.locator("#panel .truth").count()
    assert label(entry["regions"][0]) not in tab.inner_text("body")
    tab.keyboard.press("0")
    tab.keyboard.press("r")
    assert tab.evaluate("state.view") is None
    tab.keyboard.press("1")
    x, width, columns = tab.evaluate("[state.view.x, canvas.width, current().width]")
    assert x + columns / 2 == pytest.approx(width / 2, abs=1), "the middle of the image, not of a region"


# --- filters --------------------------------------------------------------------------------------------------------


def test_images_are_chosen_by_what_they_consist_of(opened: Open, sets_page: Path) -> None:
    tab, names = opened(sets_page), {"pristine": "Pristine", "whole": "Whole frame", "1": "1 region", "2": "2 regions"}
    for kind, name in names.items():
        wanted = entries(sets_page, kind)
        tab.select_option("#kind", kind)
        assert tab.inner_text("#count") == f"{len(wanted)} of {len(entries(sets_page))} images"
        assert tab.locator(f"#kind option[value='{kind}']").inner_text() == f"{name} ({len(wanted)})"
        assert shown(tab) in [entry["image_id"] for entry in wanted]


def test_one_region_has_to_fit_all_of_a_filter(opened: Open, sets_page: Path) -> None:
    entry, first, second = next(
        (entry, one, other)
        for entry in entries(sets_page)
        for one, other in combinations(entry["regions"], 2)
        if other["severity"] != one["severity"]
    )
    tab = opened_at(opened, sets_page, entry)
    tab.select_option("#family", first["distortion"])
    tab.locator("#severities button").nth(second["severity"] - 1).click()
    cell = (first["distortion"], second["severity"])
    wanted = [
        one["image_id"]
        for one in entries(sets_page)
        if any((region["distortion"], region["severity"]) == cell for region in one["regions"])
    ]
    assert entry["image_id"] not in wanted
    assert tab.evaluate("state.shown.map((index) => data.images[index].image_id)") == wanted


def test_images_are_chosen_by_difficulty(opened: Open, sets_page: Path) -> None:
    tab = opened(sets_page)
    for name in ("easy", "medium", "hard"):
        if tab.locator(f"#difficulty option[value={name}]").count():
            wanted = [e for e in entries(sets_page) if any(r["difficulty"] == name for r in e["regions"])]
            tab.select_option("#difficulty", name)
            assert tab.inner_text("#count") == f"{len(wanted)} of {len(entries(sets_page))} images"
            assert 0 < len(wanted) < len(entries(sets_page))
    assert tab.locator("#difficulty option").count() > 2


# --- questions ------------------------------------------------------------------------------------------------------


def test_solutions_are_listed_with_the_numbers_of_the_outlines(opened: Open, sets_page: Path, sets: Path) -> None:
    entry = several(sets_page)
    tab = opened_at(opened, sets_page, entry)
    (row,) = (r for r in rows_of(sets, "samples") if r["image_id"] == entry["image_id"] and r["task"] == "diagnosis")
    boxes = [region["bbox"] for region in entry["regions"]]
    listed = tab.locator("#panel .listed li").all()
    truth = diagnosis.read(f"<answer>{row['solution']}</answer>").regions
    assert len(listed) == len(truth) == 3
    for line, box, region in zip(listed, row["boxes"], truth, strict=True):
        number = boxes.index(box)
        assert line.locator(".badge").inner_text() == str(number + 1)
        corners = ", ".join(f"{value:g}" for value in region.box)
        assert line.inner_text().endswith(f"{label(entry['regions'][number])} [{corners}]")
    tab.locator("#panel summary").first.click()
    assert row["prompt"][0]["content"] in tab.evaluate("document.getElementById('panel').textContent")
    assert row["solution"] in tab.inner_text("#panel")


def test_pairs_of_images_lead_to_each_other(opened: Open, sets_page: Path) -> None:
    entry, question = next(
        (entry, question)
        for entry in entries(sets_page)
        for question in entry["questions"]
        if question["task"] == "comparison"
    )
    tab = opened_at(opened, sets_page, entry)
    assert tab.locator("#panel .chips .right").inner_text() == question["solution"]
    tab.locator("#panel .link").click()
    settled(tab, question["other"])
    assert shown(tab) == question["other"]


def test_pairs_of_regions_are_numbered(opened: Open, sets_page: Path, sets: Path) -> None:
    row = next(row for row in rows_of(sets, "samples") if row["task"] == "comparison_regions")
    entry = next(entry for entry in entries(sets_page) if entry["image_id"] == row["image_id"])
    tab = opened_at(opened, sets_page, entry)
    boxes = [region["bbox"] for region in entry["regions"]]
    assert tab.locator(".under .badge").all_inner_texts() == [str(boxes.index(box) + 1) for box in row["boxes"]]


@pytest.mark.parametrize("screen", [PHONE, WIDE], ids=["phone", "wide"])
def test_nothing_sticks_out(opened: Open, sets_page: Path, screen: dict[str, Any]) -> None:
    tab = opened(sets_page, **screen)
    for entry in entries(sets_page):
        settled(tab, entry["image_id"])
        assert tab.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"]
        tab.keyboard.press("ArrowRight")
