"""Pages of samples: images, answers that are escaped, and boxes where they belong."""

import math
from pathlib import Path
from typing import Any

import pytest
from pages import HOSTILE, Tags, find_drawings
from PIL import Image

from distortlab.tasks import comparison, diagnosis, grounding
from distortlab.tasks.answer import format_completion
from distortlab.tasks.grounding import Coordinates
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.prompts import make_rated_row, prepare_question
from refine_iqa_train.monitoring.samples_page import Answer, Card, make_card, render_page, write_page

SIZES = [(160, 120), (217, 90), (700, 500)]


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
        "boxes": None,
        "distortion": "noise",
        "severity": 4,
    }


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
    card = make_card(row, [(format_completion(row["solution"], "."), {"grounding": 1.0}, 0.5)])
    assert card.label == "noise, severity 4 of 5"
    (true_box,), (given_box,) = card.boxes, card.answers[0].boxes
    assert given_box == pytest.approx(true_box, abs=1 / min(*shown, 1000))
    kept = [edge / side for edge, side in zip((20, 30, 100, 80), policy.padded_size(size) * 2, strict=True)]
    assert true_box == pytest.approx(kept)
    rects = [tag for tag in Tags(render_page(1, [card])).of("rect") if tag["class"] == "truth"]
    assert [float(str(rects[0][name])) / 1000 for name in ("x", "width")] == pytest.approx(
        [kept[0], kept[2] - kept[0]], abs=1e-3
    )


def test_boxes_of_answers_are_cut_at_the_edges_and_numbered(tmp_path: Path) -> None:
    row = prepare_question(stored_row((160, 120), (20, 30, 100, 80), tmp_path), ImagePolicy(None), "thousandths")
    said = ["[0, 0, 999999999, 500]", "no box", "[100, 100, 300, 300]", "[0, 0, 999999999, 500]", "[5, 5, 1, 1]"]
    card = make_card(row, [(format_completion(text, "."), {}, 0.0) for text in said])
    tags = Tags(render_page(1, [card]))
    given_boxes = [tag for tag in tags.of("rect") if tag["class"] == "given"]
    assert len(given_boxes) == 2
    assert max(float(str(tag["x"])) + float(str(tag["width"])) for tag in tags.of("rect")) <= 1000
    labels = [tree.text for tree in next(iter(find_drawings(render_page(1, [card])).values())).iter("text")]
    assert labels == ["1, 4", "3"]
    assert any("swatch truth" in str(tag["class"]) for tag in tags.of("span"))
    assert any("swatch given" in str(tag["class"]) for tag in tags.of("span"))


@pytest.mark.parametrize("coordinates", ["thousandths", "pixels"])
def test_all_boxes_of_a_set_are_drawn(tmp_path: Path, coordinates: Coordinates) -> None:
    size, boxes = (700, 500), [(20, 30, 100, 80), (300, 200, 700, 500), (20, 30, 100, 80)]
    regions = [
        diagnosis.DistortedRegion(box, family, 3)
        for box, family in zip(boxes, ("noise", "blur", "pixelate"), strict=True)
    ]
    stored = {
        **stored_row(size, (0, 0, 700, 500), tmp_path),
        "prompt": [{"role": "user", "content": diagnosis.question("thousandths")}],
        "task": "diagnosis",
        "solution": diagnosis.truth(regions, size, "thousandths"),
        "boxes": [list(box) for box in boxes],
        "distortion": None,
        "severity": None,
    }
    row = prepare_question(stored, ImagePolicy(28, 56 * 56, 1 << 20), coordinates)
    nothing, far = format_completion("[]", "."), format_completion('[{"box": [0, 0, 1e8, 10], "type": "?"}]', ".")
    right = format_completion(row["solution"], ".")
    card = make_card(row, [(text, {"diagnosis": 0.5}, 0.0) for text in (right, nothing, right, far, HOSTILE)])
    assert card.label == ""
    assert len(card.boxes) == 3
    assert [len(answer.boxes) for answer in card.answers] == [3, 0, 3, 1, 0]
    for given_box, kept in zip(sorted(card.answers[0].boxes), sorted(card.boxes), strict=True):
        assert given_box == pytest.approx(kept, abs=2e-3)
    page = render_page(1, [card])
    rects = [tag for tag in Tags(page).of("rect") if tag["class"] == "truth"]
    assert len(rects) == 3
    labels = [tree.text for tree in next(iter(find_drawings(page).values())).iter("text")]
    assert labels == ["1, 3", "1, 3", "4"]
    assert max(float(str(tag["x"])) + float(str(tag["width"])) for tag in Tags(page).of("rect")) <= 1000


