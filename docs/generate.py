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
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from catalog_pages import make_distortions_page, make_gallery_page
from measured import PAGES as MEASURED_PAGES
from measured import replace_table
from pictures import PICTURES, is_picture_stale, write_picture

from distortlab.dataset.columns import format_markdown_table
from distortlab.dataset.schema import ALL_TABLES
from distortlab.tasks import diagnosis
from distortlab.tasks.diagnosis import DistortedRegion
from refine_iqa_train.training import run_record, trl_options

DOCS = Path(__file__).parent
FACTS = DOCS / "images" / "facts.json"

TABLES = {
    "training/trl_options.py": trl_options.format_markdown_table,
    "training/run_record.py": run_record.format_markdown_table,
}
"""Of docs/training.md, by the module of refine_iqa_train that makes them."""


def make_training_page() -> str:
    """docs/training.md as it is, with the tables in it made again."""
    text = (DOCS / "training.md").read_text(encoding="utf-8")
    text = replace_table(text, "training.md", "benchmarks/training_memory.py", make_memory_table())
    for module, table in TABLES.items():
        text = replace_table(text, "training.md", f"refine_iqa_train/{module}", table())
    return text


def make_memory_table() -> str:
    """What fits where, computed, and beside it what was measured on a GPU, where anything was."""
    return str(runpy.run_path(str(DOCS.parent / "benchmarks" / "training_memory.py"))["render"]())


# --- columns of data sets ---------------------------------------------------------------------------------------------


def make_datasets_page() -> str:
    """docs/datasets.md as it is, with the tables of columns in it made again."""
    text = (DOCS / "datasets.md").read_text(encoding="utf-8")
    for table in ("images", "rft"):
        made = format_markdown_table(table, ALL_TABLES[table])
        text = replace_table(text, "datasets.md", f"distortlab/dataset/columns.py, {table}", made)
    return text


# --- sets of distortions --------------------------------------------------------------------------------------------


def make_diagnosis_page() -> str:
    """docs/diagnosis.md as it is, with the table of scores in it made again."""
    text = (DOCS / "diagnosis.md").read_text(encoding="utf-8")
    return replace_table(text, "diagnosis.md", "docs/generate.py", make_scores_table())


def make_scores_table() -> str:
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


PAGES: dict[str, Callable[[], str]] = {
    **MEASURED_PAGES,
    "diagnosis.md": make_diagnosis_page,
    "datasets.md": make_datasets_page,
    "distortions.md": make_distortions_page,
    "gallery.md": make_gallery_page,
    "training.md": make_training_page,
}


def is_page_stale(name: str, text: str) -> bool:
    path = DOCS / name
    return not path.exists() or path.read_text(encoding="utf-8") != text


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
