"""Questions in a model's coordinates: a perfect answer scores 1 everywhere, and the words of others are left alone."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from distortlab.core.errors import UserError
from distortlab.tasks import grounding, score
from distortlab.tasks.answer import format_completion
from distortlab.tasks.grounding import Coordinates
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.prompts import convert_grounding_question
from refine_iqa_train.models.families import FAMILIES

QWEN25 = ImagePolicy(28, 3136, 12_845_056)
QWEN3 = ImagePolicy(32, 65_536, 16_777_216)
ODD = [(512, 384), (1024, 768), (1920, 1080), (333, 517), (97, 1211), (4032, 3024)]
POLICIES = {
    "qwen2_5_vl": QWEN25,
    "qwen2_vl": QWEN25,
    "qwen3_vl": QWEN3,
    "llava": ImagePolicy(None),
}


@st.composite
def boxes(draw: st.DrawFn, size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    x1, y1 = draw(st.integers(0, width - 33)), draw(st.integers(0, height - 33))
    return x1, y1, draw(st.integers(x1 + 32, width)), draw(st.integers(y1 + 32, height))


@pytest.mark.parametrize("align", [None, 224])
@pytest.mark.parametrize("stored", ["thousandths", "pixels"])
@pytest.mark.parametrize("family", POLICIES)
@pytest.mark.parametrize("size", ODD)
@settings(max_examples=8)
@given(data=st.data())
def test_a_perfect_answer_scores_one(family: str, size: Any, stored: Coordinates, align: int | None, data: Any) -> None:
    box = data.draw(boxes(size))
    rules = POLICIES[family]
    policy = ImagePolicy(rules.factor, rules.min_pixels, rules.max_pixels, align)
    asked = grounding.question(stored, size, 2)
    prompt, solution = convert_grounding_question(
        asked, grounding.truth(box, size, stored), box, size, policy, FAMILIES[family].coordinates
    )
    assert score("grounding", format_completion(solution, "..."), solution).value == 1.0
    frame = policy.frame_size(size) if FAMILIES[family].coordinates == "pixels" else (1000, 1000)
    assert (f"which is {frame[0]} wide and {frame[1]} high" in prompt) == (family == "qwen2_5_vl")
    # on fractions of what is seen, the solution is the box but for rounding
    seen = policy.padded_size(size)
    given_box = grounding.read(format_completion(solution, "..."))
    assert not hasattr(given_box, "name")
    for edge, (exact, side, whole) in zip(given_box, zip(box, seen * 2, frame * 2, strict=True), strict=True):
        assert abs(edge / whole - exact / side) <= 0.5 / whole + 1e-9


def test_iou_is_the_same_in_pixels_and_on_fractions() -> None:
    a, b = (10.0, 20.0, 110.0, 220.0), (30.0, 10.0, 130.0, 200.0)
    on_fractions = grounding.iou(*(tuple(v / s for v, s in zip(x, (504, 392) * 2, strict=True)) for x in (a, b)))  # type: ignore[arg-type]
    assert grounding.iou(a, b) == pytest.approx(on_fractions, abs=1e-15)


def test_the_words_of_others_are_left_alone() -> None:
    mine = ("Where is the dog, in percent?", "[1, 2, 3, 4]")
    assert convert_grounding_question(*mine, (1, 2, 3, 4), (100, 100), QWEN25, "pixels") == mine


def test_in_a_stream_it_stops_the_run_and_nothing_takes_its_place() -> None:
    from refine_iqa_train.data.prompts import open_image

    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG")
    with pytest.raises(UserError, match=r"the image of row-7 \(a\.jpg\) does not open"):
        open_image({"bytes": file.getvalue()[:200], "path": "a.jpg"}, "row-7")
