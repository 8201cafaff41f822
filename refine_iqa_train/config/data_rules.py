"""What is learnt from: the keys below `data` of a run."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["DataRules", "RewardSamplerRules", "find_stream_recipe"]

STREAM = "stream:"


@dataclass(frozen=True, slots=True)
class RewardSamplerRules:
    """How `data.sampler: reward` chooses what is made next; the defaults are GS-IQA's.

    Parameters
    ----------
    tau
        The temperature of the softmax over negative mean rewards: the smaller, the more of what goes worst.
    alpha
        The weight of the newest generation of answers in a mean.
    floor
        The share that is spread evenly over all.
    severities
        Whether severities are chosen by their rewards too.
    """

    tau: float = 1.0
    alpha: float = 0.1
    floor: float = 0.05
    severities: bool = False


@dataclass(frozen=True, slots=True)
class DataRules:
    """What is learnt from.

    Parameters
    ----------
    perception, perception_revision
        A data set made by distortlab: a folder, or a name on the Hub and its revision. Or "stream:RECIPE", with a .toml
        file or a name as `distortlab generate --recipe` takes it: images made fresh while the model learns.
    references
        The clean images of a stream, as `distortlab generate --refs` takes them.
    perception_files
        A data set by distortlab beside a stream: its `validation_split` is held out, and where `stream_share` is below
        1, its `split` is trained on too.
    stream_share
        The share of perception's prompts that are made fresh, above 0.
    questions_per_image
        How many questions are asked about an image that is made fresh, one after the other, each of another task.
    sampler
        "uniform" makes fresh images in the shares of the recipe, "reward" more of the families that go badly.
    reward_sampler
        How the second chooses.
    perception_share
        With both kinds: the share of prompts that are perception's, above 0 and below 1.
    split, validation_split
        The splits of the perception data set that are trained on and held out.
    tasks, families
        Only these tasks and families of distortions; all where empty. Of `diagnosis`, images whose distortions are all
        of these families; comparisons are left out where families are chosen.
    rated, rated_validation
        Sets of rated images as `refine_bench.datasets` names them, e.g. "koniq:training".
    rated_root
        The folder of the rated images.
    mos_range
        What is mapped to 1 to 5: the range that the set declares, or the one observed in it.
    streaming, buffer
        Whether rows are read as a stream, and how many of them are shuffled at a time.
    limit
        This many rows only, for trials.
    check_images
        Whether every image is opened before training.
    shuffle_solutions
        For controls, in which nothing can be learnt about images: solutions are permuted among the questions of each
        task that are trained on. What is held out stays as it is.
    """

    perception: str | None = None
    perception_revision: str | None = None
    references: str | None = None
    perception_files: str | None = None
    stream_share: float = 1.0
    questions_per_image: int = 1
    sampler: Literal["uniform", "reward"] = "uniform"
    reward_sampler: RewardSamplerRules = RewardSamplerRules()
    perception_share: float = 0.25
    split: str = "train"
    validation_split: str = "validation"
    tasks: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    rated: str | None = None
    rated_validation: str | None = None
    rated_root: str = "."
    mos_range: Literal["declared", "observed"] = "declared"
    streaming: bool = False
    buffer: int = 4096
    limit: int | None = None
    check_images: bool = True
    shuffle_solutions: bool = False


def find_stream_recipe(rules: DataRules) -> str | None:
    """The recipe by which perception is made fresh, a name or a path; None where it is read from a data set."""
    name = rules.perception or ""
    return name.removeprefix(STREAM) if name.startswith(STREAM) else None
