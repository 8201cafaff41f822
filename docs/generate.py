"""Make what the docs show of the code: the tables of distortions, the gallery, the contact sheets.

python docs/generate.py            write them
python docs/generate.py --check    exit 1 if any is not what the code says now

Pictures are compressed, and no two machines compress alike. So docs/images/facts.json says of each what it shows
(distortions, versions, settings, V, and the mean colours of its parts) and which file that is (SHA-256): a picture is
stale when the code gives other facts, and when the file is another.
"""

import argparse
import json
import runpy
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
from measured import PAGES as MEASURED_PAGES
from measured import replace_table
from PIL import Image as pillow

from distortlab.core.image import Image
from distortlab.dataset.columns import format_markdown_table
from distortlab.dataset.schema import ALL_TABLES
from distortlab.distortions.base import TARGETS, Distortion
from distortlab.distortions.catalog import CATALOG, FAMILIES, LEAST_REACH, list_variants
from distortlab.generation.generate import generate
from distortlab.recipe import load_recipe
from distortlab.severity.direction import TRENDS
from distortlab.severity.human_scores import ERROR, ERROR_OUTSIDE, SCALE, describe_basis, estimate_score
from distortlab.severity.visibility import GATES
from distortlab.storage.atomic import hash_file
from distortlab.tasks import diagnosis
from distortlab.tasks.diagnosis import DistortedRegion
from distortlab.tasks.terms import PHRASES
from distortlab.visualization.contact_sheet import make_dataset_tiles
from distortlab.visualization.gallery import Step, draw_catalog_sheet, load_sample_photograph, render_steps, select_rows
from distortlab.visualization.tiles import Tile, draw_sheet
from refine_iqa_train.training import run_record, trl_options

DOCS = Path(__file__).parent
FACTS = DOCS / "images" / "facts.json"


def distortions_page() -> str:
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
        *_severities(),
    ]
    for family in FAMILIES:
        rows = [row for row in CATALOG if row.family == family]
        lines += ["", f"## {family}", "", *_ladders(rows), "", *_notes(rows), *_reach(rows), *_rules(family)]
    return "\n".join(lines) + "\n"


def _severities() -> list[str]:
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


