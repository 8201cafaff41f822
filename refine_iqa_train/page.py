"""Sample completions with their images on a static page: one file, nothing loaded from elsewhere.

Completions are text from a model and may hold anything; all of it is escaped.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from math import isnan
from pathlib import Path
from typing import Any

from distortlab.files import write_text

__all__ = ["Answer", "Card", "page", "write_page"]

SIDE = 320
"""Longest side of a picture on the page, in pixels."""

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #2a7; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid var(--line); padding: 1.2rem 0; }
article { display: grid; grid-template-columns: 20rem 1fr; gap: 1.5rem; }
img { max-width: 100%; border-radius: 4px; display: block; margin-bottom: .5rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace; margin: .3rem 0; }
details { color: #888; }
.answer { background: var(--soft); border-radius: 4px; padding: .5rem .7rem; margin: .6rem 0; }
.answer { border-left: 4px solid var(--line); }
.up { border-left-color: var(--good); }
.numbers { font-size: 13px; font-variant-numeric: tabular-nums; color: #888; }
@media (max-width: 50rem) { article { grid-template-columns: 1fr; } }
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion with its rewards (NaN: another task's) and its advantage."""

    text: str
    rewards: Mapping[str, float]
    advantage: float


@dataclass(frozen=True, slots=True)
class Card:
    """A question with its images (PIL), its solution and the answers to it."""

    sample_id: str
    task: str
    prompt: str
    solution: str
    images: Sequence[Any]
    answers: Sequence[Answer]


def page(step: int, cards: Sequence[Card]) -> str:
    """The page as HTML."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Step {step:,}</title><style>{STYLE}</style><h1>Step {step:,}</h1>"
        f"<p>{len(cards)} questions with their rollouts. A coloured edge: the advantage is positive.</p>"
        + "".join(map(_card, cards))
    )


def write_page(folder: Path, step: int, cards: Sequence[Card]) -> None:
    """`step-000050.html`, and `index.html`, which lists all pages of the folder, newest first."""
    write_text(folder / f"step-{step:06d}.html", page(step, cards))
    pages = sorted((path.name for path in folder.glob("step-*.html")), reverse=True)
    links = "".join(f'<li><a href="{escape(name)}">{escape(name.removesuffix(".html"))}</a></li>' for name in pages)
    write_text(
        folder / "index.html",
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Samples</title><style>{STYLE}</style>'
        f"<h1>Sample completions</h1><ul>{links}</ul>",
    )


def _card(card: Card) -> str:
    images = "".join(_image(image) for image in card.images)
    answers = "".join(map(_answer, card.answers))
    return (
        f"<article><div>{images}<b>{escape(card.task)}</b> {escape(card.sample_id)}</div><div>"
        f"<p>Solution: <b>{escape(card.solution)}</b></p>"
        f"<details><summary>Question</summary><pre>{escape(card.prompt)}</pre></details>{answers}</div></article>"
    )


def _answer(answer: Answer) -> str:
    numbers = " · ".join(f"{escape(name)} {value:.2f}" for name, value in answer.rewards.items() if not isnan(value))
    edge = " up" if answer.advantage > 0 else ""
    return (
        f'<div class="answer{edge}"><pre>{escape(answer.text)}</pre>'
        f'<div class="numbers">{numbers} · advantage {answer.advantage:+.2f}</div></div>'
    )


def _image(image: Any) -> str:
    small = image.copy()
    small.thumbnail((SIDE, SIDE))
    file = BytesIO()
    small.save(file, "PNG")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'
