"""UHD-IQA: 6,073 photographs of 3,840 pixels across, beautiful ones, rated by ten experts twice."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.tables import ImageFinder, read_csv

__all__ = ["FACTS", "rows"]

LABELS = "uhd-iqa-metadata.csv"
SETS = ("training", "validation", "test")
FACTS = Facts(
    name="uhdiqa",
    title="UHD-IQA",
    kind="rated",
    labels=(LABELS,),
    folders=("uhdiqa", "uhd-iqa", "uhd-iqa-database", "uhd_iqa"),
    counts={"all": 6073, "training": 4269, "validation": 904, "test": 900},
    scales={"": Scale(0, 1)},
    axes=(Axis("split", ("test", "all", "training", "validation")),),
    citation="Hosu et al., UHD-IQA Benchmark Database, ECCV Workshops 2024, arXiv:2406.17472",
    url="https://database.mmsp-kn.de/uhd-iqa-benchmark-database.html",
    notes=("images have a side of 3,840 pixels: a model that is shown less sees other images than the raters did",),
)
HOLDERS = ("", "challenge", "UHD-IQA-database", "UHD-IQA-database/challenge", "database")


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 6,073 images; those of the chosen split are selected. Each has 20 ratings."""
    file = root / LABELS
    images = {part: ImageFinder(*_list_folders(root, part)) for part in SETS}
    for line, row in read_csv(file, ("image_name", "quality_mos", "set")):
        name, part = row["image_name"], row["set"]
        yield LabelRow(
            file=file,
            line=line,
            name=name,
            mos=row["quality_mos"],
            image=images.get(part, images["test"]).find(name),
            split=part,
            selected=choice["split"] in ("all", part),
        )


def _list_folders(root: Path, part: str) -> list[Path]:
    """Where the images of a split may be: releases put them into a folder for each split, or all into one."""
    holders = [root / holder for holder in HOLDERS]
    return [*(holder / part for holder in holders), *holders]
