"""PIPAL: 200 references, 40 distortions that restoration algorithms make. Elo ratings: higher is better, no fixed
range.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Facts, LabelRow, Scale
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
)
FOLDERS = (
    "Train_Distort",
    "Train_Dist",
    *(f"{head}_{k}" for head in ("Distortion", "Train_Distort") for k in range(1, 5)),
)


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 23,200 images of the training part, clustered by their 200 references."""
    images = ImageFinder(*(root / folder for folder in FOLDERS))
    clean = ImageFinder(root / "Train_Ref")
    for file in sorted((root / "Train_Label").glob("*.txt")):
        for line, text in read_lines(file):
            name, comma, mos = text.partition(",")
            if not comma:
                raise UserError(f"{file}, row {line}: {text[:60]!r} is not a name, a comma and a score")
            yield LabelRow(
                file=file,
                line=line,
                name=name,
                mos=mos,
                image=images.find(name),
                reference_id=file.stem,
                reference=clean.find(f"{file.stem}.bmp"),
                kind="_".join(name.split("_")[1:2]) or None,
            )
