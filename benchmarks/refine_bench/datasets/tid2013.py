"""TID2013: 25 references, 24 distortions, 5 levels. File names differ in case from their labels."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Facts, LabelRow, Scale, check_same_length
from refine_bench.datasets.tables import ImageFinder, read_lines

__all__ = ["FACTS", "rows"]

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
)


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 3,000 images, clustered by their 25 references."""
    file, deviations = root / "mos_with_names.txt", root / "mos_std.txt"
    lines = list(read_lines(file))
    sds = [text for _, text in read_lines(deviations)] if deviations.is_file() else [None] * len(lines)
    check_same_length(file, scores=lines, deviations=sds)
    images, clean = ImageFinder(root / "distorted_images"), ImageFinder(root / "reference_images")
    for (line, text), sd in zip(lines, sds, strict=True):
        mos, _, name = text.partition(" ")
        parts = name.strip().split("_")
        if len(parts) != 3:
            raise UserError(f"{file}, row {line}: {text[:60]!r} is not a score and a name like I01_01_1.bmp")
        reference = parts[0].upper()
        yield LabelRow(
            file=file,
            line=line,
            name=name.strip(),
            mos=mos,
            image=images.find(name.strip()),
            sd=sd,
            reference_id=reference,
            reference=clean.find(f"{reference}.bmp"),
            kind=parts[1],
        )
