"""Sample completions with their images on a static page: one file, nothing loaded from elsewhere.

Completions are text from a model and may hold anything; all of it is escaped, and boxes are cut at the picture's edges.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from distortlab.storage.atomic import write_text
from distortlab.tasks import Unread, diagnosis, grounding
from refine_iqa_train.models.rows import TrainingRow

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["CURVES", "Answer", "Card", "make_card", "render_document", "render_page", "write_page"]

CURVES = "curves.html"
"""The page of curves, in the folder above that of these pages."""
SIDE = 320
"""Longest side of a picture on the page, in pixels."""
GRID = 1000
"""Width of every drawing over a picture, in its own units."""

Corners = tuple[float, float, float, float]

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #2a7; --truth: #38bdf8; --given: #ffa41b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid var(--line); padding: 1.2rem 0; }
article { display: grid; grid-template-columns: 20rem minmax(0, 1fr); gap: 1.5rem; }
.picture { position: relative; margin: 0 0 .5rem; }
.picture img { width: 100%; border-radius: 4px; display: block; }
.picture svg { position: absolute; inset: 0; width: 100%; height: 100%; }
rect { fill: none; vector-effect: non-scaling-stroke; stroke-width: 2; }
.halo { stroke: #000b; stroke-width: 4.5; }
rect.truth { stroke: var(--truth); }
rect.given { stroke: var(--given); stroke-dasharray: 5 3; }
svg text { font: bold 44px system-ui, sans-serif; fill: var(--given); stroke: #000b; stroke-width: 9px; }
svg text { paint-order: stroke; }
svg text.truth { fill: var(--truth); }
.swatch { display: inline-block; width: 1.4em; height: .8em; margin-right: .4em; }
.swatch.given { margin-left: 1.2em; }
.swatch.truth { border: 2px solid var(--truth); }
.swatch.given { border: 2px dashed var(--given); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace; margin: .3rem 0; }
details, .numbers { color: light-dark(#666, #aaa); }
.answer { background: var(--soft); border-radius: 4px; padding: .5rem .7rem; margin: .6rem 0; }
.answer { border-left: 4px solid var(--line); overflow-wrap: anywhere; }
.up { border-left-color: var(--good); }
.numbers { font-size: 13px; font-variant-numeric: tabular-nums; }
nav { margin: 1rem 0; }
@media (max-width: 50rem) { article { grid-template-columns: minmax(0, 1fr); } }
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion on a page.

    Parameters
    ----------
    text
        As the model wrote it.
    rewards
        By name; NaN: another task's.
    advantage
        Of the rollout in its group.
    boxes
        Each [x1, y1, x2, y2] in fractions of the picture.
    """

    text: str
    rewards: Mapping[str, float]
    advantage: float
    boxes: Sequence[Corners] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A question on a page, with the answers to it.

    Parameters
    ----------
    sample_id, task, prompt, solution
        Of the question.
    images
        PIL images; the last one is the one that was distorted.
    answers
        In the order of their numbers.
    label
        What was done to the last image.
    boxes
        Where, in fractions of its width and height.
    names
        Of the boxes, where the question gives them some.
    """

    sample_id: str
    task: str
    prompt: str
    solution: str
    images: "Sequence[Image]"
    answers: Sequence[Answer]
    label: str = ""
    boxes: Sequence[Corners] = ()
    names: Sequence[str] = ()


def make_card(row: TrainingRow, rollouts: Iterable[tuple[str, Mapping[str, float], float]]) -> Card:
    """Make the card of a question.

    Parameters
    ----------
    row
        As `prepare_question` makes it.
    rollouts
        (text, rewards by name, advantage) of each answer.
    """
    task, frame = row["task"], row["frame"]
    answers = [Answer(text, rewards, gain, _read_boxes(task, text, frame)) for text, rewards, gain in rollouts]
    severity = row["severity"]
    label = str(row["family"] or "") if severity is None else f"{row['family']}, severity {severity} of 5"
    boxes = [(x1, y1, x2, y2) for x1, y1, x2, y2 in row["boxes"]]
    names = ("First", "Second") if task == "comparison_regions" else ()
    question = str(row["prompt"][-1]["content"])
    return Card(row["sample_id"], task, question, row["solution"], row["images"], answers, label, boxes, names)


def _read_boxes(task: str, completion: str, frame: Sequence[int] | None) -> list[Corners]:
    """The boxes that a completion answers with, in fractions; `frame` is (width, height) in its units."""
    if frame is None:
        return []
    if task == "diagnosis":
        found = diagnosis.read(completion)
        boxes = [] if isinstance(found, Unread) else [region.box for region in found.regions]
    else:
        box = grounding.read(completion)
        boxes = [] if isinstance(box, Unread) else [box]
    return [(x1 / frame[0], y1 / frame[1], x2 / frame[0], y2 / frame[1]) for x1, y1, x2, y2 in boxes]


# --- pages ----------------------------------------------------------------------------------------------------------


def render_document(title: str, body: str, style: str = "") -> str:
    """Render a page of HTML; `body` is HTML, `title` is text."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style><h1>{escape(title)}</h1>{body}"
    )