def test_a_distortion_of_the_whole_image_is_drawn_where_its_solution_lies(tmp_path: Path) -> None:
    """Around the padding too."""
    size = (700, 500)
    region = diagnosis.DistortedRegion((0, 0, 700, 500), "noise", 3)
    stored = {
        **stored_row(size, (0, 0, 700, 500), tmp_path),
        "prompt": [{"role": "user", "content": diagnosis.question("thousandths")}],
        "task": "diagnosis",
        "solution": diagnosis.truth([region], size, "thousandths"),
        "boxes": [[0, 0, 700, 500]],
    }
    row = prepare_question(stored, ImagePolicy(28, 56 * 56, 1 << 20, 224), "pixels")
    card = make_card(row, [(format_completion(row["solution"], "."), {}, 0.0)])
    assert card.boxes == list(card.answers[0].boxes) == [(0.0, 0.0, 1.0, 1.0)]


def test_regions_that_are_compared_have_their_names_and_images_have_no_boxes(tmp_path: Path) -> None:
    size, pair = (700, 500), [(20, 30, 100, 80), (300, 200, 700, 500)]
    stored = {
        **stored_row(size, (0, 0, 700, 500), tmp_path),
        "prompt": [{"role": "user", "content": comparison.question_about_regions(*pair, size, "thousandths")}],
        "task": "comparison_regions",
        "solution": "Second",
        "boxes": [list(box) for box in pair],
    }
    card = make_card(prepare_question(stored, ImagePolicy(None), "pixels"), [("<answer>First</answer>", {}, 0.0)])
    page = render_page(1, [card])
    assert [tag["class"] for tag in Tags(page).of("rect")] == ["halo", "truth"] * 2
    texts = list(next(iter(find_drawings(page).values())).iter("text"))
    assert [(text.text, text.get("class")) for text in texts] == [("First", "truth"), ("Second", "truth")]
    images = {
        **stored,
        "task": "comparison",
        "boxes": None,
        "images": stored["images"] * 2,
        "prompt": [{"role": "user", "content": comparison.question()}],
    }
    card = make_card(prepare_question(images, ImagePolicy(None), "pixels"), [("<answer>First</answer>", {}, 0.0)])
    assert not Tags(render_page(1, [card])).of("svg")


def test_rated_images_and_foreign_prompts_have_no_boxes_of_answers(tmp_path: Path) -> None:
    stored = stored_row((160, 120), (20, 30, 100, 80), tmp_path)
    foreign = {**stored, "prompt": [{"role": "user", "content": "Where? Answer in inches."}]}
    card = make_card(
        prepare_question(foreign, ImagePolicy(None), "thousandths"), [(format_completion("[1, 2, 3, 4]", "."), {}, 0.0)]
    )
    assert not card.answers[0].boxes
    rated = prepare_question(make_rated_row("b", str(tmp_path / "a.png"), 3.5), ImagePolicy(None), "thousandths")
    card = make_card(rated, [(format_completion("Score:3.44", "."), {"quality": 1.0}, 0.1)])
    assert (card.boxes, card.label) == ([], "")
    assert not Tags(render_page(1, [card])).of("svg")
