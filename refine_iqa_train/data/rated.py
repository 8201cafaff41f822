"""Questions about the quality of rated images, from the sets that `refine_bench.datasets` reads."""

from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from refine_iqa_train.config.schema import DataRules
from refine_iqa_train.data.columns import SplitRole, make_features
from refine_iqa_train.data.prompts import make_rated_row

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["load_rated"]


def load_rated(rules: DataRules, part: SplitRole) -> "Dataset":
    """Ask about the quality of every image of a rated set, scores mapped to 1 to 5, images as files.

    Raises
    ------
    UserError
        Where no set is named, all scores are equal and their range is to be mapped, or a score is outside of its range.
    """
    from datasets import Dataset

    from refine_bench.datasets import load

    spec = rules.rated if part == "train" else rules.rated_validation
    if spec is None:
        raise UserError(
            "there is nothing to validate on: give data.rated_validation, e.g. koniq:validation, or validation.every: 0"
        )
    rated_set = load(str(spec), rules.rated_root)
    if rules.mos_range == "observed" and len({row.mos for row in rated_set.rows}) < 2:
        raise UserError(
            f"{spec}: all {len(rated_set.rows):,} scores are equal, and data.mos_range: observed has no range to map "
            "them from; use data.mos_range: declared, or another set"
        )
    try:
        mos = [rated_set.five(row.mos, observed=rules.mos_range == "observed") for row in rated_set.rows]
        rows = [make_rated_row(row.name, str(row.image), score) for row, score in zip(rated_set.rows, mos, strict=True)]
    except ValueError as error:
        raise UserError(f"{spec}: {error} (data.mos_range: observed maps what is found)") from error
    return Dataset.from_list(rows, features=make_features())
