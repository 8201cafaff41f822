"""KADID-10k: 81 references, 25 distortions, 5 levels. `dmos` rises with quality, despite its name."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.meta_info import find_meta_info, read_meta_info
from refine_bench.datasets.tables import ImageFinder, read_csv

__all__ = ["FACTS", "rows"]

KINDS = (
    "Gaussian blur",
    "lens blur",
    "motion blur",
    "color diffusion",
    "color shift",
    "color quantization",
    "color saturation 1",
    "color saturation 2",
    "JPEG 2000",
    "JPEG",
    "white noise",
    "white noise in color component",
    "impulse noise",
    "multiplicative noise",
    "denoise",
    "brighten",
    "darken",
    "mean shift",
    "jitter",
    "non-eccentricity patch",
    "pixelate",
    "quantization",
    "color block",
    "high sharpen",
    "contrast change",
)
GROUPS = {
    "blurs": (1, 3),
    "color distortions": (4, 8),
    "compression": (9, 10),
    "noise": (11, 15),
    "brightness change": (16, 18),
    "spatial distortions": (19, 23),
    "sharpness and contrast": (24, 25),
}
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
    meta_info="meta_info_KADID10kDataset.csv",
    kinds={f"{number:02}": name for number, name in enumerate(KINDS, 1)},
    groups={
        group: tuple(f"{number:02}" for number in range(first, last + 1)) for group, (first, last) in GROUPS.items()
    },
    sha256="66ad371694ee25cae15df072233d851deb5c66f52405808a65ce267c7707275b",
)
META_INFO = {"dist_img": "dist_name", "ref_img": "ref_name", "dmos": "dmos", "var": "std"}
TEST_REFERENCES = frozenset(f"I{number}" for number in range(66, 82))
# Degradation category ratings for each image, says the paper.
RATINGS = 30


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 10,125 images, clustered by their 81 references."""
    file = root / "dmos.csv"
    split = choice["split"]
    images = ImageFinder(root / "images", root / "distorted_images")
    clean = ImageFinder(root / "images", root / "reference_images")
    meta = None if file.is_file() else find_meta_info(root, FACTS.meta_info)
    for line, row in read_meta_info(meta, META_INFO) if meta else read_csv(file, tuple(META_INFO)):
        name, reference = row["dist_img"], Path(row["ref_img"]).stem
        yield LabelRow(
            file=meta or file,
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
