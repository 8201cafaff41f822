"""The page on sensitivity: one file, no script, nothing loaded from elsewhere. Jinja escapes the text of others."""

from datetime import UTC, datetime
from importlib.resources import files
from typing import TypedDict

from distortlab.severity.human_scores import JUDGED
from distortlab.tasks.terms import FAMILIES, get_phrase
from refine_bench.report import sensitivity_draw as draw
from refine_bench.runs.store import Run
from refine_bench.scoring.formatting import format_number
from refine_bench.scoring.sensitivity import SensitivityScore, VariantFacts

__all__ = ["render_sensitivity"]


class Panel(TypedDict):
    """The curves of a family. `names`: of its variants, with the numbers of their colors."""

    title: str
    drawing: str
    names: list[tuple[int, str]]


def render_sensitivity(score: SensitivityScore, run: Run) -> str:
    """Render the page, as HTML text."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["num"] = format_number
    source = (files("refine_bench.report") / "sensitivity.html").read_text(encoding="utf-8")
    panels = _draw_panels(score)
    for panel in panels:
        panel["drawing"] = Markup(panel["drawing"])  # made of numbers and names of the catalogue
    people = score["people"]
    judged = [family for family in FAMILIES if any(c["variant"].partition(".")[0] == family for c in people["cells"])]
    return environment.from_string(source).render(
        score=score,
        panels=panels,
        thresholds=Markup(draw.draw_thresholds(score["variants"])),
        scatter=Markup(draw.draw_people(people["cells"], judged, score["sign"])) if people["cells"] else None,
        judged=list(enumerate(map(get_phrase, judged))),
        phrase=get_phrase,
        lookalikes=sorted({c["variant"] for c in people["cells"]} - set(JUDGED)),
        command=str((run.head.get("environment") or {}).get("command", "")),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _draw_panels(score: SensitivityScore) -> list[Panel]:
    up = draw.find_range(score["variants"], score["photographs"])
    groups: dict[str, list[VariantFacts]] = {}
    for each in score["variants"]:
        groups.setdefault(each["family"], []).append(each)
    return [
        {
            "title": get_phrase(family),
            "drawing": draw.draw_family(own, score["photographs"], up, score["sign"] < 0),
            "names": [(place, each["variant"].partition(".")[2]) for place, each in enumerate(own)],
        }
        for family, own in groups.items()
    ]
