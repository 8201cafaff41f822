"""One run, one YAML file: everything that decides what is trained, on what, and how it is watched.

`trainer` holds keys of TRL's `GRPOConfig` (stages) or `SFTConfig` (cold start) under their own names; all others are
described here. Any key can be given on the command line: `--trainer.max_steps 50`, `--data.perception data/`.
Nothing heavy is imported.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from distortlab.tasks import TASKS
from distortlab.tasks.recognition import GRADING, Grading

__all__ = [
    "ColdStartRules",
    "Config",
    "DataRules",
    "HubRules",
    "ImageRules",
    "LoraRules",
    "QualityRules",
    "RewardRules",
    "RewardSamplerRules",
    "ValidationRules",
    "WatchRules",
    "find_stream_recipe",
    "to_plain_values",
]

PERCEPTION = tuple(name for name in TASKS if name != "quality")
DEFAULT_PERCEPTION = ("recognition", "recognition_reference", "object", "grounding")
"""The tasks of perception that are rewarded where a configuration names none."""
REWARDS = ("format", *TASKS, "probability_difference")

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
    sampler
        "uniform" makes fresh images in the shares of the recipe, "reward" more of the families that go badly.
    reward_sampler
        How the second chooses.
    perception_share
        With both kinds: the share of prompts that are perception's, above 0 and below 1.
    split, validation_split
        The splits of the perception data set that are trained on and held out.
    tasks, families
        Only these tasks and families of distortions; all where empty.
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
    """

    perception: str | None = None
    perception_revision: str | None = None
    references: str | None = None
    perception_files: str | None = None
    stream_share: float = 1.0
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


@dataclass(frozen=True, slots=True)
class ImageRules:
    """How large images are when the model sees them; empty keys are as the processor has them.

    Parameters
    ----------
    min_pixels, max_pixels
        Limits of the area.
    align
        Pad the right and bottom edge to multiples of this, so that nothing is resampled; 224 fits every Qwen-VL.
    """

    min_pixels: int | None = None
    max_pixels: int | None = None
    align: int | None = None


@dataclass(frozen=True, slots=True)
class QualityRules:
    """The answer reward of stage 2.

    Parameters
    ----------
    answer
        "hit" pays 1 within the threshold, "graded" less with the distance, "ranking" for the right order of images.
    threshold
        In units of the score, 1 to 5. It decides what is correct for the gate too, whatever `answer` pays.
    """

    answer: Literal["hit", "graded", "ranking"] = "hit"
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class RewardRules:
    """What is rewarded.

    Parameters
    ----------
    weights
        By name; 1 where nothing is said, 0 leaves a reward out.
    recognition, quality
        How the answers of these tasks are graded.
    digits
        Weights of the digits of "d.dd" in the probability difference: three numbers, or a name of `DIGIT_WEIGHTS`.
    advantages
        "published" keeps only positive ones where a rollout of the group is fully correct; "plain" is GRPO's.
    micro_batch
        Rows in a teacher-forced pass.
    """

    weights: dict[str, float] = field(default_factory=dict)
    recognition: Grading = GRADING
    quality: QualityRules = QualityRules()
    digits: Literal["released", "per-token"] | tuple[float, float, float] = "released"
    advantages: Literal["published", "plain"] = "published"
    micro_batch: int = 8


@dataclass(frozen=True, slots=True)
class ColdStartRules:
    """What the cold start teaches.

    Parameters
    ----------
    direct_share
        The share of the questions about quality that are answered without thinking.
    """

    direct_share: float = 0.5


@dataclass(frozen=True, slots=True)
class LoraRules:
    """Low-rank adapters (LoRA).

    Parameters
    ----------
    r, alpha, dropout
        Rank, scale and dropout of the adapters.
    vision
        Also in the modules that see.
    four_bit
        Over 4-bit weights (QLoRA); needs a GPU.
    """

    r: int = 64
    alpha: int = 128
    dropout: float = 0.05
    vision: bool = False
    four_bit: bool = False


@dataclass(frozen=True, slots=True)
class ValidationRules:
    """Held-out questions during training.

    Parameters
    ----------
    every
        Steps between two validations; 0: never.
    samples
        Questions of one validation.
    generations, temperature
        Answers to each question; at temperature 0 the likeliest one.
    batch
        Answers of a batch on each process.
    direct
        Whether rated images are also scored without thinking, in one pass each.
    """

    every: int = 100
    samples: int = 256
    generations: int = 1
    temperature: float = 0.0
    batch: int = 16
    direct: bool = True


@dataclass(frozen=True, slots=True)
class WatchRules:
    """Where numbers go, and how often completions are shown.

    Parameters
    ----------
    report_to
        The logger that gets every number.
    samples_every, samples
        Steps between two pages of completions (0: never), and questions on a page.
    """

    report_to: Literal["none", "tensorboard", "trackio", "wandb"] = "none"
    samples_every: int = 50
    samples: int = 16


@dataclass(frozen=True, slots=True)
class HubRules:
    """Where the model is pushed when training is done.

    Parameters
    ----------
    id
        A repository, `somebody/something`; without one nothing is pushed.
    private
        Whether a new repository is private.
    """

    id: str | None = None
    private: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    """A run: everything that decides what is trained, on what, and how it is watched.

    Parameters
    ----------
    model, revision
        A folder, or a name on the Hub and its revision. It may hold adapters.
    out
        The folder of the run.
    seed
        Of the order of the data, of sampling and of new adapters.
    resume
        "auto" goes on from the last checkpoint in `out`, "no" refuses a folder that has some, anything else is the path
        of a checkpoint.
    adapter
        What becomes of adapters that `model` holds. "continue" trains the same ones, which needs `lora`; "merge" adds
        them to the weights of their model, in `out/base`, and begins from there with new adapters or, without `lora`,
        in full; "auto" continues where `lora` is given, and merges where not.
    dtype, attention
        Of the weights ("auto": float32, or bfloat16 under adapters on a GPU), and the implementation of attention.
    frozen_vision
        Whether the modules that see are not trained.
    data, images, rewards, cold_start, lora, validation, watch, hub
        Sections of their own; without `lora` the model is trained in full.
    trainer
        Keys of TRL's `GRPOConfig` (stages) or `SFTConfig` (cold start).
    """

    model: str
    out: str
    revision: str | None = None
    seed: int = 0
    resume: str = "auto"
    adapter: Literal["auto", "continue", "merge"] = "auto"
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    frozen_vision: bool = False
    data: DataRules = DataRules()
    images: ImageRules = ImageRules()
    rewards: RewardRules = RewardRules()
    cold_start: ColdStartRules = ColdStartRules()
    lora: LoraRules | None = None
    validation: ValidationRules = ValidationRules()
    watch: WatchRules = WatchRules()
    hub: HubRules = HubRules()
    trainer: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for YAML and JSON."""
        return to_plain_values(asdict(self))


def find_stream_recipe(rules: DataRules) -> str | None:
    """The recipe by which perception is made fresh, a name or a path; None where it is read from a data set."""
    name = rules.perception or ""
    return name.removeprefix(STREAM) if name.startswith(STREAM) else None


def to_plain_values(value: object) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, Mapping):
        return {str(key): to_plain_values(inner) for key, inner in value.items()}
    return [to_plain_values(inner) for inner in value] if isinstance(value, list | tuple) else value
