"""CSIQ: 30 references, six distortions, rated on one long row of screens. DMOS: lower is better."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.meta_info import find_meta_info, read_meta_info
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
    meta_info="meta_info_CSIQDataset.csv",
)
META_INFO = {"name": "dist_name", "dmos": "dmos"}
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
    meta = None if file.is_file() else find_meta_info(root, FACTS.meta_info)
    images, clean = ImageFinder(root / "dst_imgs", root), ImageFinder(root / "src_imgs", root)
    for label in _read_meta_info(meta) if meta else _read_workbook(file):
        folder, token = TYPES[label.kind]
        file_name = f"{label.reference}.{token}.{label.level}.png"
        placed = images.find(f"{folder}/{file_name}")
        yield LabelRow(
            file=meta or file,
            line=label.line,
            name=f"{folder}/{file_name}",
            mos=label.dmos,
            # pyiqa's mirror has the images of all distortions in one folder
            image=placed if placed.is_file() else images.find(file_name),
            sd=label.sd,
            reference_id=label.reference,
            reference=clean.find(f"{label.reference}.png"),
            kind=label.kind,
            selected=choice["split"] == "866" or label.kind != "blur",
        )


class _Label(NamedTuple):
    line: int
    reference: str
    kind: str
    level: str
    dmos: object
    sd: object


def _read_workbook(file: Path) -> Iterator[_Label]:
    columns = ("image", "dst_type", "dst_lev", "dmos_std", "dmos")
    for line, row in read_xlsx(file, columns, sheet="all_by_image"):
        kind = str(row["dst_type"])
        if kind not in TYPES:
            raise UserError(f"{file}, row {line}: distortion {kind!r}; known: {', '.join(TYPES)}")
        # Excel keeps the image called 1600 as a number.
        reference, level = (str(row[column]).removesuffix(".0") for column in ("image", "dst_lev"))
        yield _Label(line, reference, kind, level, row["dmos"], row["dmos_std"])


def _read_meta_info(file: Path) -> Iterator[_Label]:
    kinds = {token.lower(): kind for kind, (_, token) in TYPES.items()}
    for line, row in read_meta_info(file, META_INFO):
        parts = row["name"].rpartition("/")[2].split(".")
        if len(parts) != 4 or parts[1].lower() not in kinds:
            raise UserError(f"{file}, row {line}: {row['name'][:60]!r} is not a name like 1600.AWGN.1.png")
        yield _Label(line, parts[0], kinds[parts[1].lower()], parts[2], row["dmos"], None)
