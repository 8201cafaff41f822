"""TID2013: 25 references, 24 distortions, 5 levels. File names differ in case from their labels."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Facts, LabelRow, Scale, check_same_length
from refine_bench.datasets.meta_info import find_meta_info, read_meta_info
from refine_bench.datasets.tables import ImageFinder, read_lines

__all__ = ["FACTS", "rows"]

KINDS = (
    "additive Gaussian noise",
    "noise in color components",
    "spatially correlated noise",
    "masked noise",
    "high frequency noise",
    "impulse noise",
    "quantization noise",
    "Gaussian blur",
    "image denoising",
    "JPEG",
    "JPEG 2000",
    "JPEG transmission errors",
    "JPEG 2000 transmission errors",
    "non-eccentricity pattern noise",
    "local block-wise distortions",
    "mean shift",
    "contrast change",
    "change of color saturation",
    "multiplicative Gaussian noise",
    "comfort noise",
    "lossy compression of noisy images",
    "color quantization with dither",
    "chromatic aberrations",
    "sparse sampling and reconstruction",
)
# The subsets of its readme; one distortion may be in several.
SUBSETS = {
    "Noise": (1, 2, 3, 4, 5, 6, 7, 8, 9, 19, 21),
    "Actual": (1, 3, 4, 5, 6, 8, 9, 10, 11, 19, 21),
    "Simple": (1, 8, 10),
    "Exotic": (12, 13, 14, 15, 16, 17, 20, 23, 24),
    "New": (18, 19, 20, 21, 22, 23, 24),
    "Color": (2, 7, 10, 18, 22, 23),
}
FACTS = Facts(
    name="tid2013",
    title="TID2013",
    kind="rated",
    labels=("mos_with_names.txt",),
    folders=("tid2013", "tid"),
    counts={"": 3000},
    scales={"": Scale(0, 9)},
    citation="Ponomarenko et al., Signal Processing: Image Communication 30 (2015), doi:10.1016/j.image.2014.10.009",
    url="https://www.ponomarenko.info/tid2013.htm",
    meta_info="meta_info_TID2013Dataset.csv",
    kinds={f"{number:02}": name for number, name in enumerate(KINDS, 1)},
    groups={group: tuple(f"{number:02}" for number in numbers) for group, numbers in SUBSETS.items()},
)
META_INFO = {"name": "dist_name", "mos": "mos", "sd": "std"}


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 3,000 images, clustered by their 25 references."""
    file = root / "mos_with_names.txt"
    meta = None if file.is_file() else find_meta_info(root, FACTS.meta_info)
    file, labels = (meta, _read_meta_info(meta)) if meta else (file, _read_official(file, root / "mos_std.txt"))
    images, clean = ImageFinder(root / "distorted_images"), ImageFinder(root / "reference_images")
    for line, name, mos, sd in labels:
        parts = name.split("_")
        if len(parts) != 3:
            raise UserError(f"{file}, row {line}: {mos[:20]} {name[:40]!r} is not a score and a name like I01_01_1.bmp")
        reference = parts[0].upper()
        yield LabelRow(
            file=file,
            line=line,
            name=name,
            mos=mos,
            image=images.find(name),
            sd=sd,
            reference_id=reference,
            reference=clean.find(f"{reference}.bmp"),
            kind=parts[1],
        )


def _read_official(file: Path, deviations: Path) -> Iterator[tuple[int, str, str, str | None]]:
    """(line, name, score, standard deviation)."""
    lines = list(read_lines(file))
    sds = [text for _, text in read_lines(deviations)] if deviations.is_file() else [None] * len(lines)
    check_same_length(file, scores=lines, deviations=sds)
    for (line, text), sd in zip(lines, sds, strict=True):
        mos, _, name = text.partition(" ")
        yield line, name.strip(), mos, sd


def _read_meta_info(file: Path) -> Iterator[tuple[int, str, str, str | None]]:
    return ((line, row["name"], row["mos"], row["sd"]) for line, row in read_meta_info(file, META_INFO))
