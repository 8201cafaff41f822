"""FLIVE, also PaQ-2-PiQ and LIVE-FB: 39,810 photographs, rated by a crowd."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.tables import ImageFinder, read_csv

__all__ = ["FACTS", "rows"]

TEST = ("labels640.csv", "labels>640.csv")
FACTS = Facts(
    name="flive",
    title="FLIVE (PaQ-2-PiQ)",
    kind="rated",
    labels=(("labels_image.csv", *TEST, "database/labels_image.csv", "database/labels640.csv"),),
    folders=("flive", "flive_database", "livefb", "fblive"),
    counts={"all": 39810},
    scales={"": Scale(0, 100)},
    axes=(Axis("split", ("all", "test")),),
    citation="Ying et al., From Patches to Pictures, CVPR 2020, arXiv:1912.10088",
    url="https://github.com/niu-haoran/FLIVE_Database",
    notes=("test is the official one: images with a side above 640 pixels, listed in labels640.csv",),
    sha256="303d7edb690c763e300d8e10c56ca20ba3526ebf0b621c8cc2b5207bca6a815b",
)
# The merged file and the test file name their columns differently.
COLUMNS = (("name", "mos"), ("name_image", "mos_image"))


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """The images of the file that holds the split; patches are left out."""
    names = TEST if choice["split"] == "test" else ("labels_image.csv",)
    places = [root / part / name for part in ("", "database") for name in names]
    file = next((place for place in places if place.is_file()), places[0])
    images = ImageFinder(root / "database", root)
    found = next(read_csv(file, ()), (0, {}))[1]
    name, mos = next((pair for pair in COLUMNS if pair[0] in found), COLUMNS[0])
    for line, row in read_csv(file, (name, mos)):
        yield LabelRow(file=file, line=line, name=row[name], mos=row[mos], image=images.find(row[name]))
