"""CSIQ: 30 references, six distortions, rated on one long row of screens. DMOS: lower is better."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.tables import ImageFinder, read_xlsx

__all__ = ["FACTS", "rows"]

LABELS = "csiq.DMOS.xlsx"
FACTS = Facts(
    name="csiq",
    title="CSIQ",
    kind="rated",
    labels=(LABELS,),
    folders=("csiq",),
    counts={"866": 866, "716": 716},
    scales={"": Scale(0, 1, higher_is_better=False)},
    axes=(Axis("split", ("866", "716")),),
    renamed={
        "750": "CSIQ without blur is csiq:716; 750 is the length of Q-Align's csiq.json, which has 34 images that CSIQ "
        "does not have, and is read as it is by meta:csiq.json+down"
    },
    citation="Larson and Chandler, J. Electronic Imaging 19 (2010), doi:10.1117/1.3267105",
    url="https://s2.smu.edu/~eclarson/csiq.html",
    notes=(
        "716 is without blur, as is Q-Align's csiq.json; that has 750 rows, 34 of images that CSIQ does not have, and "
        "gives its contrast images the labels of its noise images",
    ),
)
# Type in the workbook -> folder, token in the file name.
TYPES = {
    "noise": ("awgn", "AWGN"),
    "blur": ("blur", "BLUR"),
    "contrast": ("contrast", "contrast"),
    "fnoise": ("fnoise", "fnoise"),
    "jpeg": ("jpeg", "JPEG"),
    "jpeg 2000": ("jpeg2000", "jpeg2000"),
}


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 866 images, clustered by their 30 references."""
    file = root / LABELS
    images, clean = ImageFinder(root / "dst_imgs", root), ImageFinder(root / "src_imgs", root)
    columns = ("image", "dst_type", "dst_lev", "dmos_std", "dmos")
    for line, row in read_xlsx(file, columns, sheet="all_by_image"):
        kind = str(row["dst_type"])
        if kind not in TYPES:
            raise UserError(f"{file}, row {line}: distortion {kind!r}; known: {', '.join(TYPES)}")
        # Excel keeps the image called 1600 as a number.
        reference = str(row["image"]).removesuffix(".0")
        folder, token = TYPES[kind]
        name = f"{folder}/{reference}.{token}.{str(row['dst_lev']).removesuffix('.0')}.png"
        yield LabelRow(
            file=file,
            line=line,
            name=name,
            mos=row["dmos"],
            image=images.find(name),
            sd=row["dmos_std"],
            reference_id=reference,
            reference=clean.find(f"{reference}.png"),
            kind=kind,
            selected=choice["split"] == "866" or kind != "blur",
        )