def render_page(step: int, cards: Sequence[Card]) -> str:
    """Render the page of a step as HTML."""
    boxes = (
        '<span class="swatch truth"></span>regions that were distorted'
        '<span class="swatch given"></span>boxes of the answers, with their numbers'
    )
    return render_document(
        f"Step {step:,}",
        f'<nav><a href="index.html">all pages</a> · <a href="../{CURVES}">curves</a></nav>'
        f"<p>{len(cards)} questions with their rollouts. A green edge: the advantage is positive.<br>{boxes}</p>"
        + "".join(map(_render_card, cards)),
    )


def write_page(folder: Path, step: int, cards: Sequence[Card]) -> None:
    """Write `step-000050.html`, and `index.html`, which lists all pages of the folder, newest first."""
    write_text(folder / f"step-{step:06d}.html", render_page(step, cards))
    pages = sorted((path.name for path in folder.glob("step-*.html")), reverse=True)
    links = "".join(f'<li><a href="{escape(name)}">{escape(name.removesuffix(".html"))}</a></li>' for name in pages)
    body = f'<nav><a href="../{CURVES}">curves</a></nav><ul>{links}</ul>'
    write_text(folder / "index.html", render_document("Sample completions", body))


def _render_card(card: Card) -> str:
    images = "".join(_render_picture(image, "") for image in card.images[:-1])
    images += "".join(_render_picture(image, _render_boxes(card, image.size)) for image in card.images[-1:])
    answers = "".join(_render_answer(number, answer) for number, answer in enumerate(card.answers, 1))
    label = f"<br>{escape(card.label)}" if card.label else ""
    return (
        f"<article><div>{images}<b>{escape(card.task)}</b> {escape(card.sample_id)}{label}</div><div>"
        f"<p>Solution: <b>{escape(card.solution)}</b></p>"
        f"<details><summary>Question</summary><pre>{escape(card.prompt)}</pre></details>{answers}</div></article>"
    )


def _render_answer(number: int, answer: Answer) -> str:
    values = " · ".join(f"{escape(name)} {value:.2f}" for name, value in answer.rewards.items() if not isnan(value))
    edge = " up" if answer.advantage > 0 else ""
    return (
        f'<div class="answer{edge}"><pre>{escape(answer.text)}</pre>'
        f'<div class="numbers"><b>{number}</b> · {values} · advantage {answer.advantage:+.2f}</div></div>'
    )


def _render_picture(image: "Image", drawing: str) -> str:
    thumbnail = image.copy()
    thumbnail.thumbnail((SIDE, SIDE))
    file = BytesIO()
    thumbnail.save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return f'<figure class="picture"><img alt="" src="data:image/png;base64,{data}">{drawing}</figure>'


# --- boxes ----------------------------------------------------------------------------------------------------------


def _render_boxes(card: Card, size: tuple[int, int]) -> str:
    """The true boxes, and those of the answers with the numbers of the answers that gave them."""
    height = GRID * size[1] / size[0]
    answer_numbers: dict[Corners, list[str]] = {}
    for number, answer in enumerate(card.answers, 1):
        for box in dict.fromkeys(answer.boxes):
            answer_numbers.setdefault(box, []).append(str(number))
    rects = [_render_rect(box, height, "given", ", ".join(numbers)) for box, numbers in answer_numbers.items()]
    names = [*card.names, *[""] * (len(card.boxes) - len(card.names))]
    rects += [_render_rect(box, height, "truth", name) for box, name in zip(card.boxes, names, strict=True)]
    return f'<svg viewBox="0 0 {GRID} {height:.1f}" aria-hidden="true">{"".join(rects)}</svg>' if rects else ""


def _render_rect(box: Corners, height: float, kind: str, label: str = "") -> str:
    """A box of fractions as SVG, cut at the edges of the picture."""
    x1, y1, x2, y2 = (min(max(edge, 0.0), 1.0) * side for edge, side in zip(box, (GRID, height) * 2, strict=True))
    place = f'x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}"'
    x, y = min(x1 + 8, GRID - 30 * len(label) - 30), min(y1 + 42, height - 8)
    text = f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{label}</text>' if label else ""
    return f'<rect class="halo" {place}/><rect class="{kind}" {place}/>{text}'
