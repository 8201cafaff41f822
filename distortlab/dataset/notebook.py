"""What a notebook shows of a data set: a short table, made from its manifest."""

from collections.abc import Mapping
from html import escape

from distortlab.dataset.manifest import Manifest

__all__ = ["render_dataset_html"]

_MOST = 12


def render_dataset_html(place: str, manifest: Manifest, rows: Mapping[str, Mapping[str, int]]) -> str:
    """Return HTML: what there is of each split, task and severity.

    A manifest may come from anywhere: texts are escaped, and what is no number is not shown.

    Parameters
    ----------
    place
        The folder.
    manifest
        Of the data set.
    rows
        Split -> {"images": how many, "questions": how many}.
    """
    body = [(split, count.get("images", 0), count.get("questions", 0)) for split, count in rows.items()]
    if len(body) > 1:
        body.append(("all", sum(row[1] for row in body), sum(row[2] for row in body)))
    lines = "".join(_line(name, f"{images:,}", f"{questions:,}") for name, images, questions in body)
    head = "".join(f'<th style="text-align:{side}">{name}</th>' for name, side in _HEADS)
    counts = manifest.get("counts")
    sums = "".join(_format_counts(name, counts.get(name)) for name in ("tasks", "severities")) if counts else ""
    return f"<div><b>{escape(place)}</b><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>{sums}</div>"


_HEADS = (("split", "left"), ("images", "right"), ("questions", "right"))


def _line(name: str, *numbers: str) -> str:
    cells = "".join(f'<td style="text-align:right">{number}</td>' for number in numbers)
    return f'<tr><td style="text-align:left">{escape(name)}</td>{cells}</tr>'


def _format_counts(name: str, counts: object) -> str:
    """`tasks: grounding (424), object (417), ...`"""
    if not isinstance(counts, Mapping):
        return ""
    known = [(str(key), value) for key, value in counts.items() if isinstance(value, int)]
    shown = ", ".join(f"{escape(key)} ({value:,})" for key, value in known[:_MOST])
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return f"<div>{name}: {shown}{more}</div>" if known else ""
