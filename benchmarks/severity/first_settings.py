"""How good first settings are where they are used: in draws of a data set, on photographs that were not fitted.

    python benchmarks/severity/first_settings.py --refs coco:instances_val2017.json,val2017

Three parts: the draws of a data set (at which try they are accepted, and what an image costs in renders), the rivals of
object questions (predicted against rendered), and the order of V over variants and severities on one region.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from edits import measure_edits, sample_places
from summary import count_inversions, measure_growth

from distortlab import generate
from distortlab.core.seeds import stream
from distortlab.core.workers import tune_process
from distortlab.distortions.catalog import CATALOG, FAMILIES, list_variants
from distortlab.generation.draw import would_show
from distortlab.generation.loaded_reference import LoadedReference
from distortlab.generation.plan import EditRequest, Slot
from distortlab.generation.working_image import Rejection, WorkingImage, draw_edit
from distortlab.recipe import Recipe, default_recipe
from distortlab.references import open_references

BARS = {
    "accepted at the first try": ">= 60 %",
    "accepted within two tries": ">= 85 %",
    "renders per image": "<= 1.4",
    "rivals decided as by rendering": "95 % in the prototype",
    "inversions between variants": "<= 2 %",
    "(region, variant) in which V grows with every severity": ">= 99 %",
}


def measure_draws(refs: str, images: int, workers: int, **changes: object) -> dict[str, str]:
    """Build a data set, and read what it took from the counts in its manifest."""
    recipe = default_recipe(n=images, splits={"train": 1}, images_per_shard=max(1, images // workers), **changes)
    with tempfile.TemporaryDirectory() as folder:
        generate(recipe, refs, Path(folder) / "data", workers=workers)
        manifest = json.loads((Path(folder) / "data" / "MANIFEST.json").read_text())
    return summarize_counts(manifest)


def summarize_counts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The lines of the table that the manifest of a data set tells."""
    settings, images = manifest["counts"]["settings"], manifest["totals"]["images"]
    first, second = (settings.get(f"accepted at try {tries}", 0) for tries in (1, 2))
    draws = settings["draws rendered"]
    lines = {
        "images": f"{images:,}",
        "accepted at the first try": f"{100 * first / draws:.1f} %",
        "accepted within two tries": f"{100 * (first + second) / draws:.1f} %",
        "renders per image": f"{settings['rendered'] / images:.2f}",
    }
    notes = {f"draws: {name}": f"{count:,}" for name, count in settings.items() if name.startswith("drawn with")}
    return {**lines, **notes}


def measure_rivals(refs: str, draws: int) -> dict[str, str]:
    """Whether a name would be offered beside the true one: by prediction, and by rendering every variant."""
    agreed = offered = right = count = 0
    for slot, clean, index in _draw_slots(refs, draws, default_recipe()):
        rows = list_variants(slot.family, "matched")
        predicted = any(would_show(slot, row, clean, index) for row in rows)
        rendered = any(not isinstance(draw_edit(slot, row, clean, index), Rejection) for row in rows)
        agreed, count, offered = agreed + (predicted == rendered), count + 1, offered + predicted
        right += predicted and rendered
    return {
        "rivals decided as by rendering": f"{100 * agreed / count:.1f} % of {count}",
        "rivals offered that rendering would offer": f"{100 * right / max(offered, 1):.1f} % of {offered}",
    }


def _draw_slots(refs: str, count: int, recipe: Recipe) -> Any:
    source, references = stream("first settings", "rivals"), open_references(refs)
    entries = list(references.entries(references.count or count))
    for number in range(count):
        entry = entries[number % len(entries)]
        loaded = LoadedReference(entry.load(recipe.references, recipe.regions), recipe)
        regions = len(loaded.reference.regions)
        if regions:
            family, severity = FAMILIES[source.below(len(FAMILIES))], 1 + source.below(5)
            slot = Slot(f"rival-{number:06d}", (EditRequest(family, severity),), ("object",), 0, 0)
            yield slot, WorkingImage.start(loaded), source.below(regions)


def measure_order(refs: str, regions: int, workers: int) -> dict[str, str]:
    """How V orders the labels that a data set would keep, of every variant and severity on one region."""
    edits = measure_edits(sample_places([refs], regions), ["equalized"], workers)
    return summarize_order(edits[edits.reason.isna()])


def summarize_order(labels: pd.DataFrame) -> dict[str, str]:
    """The lines of the table that edits of regions tell."""
    inversions, growth = count_inversions(labels), measure_growth(labels)[0]
    return {
        "inversions between variants": f"{inversions} of {inversions.pairs:,} pairs",
        "(region, variant) in which V grows with every severity": f"{growth} of {growth.pairs:,}",
    }


def format_table(lines: Mapping[str, str]) -> str:
    """The lines as a table in Markdown, with what is asked of them."""
    rows = [("", "measured", "bar"), ("---", "---", "---")]
    rows += [(name, value, BARS.get(name, "")) for name, value in lines.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", required=True, help="photographs that were not fitted, with regions")
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--rivals", type=int, default=300)
    parser.add_argument("--regions", type=int, default=24, help="with every variant and severity")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    tune_process()  # a process with threads of OpenCV must not fork
    lines = measure_draws(given.refs, given.images, given.workers)
    if given.rivals:
        lines |= measure_rivals(given.refs, given.rivals)
    if given.regions:
        lines |= measure_order(given.refs, given.regions, given.workers)
    print(f"{len(CATALOG)} variants, {given.refs}\n\n{format_table(lines)}")


if __name__ == "__main__":
    main()
