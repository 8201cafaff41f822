"""AGIQA-3K: 2,982 images made by six text-to-image models. Two opinions of each: quality, and fit to the prompt."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.tables import ImageFinder, read_csv

__all__ = ["FACTS", "rows"]

FACTS = Facts(
    name="agiqa",
    title="AGIQA-3K",
    kind="rated",
    labels=("data.csv",),
    folders=("agiqa", "agiqa-3k", "agiqa3k", "agiqa-3k-database"),
    counts={"": 2982},
    scales={"": Scale(0, 5)},
    axes=(Axis("label", ("quality", "align")),),
    citation="Li et al., AGIQA-3K, IEEE TCSVT 34 (2024), doi:10.1109/TCSVT.2023.3319020",
    url="https://github.com/lcysyzxdxc/AGIQA-3k-Database",
    sha256="3a17a8d74c49296ea5485dbcd01b23de12c628f2c09beb359aa35f43cfadd18c",
)


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 2,982 images; `kind` is the model that made the image."""
    file = root / "data.csv"
    images = ImageFinder(root, root / "images", root / "AGIQA-3K", root / "AGIQA-3k")
    mos, sd = f"mos_{choice['label']}", f"std_{choice['label']}"
    for line, row in read_csv(file, ("name", "prompt", mos, sd)):
        yield LabelRow(
            file=file,
            line=line,
            name=row["name"],
            mos=row[mos],
            image=images.find(row["name"]),
            sd=row[sd],
            kind=row["name"].partition("_")[0] or None,
        )
