"""Pages that people look at while a model trains: samples with boxes, and curves."""

import json
import math
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from distortlab.tasks import grounding
from distortlab.tasks.answer import wrap
from distortlab.tasks.grounding import Coordinates
from refine_iqa_train.config.schema import load_config
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.prompts import make_rated_row, prepare_question
from refine_iqa_train.monitoring.curves import (
    MAX_POINTS,
    PANELS,
    _choose_ticks,
    read_series,
    render_curves,
    write_curves,
)
from refine_iqa_train.monitoring.samples_page import Answer, Card, make_card, render_page, write_page
from refine_iqa_train.training.train import train

HOSTILE = "<script>alert(1)</script></pre></svg><img src=x onerror=alert(1)>\"'&"
SIZES = [(160, 120), (217, 90), (700, 500)]


class Tags(HTMLParser):
    """Tags, their attributes and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def stored_row(size: tuple[int, int], box: tuple[int, int, int, int], folder: Path) -> dict[str, Any]:
    """A grounding question as it is stored, about a picture of this size."""
    Image.new("RGB", size, (90, 120, 150)).save(folder / "a.png")
    content = grounding.question("thousandths", None, 0)
    return {
        "sample_id": "one",
        "image_id": "one",
        "prompt": [{"role": "user", "content": content}],
        "images": [{"path": str(folder / "a.png"), "bytes": None}],
        "task": "grounding",
        "solution": grounding.truth(box, size, "thousandths"),
        "bbox": list(box),
        "distortion": "noise",
        "severity": 4,
    }


# --- samples --------------------------------------------------------------------------------------------------------


def test_a_page_shows_images_and_escapes_what_a_model_wrote(tmp_path: Path) -> None:
    answer = Answer(HOSTILE, {"format": 1.0, "object": math.nan}, -0.5)
    card = Card("id&1", "object", HOSTILE, HOSTILE, [Image.new("RGB", (700, 500))], [answer, answer], HOSTILE)
    write_page(tmp_path, 50, [card])
    write_page(tmp_path, 100, [card])
    html = (tmp_path / "step-000050.html").read_text()
    tags = Tags(html)
    assert not tags.of("script")
    assert len(tags.of("img")) == 1
    assert tags.text.count(HOSTILE) == 5
    assert "http" not in html.replace("data:image/png;base64", "")
    assert "format 1.00" in tags.text
    assert "object nan" not in tags.text
    index = (tmp_path / "index.html").read_text()
    assert index.index("step-000100") < index.index("step-000050")
    for text in (html, index):
        assert "../curves.html" in [link["href"] for link in Tags(text).of("a")]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("coordinates", ["thousandths", "pixels"])
@pytest.mark.parametrize("align", [None, 224])
def test_the_true_answer_is_drawn_on_the_region(
    tmp_path: Path, size: tuple[int, int], coordinates: Coordinates, align: int | None
) -> None:
    """Whatever a model's coordinates are, and whether the picture was padded or resized."""
    policy = ImagePolicy(28, 56 * 56, 1 << 20, align)
    row = prepare_question(stored_row(size, (20, 30, 100, 80), tmp_path), policy, coordinates)
    shown = row["images"][-1].size
    card = make_card(row, [(wrap(row["solution"], "."), {"grounding": 1.0}, 0.5)])
    assert card.label == "noise, severity 4 of 5"
    assert card.answers[0].box == pytest.approx(card.box, abs=1 / min(*shown, 1000))
    kept = [edge / side for edge, side in zip((20, 30, 100, 80), policy.padded_size(size) * 2, strict=True)]
    assert card.box == pytest.approx(kept)
    rects = [tag for tag in Tags(render_page(1, [card])).of("rect") if tag["class"] == "truth"]
    assert [float(str(rects[0][name])) / 1000 for name in ("x", "width")] == pytest.approx(
        [kept[0], kept[2] - kept[0]], abs=1e-3
    )


def test_boxes_of_answers_are_cut_at_the_edges_and_numbered(tmp_path: Path) -> None:
    row = prepare_question(stored_row((160, 120), (20, 30, 100, 80), tmp_path), ImagePolicy(None), "thousandths")
    said = ["[0, 0, 999999999, 500]", "no box", "[100, 100, 300, 300]", "[0, 0, 999999999, 500]", "[5, 5, 1, 1]"]
    card = make_card(row, [(wrap(text, "."), {}, 0.0) for text in said])
    tags = Tags(render_page(1, [card]))
    given_boxes = [tag for tag in tags.of("rect") if tag["class"] == "given"]
    assert len(given_boxes) == 2
    assert max(float(str(tag["x"])) + float(str(tag["width"])) for tag in tags.of("rect")) <= 1000
    labels = [tree.text for tree in next(iter(drawings(render_page(1, [card])).values())).iter("text")]
    assert labels == ["1, 4", "3"]
    assert any("swatch truth" in str(tag["class"]) for tag in tags.of("span"))
    assert any("swatch given" in str(tag["class"]) for tag in tags.of("span"))


