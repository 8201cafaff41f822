"""The page in a real browser: scripted people of known thresholds answer by keyboard and touch, and `--score` finds
their thresholds again.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browser_tabs import Open
from study_samples import Person
from view_samples import decoded, stored_images

from distortlab.analysis.study.scores import score_study
from distortlab.analysis.study.stimuli import REFERENCE, Stimuli
from distortlab.tasks.terms import FAMILIES
from distortlab.visualization.study import StudySummary

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

WIDE: dict[str, Any] = {"viewport": {"width": 1400, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 3,
}
STEP = """async () => {
  const due = () => !trial || trial.answered || $("trial").hidden;
  while (steps()[session.at].kind === "trial" && due()) await new Promise((resolve) => setTimeout(resolve, 2));
  const step = steps()[session.at];
  const names = (stage.dataset.shown ?? "").split(" ");
  return { kind: step.kind, task: step.task, teaches: Boolean(step.truth), names };
}"""


@dataclass
class Sitting:
    """A person in front of a page."""

    tab: "Tab"
    person: Person
    touch: bool

    def begin(self) -> None:
        assert self.tab.input_value("#name") == self.person.name
        self.press("Begin")
        self.press("Go on")

    def press(self, text: str) -> None:
        button = self.tab.get_by_role("button", name=text, exact=True)
        button.tap() if self.touch else button.press("Enter")

    def go(self, most: int = 1000) -> None:
        """Answer until the end, or so many questions."""
        while most:
            step = self.tab.evaluate(STEP)
            if step["kind"] == "end":
                return
            if step["kind"] != "trial":
                self.tab.locator("#card .primary").tap() if self.touch else self.tab.keyboard.press("Enter")
                continue
            self.answer(step["task"], self.person.answer(step["task"], step["names"]))
            if step["teaches"]:
                assert self.tab.inner_text("#feedback").startswith(("Right. ", "Not this time. "))
                self.press("Go on")
            else:
                most -= 1

    def answer(self, task: str, value: Any) -> None:
        if self.touch:
            self._tap(task, value)
        else:
            self._type(task, value)

    def _tap(self, task: str, value: Any) -> None:
        if task == "grounding" and value is not None:
            box = self.tab.locator("#stage canvas").bounding_box()
            scale = self.tab.evaluate("cssScale()")
            self.tab.touchscreen.tap(box["x"] + value[0] * scale, box["y"] + value[1] * scale)
            value = "here"
        box = self.tab.locator(f'#choices [data-value="{"none" if value is None else value}"]').bounding_box()
        self.tab.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def _type(self, task: str, value: Any) -> None:
        keys = {"untouched": "ArrowLeft", "distorted": "y", "First": "1", "Second": "ArrowRight", None: "n"}
        if task == "grounding" and value is not None:
            self._point(value)
            self.tab.keyboard.press("Enter")
        else:
            self.tab.keyboard.press("abcdefghijkl"[FAMILIES.index(value)] if value in FAMILIES else keys[value])

    def _point(self, place: list[int]) -> None:
        """By arrow keys from the middle of the image: an eighth of the longer side with Shift, a fortieth without."""
        at = self.tab.evaluate("[frames[0].image.width / 2, frames[0].image.height / 2]")
        longer = 2 * max(at)
        pressed = 0
        for axis, (less, more) in enumerate((("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))):
            for prefix, step in (("Shift+", longer / 8), ("", longer / 40)):
                count = round((place[axis] - at[axis]) / step)
                for _ in range(abs(count)):
                    self.tab.keyboard.press(prefix + (more if count > 0 else less))
                at[axis] += count * step
                pressed += abs(count)
        if not pressed:  # there is no mark before it was moved
            self.tab.keyboard.press("ArrowLeft")

    def download(self, folder: Path) -> Path:
        with self.tab.expect_download() as caught:
            self.press("Download answers")
        caught.value.save_as(folder / caught.value.suggested_filename)
        return folder / caught.value.suggested_filename


def check_layout(tab: "Tab") -> None:
    """Nothing sticks out, and every answer is in sight."""
    width, height = tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    view = tab.viewport_size
    assert width <= view["width"]
    assert height <= view["height"]
    for button in tab.locator("#choices button").all():
        box = button.bounding_box()
        assert box["height"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= view["width"]
        assert box["y"] + box["height"] <= view["height"]


def test_scripted_people_are_understood(
    opened: Open, written: StudySummary, stimuli: Stimuli, study_data: Path, tmp_path: Path
) -> None:
    """One who sees little, by keyboard on a wide screen; one who sees much, by touch on a phone."""
    opened.ready = "!card.hidden"
    people = {"keys": (5.0, WIDE, 1), "touch": (1.5, PHONE, 2)}
    for folder, (threshold, screen, name) in people.items():
        (tmp_path / folder).mkdir()
        tab = opened(written.out, f"#{name}", **screen)
        sitting = Sitting(tab, Person(str(name), stimuli, threshold=threshold, slope=4.0), folder == "touch")
        sitting.begin()
        sitting.go(5)
        tab.evaluate(STEP)
        check_layout(tab)
        tab.set_viewport_size({"width": screen["viewport"]["height"], "height": screen["viewport"]["width"]})
        check_layout(tab)
        tab.set_viewport_size(screen["viewport"])
        tab.reload()
        sitting.press("Go on where they stopped")
        sitting.go()
        answers = json.loads(sitting.download(tmp_path / folder).read_text())
        check_answers(answers, sitting, name - 1)
    ends = {}
    for folder, (threshold, _, _) in people.items():
        scores = score_study(study_data, [tmp_path / folder])
        found = scores["thresholds"]["all"]
        ends[folder] = low, high = found["interval"]
        assert low <= threshold <= high
        assert 0.5 < found["v"] / threshold < 2
        assert (scores["n"], scores["answers"], scores["refused"], scores["ignored"]) == (1, 80, [], {})
    assert ends["touch"][1] < ends["keys"][0], "the two are told apart"


def check_answers(answers: dict[str, Any], sitting: Sitting, slot: int) -> None:
    """All that the person said, in the order of that place."""
    assert answers["finished"]
    assert answers["order"] == slot
    assert len(answers["trials"]) == 80
    assert {trial["input"] for trial in answers["trials"]} == {"touch" if sitting.touch else "key"}
    for trial in answers["trials"]:
        wanted = sitting.person.answer(trial["task"], trial["images"])
        if trial["task"] == "grounding" and wanted is not None:
            assert np.abs(np.subtract(trial["answer"], wanted)).max() <= 10
        else:
            assert trial["answer"] == wanted
        assert trial["seconds"] > 0


def test_images_are_shown_pixel_for_pixel(opened: Open, written: StudySummary, study_data: Path) -> None:
    opened.ready = "!card.hidden"
    stored = stored_images(study_data)
    clean = {f"{REFERENCE}{row['reference_id']}": row["before"] for row in stored.values()}
    for screen in (WIDE, PHONE):
        tab = opened(written.out, "#1", **screen)
        for text in ("Begin", "I have no card", "Begin the training"):
            tab.get_by_role("button", name=text, exact=True).click()
        shown = tab.evaluate(STEP)
        (name,) = shown["names"]
        wanted = clean[name] if name in clean else stored[name]["after"]
        scale = tab.evaluate("session.screen.scale")
        picture = decoded(tab.screenshot())
        box = tab.locator("#stage canvas").bounding_box()
        ratio = screen.get("device_scale_factor", 1)
        large = wanted.repeat(scale, 0).repeat(scale, 1)
        # Which whole pixel of the screen a box begins at is the browser's affair where it begins between two.
        corners = [(y, x) for y in find_pixels(box["y"] * ratio) for x in find_pixels(box["x"] * ratio)]
        seen = [picture[y : y + large.shape[0], x : x + large.shape[1]] for y, x in corners]
        assert sum(np.array_equal(part, large) for part in seen) == 1
        assert "pixel of an image is" in tab.evaluate("describeScale(session.screen)")


def find_pixels(edge: float) -> list[int]:
    return sorted({math.floor(edge), math.ceil(edge)})


def test_what_was_kept_by_another_page_is_not_taken_for_ours(opened: Open, written: StudySummary) -> None:
    opened.ready = "!card.hidden"
    tab = opened(written.out)
    name = tab.input_value("#name")
    assert len(name) == 8
    for odd in ("nonsense", "null", "[]", '{"at": 1e9, "answers": [], "participant": "1", "order": 5}'):
        tab.evaluate("(text) => localStorage.setItem(KEY, text)", odd)
        tab.reload()
        assert tab.locator("#card .primary").inner_text() == "Begin"
    tab.evaluate("localStorage.setItem(KEY, JSON.stringify({at: 1e9, answers: [], participant: '1', order: 0}))")
    tab.reload()
    tab.get_by_role("button", name="Go on where they stopped").click()
    tab.get_by_role("button", name="I have no card").click()
    assert "0 of 80 answers of participant 1" in tab.inner_text("#card")
    assert tab.evaluate("['1', '12', '13', '0', 'Ann'].map(orderOf)") == [0, 11, 0, 11, tab.evaluate("orderOf('Ann')")]


def test_an_image_may_be_shown_for_a_moment(opened: Open, study_data: Path, tmp_path: Path) -> None:
    from distortlab.visualization.study import write_study

    opened.ready = "!card.hidden"
    page = write_study(
        study_data, tmp_path / "s.html", trials=4, orders=1, seconds=0.05, blank=0.0, tasks=["detection"]
    )
    tab = opened(page.out)
    for text in ("Begin", "I have no card", "Begin the training"):
        tab.get_by_role("button", name=text, exact=True).click()
    tab.evaluate(STEP)
    tab.locator(".frame.gone").wait_for(state="attached")
    tab.keyboard.press("y")
    assert tab.locator(".frame.gone").count() == 0, "what was right is shown again"
