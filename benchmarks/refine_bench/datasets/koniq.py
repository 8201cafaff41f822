"""KonIQ-10k: 10,073 photographs, rated by a crowd.

Two official files. `koniq10k_scores_and_distributions.csv`: MOS on 1-5 and MOS_zscore.
`koniq10k_distributions_sets.csv`: the split, and a column MOS that is the z-score one. The ACR MOS is also the mean
of the fractions c1..c5 in either.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.tables import ImageFinder, is_number, read_csv

__all__ = ["FACTS", "rows"]

SCORES = "koniq10k_scores_and_distributions.csv"
SETS = "koniq10k_distributions_sets.csv"
FACTS = Facts(
    name="koniq",
    title="KonIQ-10k",
    kind="rated",
    labels=((SETS, SCORES),),
    folders=("koniq", "koniq10k", "koniq-10k", "koniq_10k"),
    counts={"official-2015": 2015, "qalign-2010": 2010, "all": 10073, "training": 7058, "validation": 1000},
    scales={"acr": Scale(1, 5), "zscore": Scale(0, 100)},
    axes=(
        Axis("label", ("acr", "zscore")),
        Axis("size", ("1024", "512")),
        Axis("split", ("official-2015", "qalign-2010", "all", "training", "validation")),
    ),
    citation="Hosu et al., KonIQ-10k, IEEE TIP 29 (2020), doi:10.1109/TIP.2020.2967829",
    url="https://database.mmsp-kn.de/koniq-10k-database.html",
    notes=("SRCC between the two kinds of MOS on the test split is .9917",),
    sha256="06f5e54ae524c09200ed6e179d16e03920fbe2b6b65904e72cbdd2c2a60ce531",
)
# In the official test split, and not in the test file of Q-Align that DeQA-Score and Q-Insight use too.
NOT_IN_QALIGN = frozenset(("121123359.jpg", "213906996.jpg", "3483143101.jpg", "3632417985.jpg", "44009500.jpg"))
FOLDERS = {"1024": ("1024x768", "images/1024x768"), "512": ("512x384", "images/512x384")}
VOTES = ("c1", "c2", "c3", "c4", "c5")


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """All 10,073 images; those of the chosen split are selected."""
    file = root / SETS if (root / SETS).is_file() else root / SCORES
    split = choice["split"]
    if file.name == SCORES and split != "all":
        raise UserError(f"{root} has no {SETS}, which holds the split {split}; get it, or use koniq:all")
    images = ImageFinder(*(root / folder for folder in FOLDERS[choice["size"]]))
    score = "MOS" if file.name == SETS else "MOS_zscore"
    for line, row in read_csv(file, ("image_name", *VOTES, "c_total", "SD", score)):
        name, part = row["image_name"], row.get("set")
        acr = choice["label"] == "acr"
        yield LabelRow(
            file=file,
            line=line,
            name=name,
            mos=_mean_vote(row) if acr else row[score],
            image=images.find(name),
            sd=row["SD"] if acr else None,
            n_ratings=row["c_total"],
            split=part,
            selected=_is_selected(split, part, name),
        )


def _is_selected(split: str, part: str | None, name: str) -> bool:
    if split == "qalign-2010":
        return part == "test" and name not in NOT_IN_QALIGN
    return split == "all" or part == {"official-2015": "test"}.get(split, split)


def _mean_vote(row: Mapping[str, str]) -> object:
    """The mean vote, from fractions or from counts; what is no number is left for the check to name."""
    try:
        votes = [float(row[vote]) for vote in VOTES]
    except ValueError:
        return next(row[vote] for vote in VOTES if not is_number(row[vote]))
    return sum(k * vote for k, vote in enumerate(votes, 1)) / sum(votes) if sum(votes) > 0 else "no vote"