def test_rated_images_and_foreign_prompts_have_no_boxes_of_answers(tmp_path: Path) -> None:
    stored = stored_row((160, 120), (20, 30, 100, 80), tmp_path)
    foreign = {**stored, "prompt": [{"role": "user", "content": "Where? Answer in inches."}]}
    card = make_card(
        prepare_question(foreign, ImagePolicy(None), "thousandths"), [(wrap("[1, 2, 3, 4]", "."), {}, 0.0)]
    )
    assert card.answers[0].box is None
    rated = prepare_question(make_rated_row("b", str(tmp_path / "a.png"), 3.5), ImagePolicy(None), "thousandths")
    card = make_card(rated, [(wrap("Score:3.44", "."), {"quality": 1.0}, 0.1)])
    assert (card.box, card.label) == (None, "")
    assert not Tags(render_page(1, [card])).of("svg")


# --- curves ---------------------------------------------------------------------------------------------------------


def history(steps: int) -> list[dict[str, Any]]:
    """What GRPO logs, with gaps."""
    logged: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        odd = step % 2
        logged.append({"step": step, "reward": step / 10, "entropy": 1 / step, "loss": 1e-9, "kl": math.nan})
        logged[-1] |= {"rewards/object/mean": 0.5 if odd else None, "frac_reward_zero_std": 0.0}
        if step % 5 == 0:
            logged.append({"step": step, "eval_held_out/n": 5, "eval_quality/srcc": 0.5, "eval_quality/plcc": None})
    return logged


def drawings(html: str) -> dict[str, ElementTree.Element]:
    """The drawings of a page, by title; each is well-formed XML."""
    parts = [f"<svg{part.split('</svg>')[0]}</svg>" for part in html.split("<svg")[1:]]
    return {str(tree.get("aria-label")): tree for tree in map(ElementTree.fromstring, parts)}


@pytest.mark.parametrize("steps", [0, 1, 2, 40, 900])
def test_every_metric_that_was_logged_has_a_curve_inside_its_frame(steps: int) -> None:
    html = render_curves(HOSTILE, history(steps))
    drawn = drawings(html)
    reached = {"Held out: correlation"} if steps >= 5 else set()
    assert set(drawn) == (
        {"Reward", "Rewards by task", "Entropy", "Groups with equal rewards"} | reached if steps else set()
    )
    assert not Tags(html).of("script")
    assert HOSTILE in Tags(html).text
    assert "http" not in html
    for tree in drawn.values():
        _, _, width, height = map(float, str(tree.get("viewBox")).split())
        places = [
            tuple(map(float, spot.split(",")))
            for line in tree.iter("polyline")
            for spot in str(line.get("points")).split()
        ]
        places += [(float(str(dot.get("cx"))), float(str(dot.get("cy")))) for dot in tree.iter("circle")]
        assert places
        assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


def test_a_curve_has_the_values_that_were_logged() -> None:
    found = read_series(history(40), "rewards/object/mean")
    assert [value for _, value in found] == [0.5, None] * 20
    assert read_series(history(40), "reward") == [(float(step), step / 10) for step in range(1, 41)]
    assert read_series(history(40), "kl") == [(float(step), None) for step in range(1, 41)]
    many = read_series(history(3000), "reward")
    assert len(many) <= MAX_POINTS
    assert np.mean([value for _, value in many]) == pytest.approx(np.mean([n / 10 for n in range(1, 3001)]))


def test_the_loss_is_drawn_for_the_cold_start_alone() -> None:
    cold = [{"step": 1, "loss": 4.0, "mean_token_accuracy": 0.1}, {"step": 2, "loss": 3.0, "mean_token_accuracy": 0.2}]
    assert set(drawings(render_curves("sft", cold))) == {"Loss of the cold start", "Token accuracy"}
    assert len({panel.title for panel in PANELS}) == len(PANELS)


@given(low=st.floats(-1e6, 1e6), span=st.floats(0, 1e6), whole=st.booleans())
def test_ticks_enclose_a_range_in_even_steps(low: float, span: float, whole: bool) -> None:
    least = 1.0 if whole else 0.0
    ticks = _choose_ticks(low, low + span, least)
    slack = 1e-6 * max(1.0, abs(low) + span)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack
    steps = [b - a for a, b in pairwise(ticks)]
    assert 1 <= len(steps) <= 6
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-6, abs=slack)
    assert min(steps) >= least - slack


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_curves(tmp_path, history(5))
    before = (tmp_path / "curves.html").read_text()

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_curves(tmp_path, history(50))
    assert (tmp_path / "curves.html").read_text() == before


@pytest.mark.slow
def test_curves_of_a_run_that_goes_on_begin_at_its_first_step(run_file: Callable[..., Path], tmp_path: Path) -> None:
    keys = {"per_device_train_batch_size": 4, "save_steps": 2, "disable_tqdm": True}
    path = run_file(keys, validation={"every": 0})
    train(load_config(path, {"trainer.max_steps": 2}), "stage1")
    train(load_config(path, {"trainer.max_steps": 3}), "stage1")
    out = tmp_path / "run"
    html = (out / "curves.html").read_text()
    logged = json.loads((out / "trainer_state.json").read_text())["log_history"]
    assert html == render_curves("run", logged)
    assert len(list(drawings(html)["Entropy"].iter("circle"))) == 3
    boxes = Tags((out / "samples" / "step-000000.html").read_text()).of("rect")
    assert any(tag["class"] == "truth" for tag in boxes)
