"""PIPAL: 200 references, 40 distortions that restoration algorithms make. Elo ratings: higher is better, no fixed
range.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Facts, LabelRow, Scale
from refine_bench.datasets.meta_info import find_meta_info, read_meta_info
from refine_bench.datasets.tables import ImageFinder, read_lines

__all__ = ["FACTS", "rows"]

FACTS = Facts(
    name="pipal",
    title="PIPAL (training part)",
    kind="rated",
    labels=("Train_Label/*.txt",),
    folders=("pipal",),
    counts={"": 23200},
    scales={"": Scale(900, 1850, firm=False)},
    citation="Gu et al., PIPAL, ECCV 2020, arXiv:2007.12142",
    url="https://github.com/HaomingCai/PIPAL-dataset",
    notes=("labels of the other parts are not public; DeQA-Score's test_pipal_5k is a cut of this one (meta:FILE)",),
    meta_info="meta_info_PIPALDataset.csv",
    sha256="07a101daa65ef1aaa3d60d573d5749a8695dbfa1f31a6a1f0063e0c9ff9366b4",
)
META_INFO = {"name": "dist_name", "mos": "elo_score"}
FOLDERS = (
    "Train_Distort",
    "Train_Dist",
    "Dist_Imgs",
    *(f"{head}_{k}" for head in ("Distortion", "Train_Distort") for k in range(1, 5)),
)


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 23,200 images of the training part, clustered by their 200 references."""
    images = ImageFinder(*(root / folder for folder in FOLDERS))
    clean = ImageFinder(root / "Train_Ref")
    for file, line, name, mos in _read_labels(root):
        reference = name.split("_")[0]
        yield LabelRow(
            file=file,
            line=line,
            name=name,
            mos=mos,
            image=images.find(name),
            reference_id=reference,
            reference=clean.find(f"{reference}.bmp"),
            kind="_".join(name.split("_")[1:2]) or None,
        )


def _read_labels(root: Path) -> Iterator[tuple[Path, int, str, str]]:
    """(file, line, name, score)."""
    files = sorted((root / "Train_Label").glob("*.txt"))
    meta = None if files else find_meta_info(root, FACTS.meta_info)
    if meta:
        for line, row in read_meta_info(meta, META_INFO):
            yield meta, line, row["name"], row["mos"]
    for file in files:
        for line, text in read_lines(file):
            name, comma, mos = text.partition(",")
            if not comma:
                raise UserError(f"{file}, row {line}: {text[:60]!r} is not a name, a comma and a score")
            yield file, line, name, mos
