"""LIVE, release 2: 29 references, five distortions. DMOS: lower is better; 203 of its 982 rows are pristine."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale, check_same_length
from refine_bench.datasets.tables import ImageFinder, read_mat

__all__ = ["FACTS", "rows"]

FACTS = Facts(
    name="live",
    title="LIVE (release 2)",
    kind="rated",
    labels=(("dmos_realigned.mat", "dmos.mat"), "refnames_all.mat"),
    folders=("live", "databaserelease2", "liveiqa", "live2005", "liveiqa_release2"),
    counts={"779": 779, "982": 982},
    scales={"": Scale(0, 100, higher_is_better=False, firm=False)},
    axes=(Axis("split", ("779", "982")), Axis("label", ("realigned", "release2"))),
    citation="Sheikh, Sabir and Bovik, IEEE TIP 15 (2006), doi:10.1109/TIP.2006.881959",
    url="https://live.ece.utexas.edu/research/quality/subjective.htm",
    notes=("982 counts the 203 pristine rows, as Q-Align's live.json does: their DMOS is 0 by definition",),
)
FOLDERS = (("jp2k", 227), ("jpeg", 233), ("wn", 174), ("gblur", 174), ("fastfading", 174))
LABELS = {"realigned": ("dmos_realigned.mat", "dmos_new"), "release2": ("dmos.mat", "dmos")}


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 982 rows, clustered by their 29 references."""
    name, variable = LABELS[choice["label"]]
    file = root / name
    scores, pristine = read_mat(file, [variable, "orgs"])
    sds = read_mat(file, ["dmos_std"])[0] if variable == "dmos_new" else [None] * len(scores)
    (references,) = read_mat(root / "refnames_all.mat", ["refnames_all"])
    places = [(folder, number) for folder, count in FOLDERS for number in range(1, count + 1)]
    check_same_length(file, scores=scores, orgs=pristine, deviations=sds, references=references, images=places)
    images, clean = ImageFinder(root), ImageFinder(root / "refimgs")
    for line, (folder, number) in enumerate(places, 1):
        reference = str(references[line - 1])
        yield LabelRow(
            file=file,
            line=line,
            name=f"{folder}/img{number}.bmp",
            mos=scores[line - 1],
            image=images.find(f"{folder}/img{number}.bmp"),
            sd=sds[line - 1],
            reference_id=Path(reference).stem,
            reference=clean.find(reference),
            kind=folder,
            selected=choice["split"] == "982" or not int(pristine[line - 1]),
        )
