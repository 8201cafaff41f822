"""CLIVE, also LIVE in the Wild, LIVE-C, LIVE-itw: photographs from phones, rated by a crowd."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale, check_same_length
from refine_bench.datasets.meta_info import find_meta_info, read_meta_info
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
    meta_info="meta_info_LIVEChallengeDataset.csv",
    sha256="76fc5a3917a7d167be51225f14c081f0aede2bb483a901aeefda824b46a482b4",
)
META_INFO = {"name": "img_name", "mos": "mos", "sd": "std"}
TRAINING = 7


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 1,169 images; the first seven are `Images/trainingImages/t1.bmp` to `t7.bmp`."""
    labels = _read_labels(root)
    images = ImageFinder(root / "Images", root / "Images/trainingImages")
    for number, (name, mos, sd) in enumerate(zip(labels.names, labels.scores, labels.sds, strict=True), 1):
        trained = number <= TRAINING
        yield LabelRow(
            file=labels.file,
            line=number,
            name=str(name),
            mos=mos,
            image=images.find(str(name)),
            sd=sd,
            split="training images" if trained else None,
            selected=choice["split"] == "1169" or not trained,
        )


class _Labels(NamedTuple):
    file: Path
    names: list[Any]
    scores: list[Any]
    sds: list[Any]


def _read_labels(root: Path) -> _Labels:
    file = root / MOS
    meta = None if file.is_file() else find_meta_info(root, FACTS.meta_info)
    if meta:
        rows = [row for _, row in read_meta_info(meta, META_INFO)]
        return _Labels(meta, *([row[column] for row in rows] for column in META_INFO))
    (names,) = read_mat(root / "Data/AllImages_release.mat", ["AllImages_release"])
    (scores,) = read_mat(file, ["AllMOS_release"])
    deviations = root / "Data/AllStdDev_release.mat"
    sds = read_mat(deviations, ["AllStdDev_release"])[0] if deviations.is_file() else [None] * len(scores)
    check_same_length(file, names=names, scores=scores, deviations=sds)
    return _Labels(file, names, scores, sds)
