"""CLIVE, also LIVE in the Wild, LIVE-C, LIVE-itw: photographs from phones, rated by a crowd."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale, check_same_length
from refine_bench.datasets.tables import ImageFinder, read_mat

__all__ = ["FACTS", "rows"]

MOS = "Data/AllMOS_release.mat"
FACTS = Facts(
    name="clive",
    title="CLIVE (LIVE in the Wild)",
    kind="rated",
    labels=(MOS, "Data/AllImages_release.mat"),
    folders=("clive", "live-w", "livew", "livec", "live-wild", "challengedb_release"),
    counts={"1162": 1162, "1169": 1169},
    scales={"": Scale(0, 100)},
    axes=(Axis("split", ("1162", "1169")),),
    citation="Ghadiyaram and Bovik, IEEE TIP 25 (2016), doi:10.1109/TIP.2015.2500021",
    url="https://live.ece.utexas.edu/research/ChallengeDB/",
    notes=("1169 counts the seven images that raters were trained with, as Q-Bench, Q-Align and DeQA-Score do",),
)
TRAINING = 7


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 1,169 images; the first seven are `Images/trainingImages/t1.bmp` to `t7.bmp`."""
    file = root / MOS
    (names,) = read_mat(root / "Data/AllImages_release.mat", ["AllImages_release"])
    (scores,) = read_mat(file, ["AllMOS_release"])
    deviations = root / "Data/AllStdDev_release.mat"
    sds = read_mat(deviations, ["AllStdDev_release"])[0] if deviations.is_file() else [None] * len(scores)
    check_same_length(file, names=names, scores=scores, deviations=sds)
    images = ImageFinder(root / "Images", root / "Images/trainingImages")
    for number, (name, mos, sd) in enumerate(zip(names, scores, sds, strict=True), 1):
        trained = number <= TRAINING
        yield LabelRow(
            file=file,
            line=number,
            name=str(name),
            mos=mos,
            image=images.find(str(name)),
            sd=sd,
            split="training images" if trained else None,
            selected=choice["split"] == "1169" or not trained,
        )
