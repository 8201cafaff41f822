"""BID: 586 photographs with real blur, rated in a laboratory."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Facts, LabelRow, Scale
from refine_bench.datasets.tables import ImageFinder, read_xlsx

__all__ = ["FACTS", "rows"]

LABELS = "DatabaseGrades.xlsx"
NUMBER, MOS, SD = "Image Number", "Average Subjective Grade", "std"
FACTS = Facts(
    name="bid",
    title="BID",
    kind="rated",
    labels=(LABELS,),
    folders=("bid", "bid2011", "bid512"),
    counts={"": 586},
    scales={"": Scale(0, 5)},
    citation="Ciancio et al., No-Reference Blur Assessment of Digital Pictures, IEEE TIP 20 (2011), "
    "doi:10.1109/TIP.2010.2053549",
    url="https://github.com/zwx8981/UNIQUE#link-to-download-the-bid-dataset",
)


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 586 images; the workbook numbers them."""
    file = root / LABELS
    images = ImageFinder(root, root / "ImageDatabase", root / "images")
    for line, row in read_xlsx(file, (NUMBER, MOS)):
        number = str(row[NUMBER]).removesuffix(".0")
        name = f"DatabaseImage{number.zfill(4)}.JPG"
        yield LabelRow(file=file, line=line, name=name, mos=row[MOS], image=images.find(name), sd=row.get(SD))
