"""KADID-10k: 81 references, 25 distortions, 5 levels. `dmos` rises with quality, despite its name."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.tables import ImageFinder, read_csv

__all__ = ["FACTS", "rows"]

FACTS = Facts(
    name="kadid",
    title="KADID-10k",
    kind="rated",
    labels=("dmos.csv",),
    folders=("kadid", "kadid10k", "kadid-10k"),
    counts={"10125": 10125, "2000": 2000, "8125": 8125},
    scales={"": Scale(1, 5)},
    axes=(Axis("split", ("10125", "2000", "8125")),),
    citation="Lin et al., KADID-10k, QoMEX 2019, doi:10.1109/QoMEX.2019.8743252",
    url="https://database.mmsp-kn.de/kadid-10k-database.html",
    notes=(
        "2000 is the test split of Q-Align, DeQA-Score and Q-Insight: references I66 to I81; 8125 is what is left",
        "the column var holds standard deviations",
    ),
)
TEST_REFERENCES = frozenset(f"I{number}" for number in range(66, 82))
# Degradation category ratings for each image, says the paper.
RATINGS = 30


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 10,125 images, clustered by their 81 references."""
    file = root / "dmos.csv"
    split = choice["split"]
    images = ImageFinder(root / "images", root / "distorted_images")
    clean = ImageFinder(root / "images", root / "reference_images")
    for line, row in read_csv(file, ("dist_img", "ref_img", "dmos", "var")):
        name, reference = row["dist_img"], Path(row["ref_img"]).stem
        yield LabelRow(
            file=file,
            line=line,
            name=name,
            mos=row["dmos"],
            image=images.find(name),
            sd=row["var"],
            n_ratings=RATINGS,
            reference_id=reference,
            reference=clean.find(row["ref_img"]),
            kind="_".join(Path(name).stem.split("_")[1:2]) or None,
            selected=split == "10125" or (reference in TEST_REFERENCES) == (split == "2000"),
        )
