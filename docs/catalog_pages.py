"""Pages of the catalogue: the distortions and the gallery."""

from collections.abc import Iterable

from pictures import name_sheet, render_family

from distortlab.distortions.base import TARGETS, Distortion
from distortlab.distortions.catalog import CATALOG, FAMILIES, LEAST_REACH, list_variants
from distortlab.severity.direction import TRENDS
from distortlab.severity.human_scores import ERROR, ERROR_OUTSIDE, SCALE, describe_basis, estimate_score
from distortlab.severity.visibility import GATES
from distortlab.tasks.terms import PHRASES
from distortlab.visualization.gallery import Step, select_rows

__all__ = ["make_distortions_page", "make_gallery_page"]


def make_distortions_page() -> str:
    """docs/distortions.md."""
    lines = [
        "# Distortions",
        "",
        "Generated from the catalogue by `make docs`. `distortlab list` prints the same in a terminal.",
        "",
        f"{len(FAMILIES)} families, {len(CATALOG)} variants, five severities. The `matched` ladder is tuned so that a "
        "severity changes a region about as much whatever the variant ([ladders.md](ladders.md)); the `dq` ladder has "
        "DepictQA's values, with the deviations that its faults force. `reach` is the share of regions in which some "
        "setting gives the severity, of those that the gates let through; a variant is drawn for the severities that "
        "at least half of them reach.",
        "",
        *_list_severities(),
    ]
    for family in FAMILIES:
        rows = [row for row in CATALOG if row.family == family]
        lines += [
            "",
            f"## {family}",
            "",
            *_list_ladders(rows),
            "",
            *_list_notes(rows),
            *_list_reach(rows),
            *_list_rules(family),
        ]
    return "\n".join(lines) + "\n"


def _list_severities() -> list[str]:
    """What a severity of the `matched` ladder stands for, and what people would say of it."""
    lines = ["| severity | V | expected human score |", "|---|---|---|"]
    lines += [f"| {k} | {target:g} | {estimate_score(target):.1f} |" for k, target in enumerate(TARGETS, 1)]
    return [
        *lines,
        "",
        f"The score is a mean on KADID-10k's scale, 1 ({SCALE[1]}) to 5 ({SCALE[5]}), give or take {ERROR:.2f}, and "
        f"{ERROR_OUTSIDE:.2f} for changes of tone and pixelation, which people forgive more ([people.md](people.md)). "
        "Below every family stands at which severities KADID's people judged its variants; all other scores are "
        "extrapolated. They judged whole pictures.",
    ]


def _list_ladders(rows: list[Distortion]) -> list[str]:
    out = ["| variant | dial | ladder | 1 | 2 | 3 | 4 | 5 |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        for profile in ("matched", "dq"):
            ladder = row.get_ladder(profile)
            cells = [f"{value:g}" for value in ladder.values] if ladder else ["-"] * 5
            out.append(f"| {row.variant} | {row.unit} | {profile} | {' | '.join(cells)} |")
        out.append(f"| {row.variant} | share of regions | reach | {' | '.join(f'{r:.2f}' for r in row.reach)} |")
    return out


def _list_notes(rows: list[Distortion]) -> list[str]:
    out = []
    for row in rows:
        text = " ".join((row.operator.__doc__ or "").split())
        where = "spatial: times the short side over 512" if row.spatial else ""
        extent = "" if row.local else "defined on the aligned crop"
        deviation = f"`dq`: {row.dq.deviation}" if row.dq and row.dq.deviation else ""
        tail = "; ".join(part for part in (where, extent, deviation) if part)
        out.append(f"- **{row.variant}**: {text}" + (f" *({tail}.)*" if tail else ""))
    return out


def _list_reach(rows: list[Distortion]) -> list[str]:
    """Which severities variants are drawn for, where it is not all of them."""
    out = []
    for severity in range(1, 6):
        serving = list_variants(rows[0].family, "matched", severity)
        left_out = [row for row in rows if row not in serving]
        if left_out:
            why = ", ".join(_explain_absence(row, severity) for row in left_out)
            out.append(f"- Severity {severity} is left to {join_names(row.variant for row in serving)}: {why}.")
        best = max(row.reach[severity - 1] for row in serving)
        if best < LEAST_REACH:
            out.append(f"- Few regions reach severity {severity}: {best:.0%}. It is drawn in those that do.")
    return ["", *out] if out else out


def _explain_absence(row: Distortion, severity: int) -> str:
    if severity in row.declined:
        return f"{row.variant} declines it (see [decision 92](decisions/0092-labels-that-read-as-they-say.md))"
    return f"with {row.variant} {row.reach[severity - 1]:.0%} of regions reach it"


def join_names(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _list_rules(family: str) -> list[str]:
    judged = [f"{row.variant} {describe_basis(row.name)}" for row in CATALOG if row.family == family]
    known = [text for text in judged if not text.endswith(" -")]
    out = [f"- Judged by people, at severities: {', '.join(known) or 'none'}."]
    for name in (family, *(row.name for row in CATALOG if row.family == family)):
        gates = [f"{g.stat} {g.low:g} to {g.high:g} ({g.reason} otherwise)" for g in GATES.get(name, ())]
        if gates:
            out.append(f"- Regions `{name}` is drawn for: {'; '.join(gates)}.")
        if name in TRENDS:
            out.append(f"- Kept when `{name}` reached {TRENDS[name].least:g} {TRENDS[name].unit}.")
    return ["", *out]


# --- the gallery ----------------------------------------------------------------------------------------------------


_TARGETS = join_names(f"{target:g}" for target in TARGETS)
GALLERY = f"""\
# Gallery

Generated from the catalogue by `make docs`: every variant at the five severities of the `matched` ladder, in the same
region of one photograph (Eileen Collins, NASA, public domain). In brackets V, how visible the change came out here:
about 1 is just visible ([visibility.md](visibility.md)). The ladders were tuned on many photographs to V =
{_TARGETS} ([ladders.md](ladders.md)); on a single one they come out above or below.

The pictures below show every pixel, but are compressed with loss to keep the repository small. Without loss, on your
own photograph, or with DepictQA's ladder:

```
distortlab gallery -o gallery.png
distortlab gallery --image photo.jpg --box 40,60,300,280 --family blur --profile dq -o blur.png
```
"""


def make_gallery_page() -> str:
    """docs/gallery.md."""
    lines = [GALLERY.strip()]
    for family in FAMILIES:
        names = ", ".join(row.variant for row in select_rows([family], "matched"))
        lines += [
            "",
            f"## {PHRASES[family]}",
            "",
            f"![{PHRASES[family]}: {names}; severities 1 to 5]({name_sheet(family)})",
        ]
        lines += ["", "| variant | dial | 1 | 2 | 3 | 4 | 5 |", "|---|---|---|---|---|---|---|"]
        lines += [format_gallery_line(row, render_family(family)) for row in select_rows([family], "matched")]
    return "\n".join(lines) + "\n"


def format_gallery_line(row: Distortion, shown: tuple[Step, ...]) -> str:
    cells = [f"{step.amount:g} ({step.v:.1f})" for step in shown if step.row is row]
    return f"| `{row.name}` | {row.unit} | {' | '.join(cells)} |"