def _ladders(rows: list[Distortion]) -> list[str]:
    out = ["| variant | dial | ladder | 1 | 2 | 3 | 4 | 5 |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        for profile in ("matched", "dq"):
            ladder = row.get_ladder(profile)
            cells = [f"{value:g}" for value in ladder.values] if ladder else ["-"] * 5
            out.append(f"| {row.variant} | {row.unit} | {profile} | {' | '.join(cells)} |")
        out.append(f"| {row.variant} | share of regions | reach | {' | '.join(f'{r:.2f}' for r in row.reach)} |")
    return out


def _notes(rows: list[Distortion]) -> list[str]:
    out = []
    for row in rows:
        text = " ".join((row.operator.__doc__ or "").split())
        where = "spatial: times the short side over 512" if row.spatial else ""
        extent = "" if row.local else "defined on the aligned crop"
        deviation = f"`dq`: {row.dq.deviation}" if row.dq and row.dq.deviation else ""
        tail = "; ".join(part for part in (where, extent, deviation) if part)
        out.append(f"- **{row.variant}**: {text}" + (f" *({tail}.)*" if tail else ""))
    return out


def _reach(rows: list[Distortion]) -> list[str]:
    """Which severities variants are drawn for, where it is not all of them."""
    out = []
    for severity in range(1, 6):
        serving = list_variants(rows[0].family, "matched", severity)
        left_out = [row for row in rows if row not in serving]
        if left_out:
            why = ", ".join(_explain_absence(row, severity) for row in left_out)
            out.append(f"- Severity {severity} is left to {_join(row.variant for row in serving)}: {why}.")
        best = max(row.reach[severity - 1] for row in serving)
        if best < LEAST_REACH:
            out.append(f"- Few regions reach severity {severity}: {best:.0%}. It is drawn in those that do.")
    return ["", *out] if out else out


def _explain_absence(row: Distortion, severity: int) -> str:
    if severity in row.declined:
        return f"{row.variant} declines it (see [decision 92](decisions/0092-labels-that-read-as-they-say.md))"
    return f"with {row.variant} {row.reach[severity - 1]:.0%} of regions reach it"


def _join(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _rules(family: str) -> list[str]:
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


TABLES = {
    "training/trl_options.py": trl_options.format_markdown_table,
    "training/run_record.py": run_record.format_markdown_table,
}
"""Of docs/training.md, by the module of refine_iqa_train that makes them."""


def training_page() -> str:
    """docs/training.md as it is, with the tables in it made again."""
    text = (DOCS / "training.md").read_text(encoding="utf-8")
    text = replace_table(text, "training.md", "benchmarks/training_memory.py", memory_table())
    for module, table in TABLES.items():
        text = replace_table(text, "training.md", f"refine_iqa_train/{module}", table())
    return text


def memory_table() -> str:
    """What fits where, computed, and beside it what was measured on a GPU, where anything was."""
    return str(runpy.run_path(str(DOCS.parent / "benchmarks" / "training_memory.py"))["render"]())


# --- columns of data sets ---------------------------------------------------------------------------------------------


def datasets_page() -> str:
    """docs/datasets.md as it is, with the tables of columns in it made again."""
    text = (DOCS / "datasets.md").read_text(encoding="utf-8")
    for table in ("images", "rft"):
        made = format_markdown_table(table, ALL_TABLES[table])
        text = replace_table(text, "datasets.md", f"distortlab/dataset/columns.py, {table}", made)
    return text


# --- sets of distortions --------------------------------------------------------------------------------------------


def diagnosis_page() -> str:
    """docs/diagnosis.md as it is, with the table of scores in it made again."""
    text = (DOCS / "diagnosis.md").read_text(encoding="utf-8")
    return replace_table(text, "diagnosis.md", "docs/generate.py", scores_table())


def scores_table() -> str:
    """What answers about an image of three regions, one of the whole frame, and a pristine one are worth."""
    dark, contrast, pale = three = (
        DistortedRegion((456, 275, 584, 327), "darken", 2),
        DistortedRegion((72, 311, 207, 397), "contrast_strengthen", 3),
        DistortedRegion((435, 417, 640, 475), "saturate_weaken", 3),
    )
    made_up, frame = DistortedRegion((300, 10, 420, 120), "noise", 2), DistortedRegion((0, 0, 640, 480), "blur", 5)
    shifted = [replace(one, box=(one.box[0] + (one.box[2] - one.box[0]) // 4, *one.box[1:])) for one in three]
    answers: tuple[tuple[str, Sequence[DistortedRegion], str, Sequence[DistortedRegion]], ...] = (
        ("three regions", three, "the truth", three),
        ("", three, "a severity off by one", (dark, contrast, replace(pale, severity=4))),
        ("", three, "every box a quarter of its width to the right", shifted),
        ("", three, "a type wrong", (dark, contrast, replace(pale, family="blur"))),
        ("", three, "a fourth region", (*three, made_up)),
        ("", three, "two of the three", (dark, contrast)),
        ("", three, "one of the three", (dark,)),
        ("", three, "`[]`", ()),
        ("", three, "the frame, Blur, Extreme", (frame,)),
        ("the frame, Blur, Extreme", (frame,), "the frame, Noise, Moderate", (replace(made_up, box=frame.box),)),
        ("", (frame,), "`[]`", ()),
        ("nothing", (), "`[]`", ()),
        ("", (), "any region", (frame,)),
    )
    lines = [
        "| what was done | answer | form | IoU | F1 | type | severity | value |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [f"| {done} | {answer} | {score_answer(given, truth)} |" for done, truth, answer, given in answers]
    return "\n".join(lines)


def score_answer(given: Sequence[DistortedRegion], truth: Sequence[DistortedRegion]) -> str:
    """The parts of a score and its value, as cells."""
    size = (640, 480)
    answer, solution = (diagnosis.truth(regions, size, "thousandths") for regions in (given, truth))
    marks = diagnosis.compare(f"<answer>{answer}</answer>", solution)
    assert isinstance(marks, diagnosis.Comparison)
    return " | ".join(f"{part:.2f}" for part in (*diagnosis.GRADING.grade(marks), diagnosis.GRADING.value(marks)))


# --- the gallery ----------------------------------------------------------------------------------------------------


GALLERY = f"""\
# Gallery

Generated from the catalogue by `make docs`: every variant at the five severities of the `matched` ladder, in the same
region of one photograph (Eileen Collins, NASA, public domain). In brackets V, how visible the change came out here:
about 1 is just visible ([visibility.md](visibility.md)). The ladders were tuned on many photographs to V =
{_join(f"{target:g}" for target in TARGETS)} ([ladders.md](ladders.md)); on a single one they come out above or below.

The pictures below show every pixel, but are compressed with loss to keep the repository small. Without loss, on your
own photograph, or with DepictQA's ladder:

```
distortlab gallery -o gallery.png
distortlab gallery --image photo.jpg --box 40,60,300,280 --family blur --profile dq -o blur.png
```
"""


@lru_cache
def gallery_steps(family: str) -> tuple[Step, ...]:
    return tuple(render_steps(*load_sample_photograph(), select_rows([family], "matched")))


def gallery_page() -> str:
    """docs/gallery.md."""
    lines = [GALLERY.strip()]
    for family in FAMILIES:
        names = ", ".join(row.variant for row in select_rows([family], "matched"))
        lines += [
            "",
            f"## {PHRASES[family]}",
            "",
            f"![{PHRASES[family]}: {names}; severities 1 to 5]({sheet_name(family)})",
        ]
        lines += ["", "| variant | dial | 1 | 2 | 3 | 4 | 5 |", "|---|---|---|---|---|---|---|"]
        lines += [gallery_line(row, gallery_steps(family)) for row in select_rows([family], "matched")]
    return "\n".join(lines) + "\n"


def gallery_line(row: Distortion, shown: tuple[Step, ...]) -> str:
    cells = [f"{step.amount:g} ({step.v:.1f})" for step in shown if step.row is row]
    return f"| `{row.name}` | {row.unit} | {' | '.join(cells)} |"


def sheet_name(family: str) -> str:
    return f"images/gallery/{family}.webp"


# --- pictures -------------------------------------------------------------------------------------------------------


class RenderedPicture(NamedTuple):
    """A picture and what it shows, ready for JSON: text and settings exact, V and colours within a tolerance."""

    image: Image
    facts: list[dict[str, Any]]


def family_picture(family: str) -> RenderedPicture:
    """A sheet of the gallery."""
    shown = gallery_steps(family)
    return RenderedPicture(draw_catalog_sheet(*load_sample_photograph(), shown), list(map(step_facts, shown)))


def families_picture() -> RenderedPicture:
    """One variant of every family at five severities, two families in a row."""
    shown = [step for family in FAMILIES for step in gallery_steps(family)[:5]]
    tiles = [Tile(step.image, f"{step.row.family} {step.severity}", f"V {step.v:.1f}") for step in shown]
    return RenderedPicture(draw_sheet(tiles, columns=10, width=136, height=177), list(map(step_facts, shown)))


def step_facts(step: Step) -> dict[str, Any]:
    row = step.row
    exact = {"name": row.name, "version": row.version, "unit": row.unit, "amount": step.amount}
    return {**exact, "severity": step.severity, "v": round(step.v, 3), "colours": mean_colors(step.image)}


def samples_picture() -> RenderedPicture:
    """Twenty images of a data set made from the built-in references."""
    return dataset_picture("smoke", 40)


def diagnosis_picture() -> RenderedPicture:
    """The same of images of every kind."""
    return dataset_picture("diagnosis-25k", 20)


def dataset_picture(recipe: str, n: int) -> RenderedPicture:
    with tempfile.TemporaryDirectory() as folder:
        generate(load_recipe(recipe, n=n, images_per_shard=n), "scenes", folder, workers=1)
        tiles = list(make_dataset_tiles(folder, 20))
    facts = [{"title": tile.title, "note": tile.note, "colours": mean_colors(tile.image)} for tile in tiles]
    return RenderedPicture(draw_sheet(tiles, columns=5, width=220), facts)


def mean_colors(image: Image) -> list[int]:
    """The mean colours of 3 x 3 parts."""
    return [int(level) for level in cv2.resize(image, (3, 3), interpolation=cv2.INTER_AREA).ravel()]


PAGES: dict[str, Callable[[], str]] = {
    **MEASURED_PAGES,
    "diagnosis.md": diagnosis_page,
    "datasets.md": datasets_page,
    "distortions.md": distortions_page,
    "gallery.md": gallery_page,
    "training.md": training_page,
}
PICTURES: dict[str, Callable[[], RenderedPicture]] = {
    "images/families.jpg": families_picture,
    "images/samples.jpg": samples_picture,
    "images/diagnosis.jpg": diagnosis_picture,
    **{sheet_name(family): partial(family_picture, family) for family in FAMILIES},
}


# --- stale or not ---------------------------------------------------------------------------------------------------


def is_page_stale(name: str, text: str) -> bool:
    path = DOCS / name
    return not path.exists() or path.read_text(encoding="utf-8") != text


def is_picture_stale(name: str, picture: RenderedPicture, known: Mapping[str, Any]) -> bool:
    """Whether a picture is not there, is not the one whose facts are known, or shows something else than it should."""
    path, entry = DOCS / name, known.get(name)
    if entry is None or not path.exists() or hash_file(path) != entry["sha256"]:
        return True
    return list(picture.image.shape[:2]) != entry["size"] or not is_close(picture.facts, entry["facts"])


def is_close(one: Any, other: Any, slack: float = 0.0) -> bool:
    """Whether two facts agree: V within 0.05, colours within 2 of 255 levels, all else exactly."""
    if isinstance(one, dict) and isinstance(other, dict):
        slacks = {"v": 0.05, "colours": 2.0}
        return one.keys() == other.keys() and all(is_close(one[key], other[key], slacks.get(key, 0.0)) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(is_close(a, b, slack) for a, b in zip(one, other, strict=True))
    return one == other or (slack > 0 and abs(one - other) <= slack)


def write_picture(name: str, picture: RenderedPicture) -> dict[str, Any]:
    path = DOCS / name
    path.parent.mkdir(exist_ok=True)
    options = {"quality": 85, "optimize": True} if path.suffix == ".jpg" else {"quality": 62, "method": 6}
    pillow.fromarray(picture.image).save(path, **options)
    return {"sha256": hash_file(path), "size": list(picture.image.shape[:2]), "facts": picture.facts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    known = json.loads(FACTS.read_text(encoding="utf-8")) if FACTS.exists() else {}
    pages = {name: make() for name, make in PAGES.items()}
    stale = [name for name, text in pages.items() if is_page_stale(name, text)]
    pictures = {name: make() for name, make in PICTURES.items()}
    old = [name for name, picture in pictures.items() if is_picture_stale(name, picture, known)]
    if not check:
        for name in stale:
            (DOCS / name).write_text(pages[name], encoding="utf-8")
        facts = {name: write_picture(name, pictures[name]) if name in old else known[name] for name in PICTURES}
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in facts.items())
        FACTS.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    if stale or old:
        sys.stdout.write(f"{'stale' if check else 'written'}: {', '.join(stale + old)}\n")
    raise SystemExit(1 if check and (stale or old) else 0)


if __name__ == "__main__":
    main()
