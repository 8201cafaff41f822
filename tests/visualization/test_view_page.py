"""The page in a real browser: what it shows, what its keys and filters do, and that nothing gets in or out."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browser_tabs import PHONE, WIDE, Open, drawn, settled, shown, wait
from view_samples import HOSTILE, Page, decoded, read_page, stored_images

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab


def part_of(tab: "Tab", scale: int = 1) -> tuple[tuple[int, int], tuple[slice, slice]]:
    """Where on the canvas a piece of the image lies that is wholly in sight, and the slices of that piece."""
    view, size = tab.evaluate("[state.view, [canvas.width, canvas.height, current().width, current().height]]")
    x, y = max(0, -(-max(-view["x"], 0) // scale)), max(0, -(-max(-view["y"], 0) // scale))
    right, bottom = ((size[i] - view["xy"[i]]) // scale for i in (0, 1))
    piece = slice(int(y), int(min(size[3], bottom))), slice(int(x), int(min(size[2], right)))
    return (int(view["x"] + x * scale), int(view["y"] + y * scale)), piece


# --- pixels ---------------------------------------------------------------------------------------------------------


def test_what_is_drawn_are_the_stored_pixels(opened: Open, usual_page: Path, usual: Path) -> None:
    tab, stored = opened(usual_page), stored_images(usual)
    tab.keyboard.press("o")
    for image_id in [entry["image_id"] for entry in read_page(usual_page).data["images"]]:
        settled(tab, image_id)
        assert tab.inner_text("#exact") == "\u2713 exact pixels"
        tab.keyboard.press("1")
        (x, y), piece = part_of(tab)
        wanted = stored[image_id]["after"][piece]
        assert wanted.size > 3 * 200 * 200
        assert np.array_equal(drawn(tab, x, y, *wanted.shape[1::-1]), wanted)
        tab.keyboard.press(" ")
        assert np.array_equal(drawn(tab, x, y, *wanted.shape[1::-1]), stored[image_id]["before"][piece])
        tab.keyboard.press(" ")
        tab.keyboard.press("ArrowRight")


def test_a_screenshot_has_the_stored_pixels(opened: Open, usual_page: Path, usual: Path) -> None:
    tab = opened(usual_page)
    entry = read_page(usual_page).data["images"][0]
    settled(tab, entry["image_id"])
    tab.keyboard.press("o")
    tab.keyboard.press("1")
    (x, y), piece = part_of(tab)
    box = tab.locator("#canvas").bounding_box()
    wanted = stored_images(usual)[entry["image_id"]]["after"][piece]
    height, width = wanted.shape[:2]
    clip = {"x": box["x"] + x, "y": box["y"] + y, "width": width, "height": height}
    assert np.array_equal(decoded(tab.screenshot(clip=clip)), wanted)


def test_large_zoom_shows_squares(opened: Open, usual_page: Path, usual: Path) -> None:
    tab = opened(usual_page)
    image_id = read_page(usual_page).data["images"][0]["image_id"]
    settled(tab, image_id)
    tab.keyboard.press("o")
    tab.keyboard.press("1")
    tab.keyboard.press("+")
    tab.keyboard.press("+")
    assert tab.inner_text("#zoom") == "400 %"
    (x, y), piece = part_of(tab, 4)
    wanted = stored_images(usual)[image_id]["after"][piece][:40, :40]
    assert np.array_equal(drawn(tab, x, y, 160, 160), wanted.repeat(4, 0).repeat(4, 1))


def test_the_slider_parts_reference_and_image(opened: Open, usual_page: Path, usual: Path) -> None:
    tab = opened(usual_page)
    entry = read_page(usual_page).data["images"][0]
    settled(tab, entry["image_id"])
    tab.keyboard.press("o")
    tab.keyboard.press("1")
    (x, y), piece = part_of(tab)
    width = piece[1].stop - piece[1].start
    percent = round(100 * (x + width / 2) / tab.evaluate("canvas.width"))  # through the middle of what is seen
    tab.locator("#split").fill(str(percent))
    assert tab.locator("#modes [aria-pressed=true]").inner_text() == "Compare"
    row = stored_images(usual)[entry["image_id"]]
    edge = round(tab.evaluate("canvas.width") * percent / 100) - x
    assert 0 < edge < width
    seen = drawn(tab, x, y, width, piece[0].stop - piece[0].start)
    assert np.array_equal(seen[:, :edge], row["before"][piece][:, :edge])
    assert np.array_equal(seen[:, edge:], row["after"][piece][:, edge:])
    handle = tab.locator("#divider").bounding_box()
    tab.mouse.move(handle["x"] + 18, handle["y"] + 200)
    tab.mouse.down()
    tab.mouse.move(handle["x"] + 118, handle["y"] + 200)
    tab.mouse.up()
    assert int(tab.locator("#split").input_value()) == pytest.approx(
        percent + 10000 / tab.evaluate("stage.clientWidth"), abs=1
    )


def test_the_outline_is_around_the_region(opened: Open, usual_page: Path) -> None:
    tab = opened(usual_page)
    entry = read_page(usual_page).data["images"][0]
    settled(tab, entry["image_id"])
    tab.keyboard.press("1")
    plain_x, plain_y = tab.evaluate("[state.view.x, state.view.y]")
    x1, y1, _, y2 = entry["regions"][0]["bbox"]
    left, top = int(plain_x + x1) - 1, int(plain_y + (y1 + y2) / 2)
    marked = drawn(tab, left, top, 2, 1)[0]
    assert (np.abs(marked.astype(int) - (255, 197, 61)).max(axis=1) < 40).all()
    tab.locator("#outline").click()
    assert (np.abs(drawn(tab, left, top, 2, 1)[0].astype(int) - marked).max(axis=1) > 0).any()


# --- keys and clicks ------------------------------------------------------------------------------------------------


def test_keys(opened: Open, usual_page: Path) -> None:
    tab = opened(usual_page)
    ids = [entry["image_id"] for entry in read_page(usual_page).data["images"]]
    for key, at in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", -1),
        ("ArrowRight", -1),
        ("Home", 0),
    ):
        tab.keyboard.press(key)
        settled(tab, ids[at])
        assert shown(tab) == ids[at]
    pressed = "#modes [aria-pressed=true]"
    for key, mode in ((" ", "Reference"), (" ", "Distorted"), ("c", "Compare"), (" ", "Reference"), ("c", "Compare")):
        tab.keyboard.press(key)
        assert tab.inner_text(pressed) == mode
    tab.keyboard.press("?")
    assert tab.locator("#help").is_visible()
    tab.keyboard.press("Escape")
    assert not tab.locator("#help").is_visible()
    tab.keyboard.press("f")
    tab.keyboard.press("Tab")
    tab.locator("#least").press("ArrowRight")
    assert shown(tab) == ids[0], "an arrow key in a filter is the filter's"


def test_clicks(opened: Open, usual_page: Path) -> None:
    tab = opened(usual_page)
    ids = [entry["image_id"] for entry in read_page(usual_page).data["images"]]
    tab.locator("#strip button").nth(3).click()
    settled(tab, ids[3])
    tab.keyboard.press(" ")
    assert tab.inner_text("#modes [aria-pressed=true]") == "Reference", "the space bar belongs to the picture"
    tab.get_by_role("button", name="Next image").click()
    settled(tab, ids[4])
    assert tab.url.endswith(f"#{ids[4]}")
    tab.locator("#in").click()
    tab.locator("#stage").dblclick()
    assert tab.evaluate("state.view") is None
    tab.mouse.wheel(0, -300)
    assert tab.evaluate("state.view.scale > 1")


def test_a_page_opens_at_the_image_in_its_address(opened: Open, usual_page: Path) -> None:
    wanted = read_page(usual_page).data["images"][5]["image_id"]
    tab = opened(usual_page, f"#{wanted}")
    settled(tab, wanted)
    assert shown(tab) == wanted


def test_answers_can_be_hidden(opened: Open, usual_page: Path) -> None:
    tab = opened(usual_page)
    entry = read_page(usual_page).data["images"][0]
    settled(tab, entry["image_id"])
    region, chips = entry["regions"][0], tab.locator("#panel .chips .right")
    assert tab.inner_text("#panel h2") == f"{region['type']}, {region['level']}"
    assert chips.count()
    assert tab.locator("#panel .solution").count() == len(entry["questions"])
    tab.keyboard.press("a")
    assert not chips.count()
    assert not tab.locator("#panel .truth").count()
    assert f"{region['distortion']}.{region['variant']}" not in tab.inner_text("#panel")
    assert region["type"] not in tab.inner_text("#strip")


# --- filters --------------------------------------------------------------------------------------------------------


def fitting(page: Page, test: Callable[[dict[str, Any]], bool]) -> list[str]:
    return [entry["image_id"] for entry in page.data["images"] if test(entry)]


def test_filters(opened: Open, usual_page: Path) -> None:
    tab, page = opened(usual_page), read_page(usual_page)
    first = page.data["images"][0]["regions"][0]
    wanted = fitting(page, lambda e: e["regions"][0]["distortion"] == first["distortion"])
    tab.select_option("#family", first["distortion"])
    assert tab.inner_text("#count") == f"{len(wanted)} of 12 images"
    assert tab.locator("#strip button").count() == len(wanted)
    label = tab.locator(f"#family option[value={first['distortion']}]").inner_text()
    assert label == f"{first['type']} ({len(wanted)})"
    tab.locator("#reset").click()
    wait(tab, "document.getElementById('count').textContent.startsWith('12')")
    tab.locator("#severities button").nth(0).click()
    tab.locator("#severities button").nth(4).click()
    wanted = fitting(page, lambda e: e["regions"][0]["severity"] in (1, 5))
    assert tab.inner_text("#count") == f"{len(wanted)} of 12 images"
    assert shown(tab) in wanted
    tab.keyboard.press("Home")
    settled(tab, wanted[0])
    assert shown(tab) == wanted[0]


def test_filters_by_task_and_visibility(opened: Open, usual_page: Path) -> None:
    tab, page = opened(usual_page), read_page(usual_page)
    tab.select_option("#task", "grounding")
    wanted = fitting(page, lambda e: any(q["task"] == "grounding" for q in e["questions"]))
    assert 0 < len(wanted) < 12
    assert tab.inner_text("#count") == f"{len(wanted)} of 12 images"
    tab.select_option("#task", "")
    tab.locator("#least").fill("4")
    wanted = fitting(page, lambda e: e["regions"][0]["visibility"]["v"] >= 4)
    assert 0 < len(wanted) < 12
    assert tab.inner_text("#count") == f"{len(wanted)} of 12 images"
    tab.locator("#most").fill("3")
    assert tab.inner_text("#count") == "0 of 12 images"
    assert tab.locator("#empty").is_visible()
    assert tab.inner_text("#panel") == ""
    for key in ("ArrowRight", " ", "c", "+", "1", "0", "o", "a", "Home"):
        tab.locator("#stage").press(key)
    tab.locator("#reset").click()
    wait(tab, "document.getElementById('count').textContent.startsWith('12')")
    assert not tab.locator("#empty").is_visible()


# --- every screen, every row ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, WIDE], ids=["phone", "wide"])
def test_nothing_sticks_out(opened: Open, odd_page: Path, screen: dict[str, Any], scheme: str) -> None:
    tab = opened(odd_page, color_scheme=scheme, **screen)
    for entry in read_page(odd_page).data["images"]:
        settled(tab, entry["image_id"])
        # Not `innerWidth`: a phone makes that as wide as what sticks out.
        width = tab.evaluate("document.documentElement.scrollWidth")
        assert width <= screen["viewport"]["width"], entry["image_id"]
        tab.keyboard.press("ArrowRight")
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(251, 250, 248)") == (scheme == "light")


def test_a_swipe_goes_on(opened: Open, usual_page: Path) -> None:
    tab = opened(usual_page, **PHONE)
    ids = [entry["image_id"] for entry in read_page(usual_page).data["images"]]
    box = tab.locator("#stage").bounding_box()
    for kind, x in (("pointerdown", 280), ("pointermove", 180), ("pointerup", 80)):
        at = {"clientX": x, "clientY": box["y"] + 60, "pointerId": 7, "pointerType": "touch", "bubbles": True}
        tab.dispatch_event("#stage", kind, at)
    settled(tab, ids[1])
    assert shown(tab) == ids[1]


def test_odd_rows_are_shown_as_what_they_are(opened: Open, odd_page: Path) -> None:
    tab = opened(odd_page)
    told = []
    for entry in read_page(odd_page).data["images"]:
        settled(tab, entry["image_id"])
        told.append((tab.inner_text("#panel"), tab.inner_text("#exact"), tab.locator("#modes :disabled").count()))
        tab.keyboard.press("ArrowRight")
    exact = "\u2713 exact pixels"
    assert "Pristine" in told[0][0]
    assert "2 REGIONS" in told[1][0]
    assert "without its references" in told[2][0]
    assert "another size" in told[3][0]
    assert [disabled for _, _, disabled in told[:5]] == [0, 0, 2, 2, 0]
    assert all(pixels == exact for _, pixels, _ in told)
    assert "V unknown" in told[6][0]


def test_hostile_words_are_words(opened: Open, odd_page: Path, odd: Path) -> None:
    tab = opened(odd_page, "#train-000005")
    settled(tab, "train-000005")
    assert tab.evaluate("typeof hacked") == "undefined"
    text = tab.evaluate("document.getElementById('panel').textContent")
    assert text.count("</script><script>hacked=1</script>") > 6
    assert HOSTILE.replace("\x00", "\ufffd") in text or HOSTILE in text
    assert tab.inner_text("h1") == odd.name
    assert not tab.locator("#panel img, #panel script").count()
    tab.evaluate("() => { const s = document.createElement('script'); s.text = 'hacked = 4'; document.body.append(s) }")
    assert tab.evaluate("typeof hacked") == "undefined", "the policy lets no other script run"
    assert "Content Security Policy" in opened.complaints.pop()


def test_it_can_be_used_without_seeing_it(opened: Open, usual_page: Path) -> None:
    tab = opened(usual_page)
    nameless = "button, input, select, canvas, img:not([alt])"
    assert (
        tab.evaluate(
            f"""[...document.querySelectorAll({nameless!r})].filter((node) => !(node.getAttribute("aria-label")
        || node.labels?.length || node.textContent.trim())).map((node) => node.outerHTML)"""
        )
        == []
    )
    assert "Type" not in tab.locator("#canvas").get_attribute("aria-label")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.matches(':focus-visible')")
