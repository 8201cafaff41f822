"""SPAQ: 11,125 photographs from smartphones, rated in a laboratory. It has no official split."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.image_names import normalize_name
from refine_bench.datasets.meta_info import find_meta_info, read_meta_info
from refine_bench.datasets.tables import ImageFinder, read_json, read_xlsx

__all__ = ["FACTS", "rows"]

LABELS = "MOS and Image attribute scores.xlsx"
# The 2,224 names are a random draw by Q-Align's authors: they come from their file, or from DeQA-Score's copy of it.
TEST_LISTS = ("test_spaq.json", "test_spaq_2k.json", "metas/test_spaq_2k.json")
FACTS = Facts(
    name="spaq",
    title="SPAQ",
    kind="rated",
    labels=((f"Annotations/{LABELS}", LABELS),),
    folders=("spaq",),
    counts={"11125": 11125, "2224": 2224, "8901": 8901},
    scales={"": Scale(0, 100)},
    axes=(Axis("split", ("11125", "2224", "8901")),),
    citation="Fang et al., Perceptual Quality Assessment of Smartphone Photography, CVPR 2020",
    url="https://github.com/h4nwei/SPAQ",
    notes=("2224 is Q-Align's test split and 8901 what is left; both need test_spaq.json beside the labels",),
    meta_info="meta_info_SPAQDataset.csv",
    sha256="91daa0b7ed75158a90a2fc1d34671a16e157a942669576584c87272de95a1a56",
)
# Opinions too, on 0-100 and higher is better: 100 in noisiness is free of noise.
ATTRIBUTES = ("Brightness", "Colorfulness", "Contrast", "Noisiness", "Sharpness")


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 11,125 images; those of the chosen split are selected."""
    file = next((path for path in (root / "Annotations" / LABELS, root / LABELS) if path.is_file()), None)
    meta = None if file else find_meta_info(root, FACTS.meta_info)
    columns = ("Image name", "MOS", *ATTRIBUTES)
    lines = read_meta_info(meta, {c: c for c in columns}) if meta else read_xlsx(file or root / LABELS, columns[:2])
    split = choice["split"]
    test = _read_test_names(root) if split != "11125" else frozenset[str]()
    images = ImageFinder(root / "TestImage", root / "SPAQ" / "TestImage", root)
    for line, row in lines:
        name = str(row["Image name"])
        yield LabelRow(
            file=meta or file or root / LABELS,
            line=line,
            name=name,
            mos=row["MOS"],
            image=images.find(name),
            selected=split == "11125" or (name in test) == (split == "2224"),
            attributes={a.lower(): row[a] for a in ATTRIBUTES if row.get(a) is not None},
        )


def _read_test_names(root: Path) -> frozenset[str]:
    file = next((root / name for name in TEST_LISTS if (root / name).is_file()), None)
    if file is None:
        raise UserError(
            f"{root} has no {TEST_LISTS[0]}, which names Q-Align's 2,224 test images; "
            "get it from Q-Align or DeQA-Score, or use spaq:11125"
        )
    paths = (str(item.get("image") or item.get("img_path")) for _, item in read_json(file))
    return frozenset(normalize_name(path).rpartition("/")[2] for path in paths)
