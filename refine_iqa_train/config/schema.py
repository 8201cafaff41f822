"""One run, one YAML file: everything that decides what is trained, on what, and how it is watched.

`trainer` holds keys of TRL's `GRPOConfig` (stages) or `SFTConfig` (cold start) under their own names; all others are
described here. Any key can be given on the command line: `--trainer.max_steps 50`, `--data.perception data/`.
Nothing heavy is imported.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from distortlab.tasks import TASKS
from distortlab.tasks import diagnosis as diagnosis_task
from distortlab.tasks.recognition import GRADING, Grading
from refine_iqa_train.config.data_rules import DataRules, RewardSamplerRules, find_stream_recipe
from refine_iqa_train.config.exploration import ExplorationRules

__all__ = [
    "ColdStartRules",
    "Config",
    "DataRules",
    "ExplorationRules",
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
    recognition, diagnosis, quality
        How the answers of these tasks are graded.
    digits
        Weights of the digits of "d.dd" in the probability difference: three numbers, or a name of `DIGIT_WEIGHTS`.
    advantages
        "published" keeps only positive ones where a rollout of the group is fully correct; "plain" is GRPO's.
    micro_batch
        Rows in a teacher-forced pass.
    shuffle
        For controls, in which nothing can be learnt from rewards: "group" permutes them among the answers to one
        question, "batch" among the answers to all questions of a task in a batch.
    """

    weights: dict[str, float] = field(default_factory=dict)
    recognition: Grading = GRADING
    diagnosis: diagnosis_task.Grading = diagnosis_task.GRADING
    quality: QualityRules = QualityRules()
    digits: Literal["released", "per-token"] | tuple[float, float, float] = "released"
    advantages: Literal["published", "plain"] = "published"
    micro_batch: int = 8
    shuffle: Literal["none", "group", "batch"] = "none"


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
    vision
        Weights of the part that sees, in place of the model's own: a file of safetensors or of PyTorch, or the folder
        of a model with the same part.
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
    vision_attention
        How the modules of a Qwen-VL model that see attend, with `attention: sdpa`: "batched" takes all windows of one
        length together, "looped" one after the other, as transformers does.
    frozen_vision
        Whether the modules that see are not trained.
    frozen
        Patterns of names of weights that are not trained, e.g. "visual.*"; each begins at the beginning of a name or
        after any of its dots.
    data, images, rewards, cold_start, lora, validation, watch, hub
        Sections of their own; without `lora` the model is trained in full.
    exploration
        Keeps the entropy of answers up; without it nothing does, but for keys of TRL.
    trainer
        Keys of TRL's `GRPOConfig` (stages) or `SFTConfig` (cold start).
    """

    model: str
    out: str
    revision: str | None = None
    vision: str | None = None
    seed: int = 0
    resume: str = "auto"
    adapter: Literal["auto", "continue", "merge"] = "auto"
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    vision_attention: Literal["batched", "looped"] = "batched"
    frozen_vision: bool = False
    frozen: tuple[str, ...] = ()
    data: DataRules = field(default_factory=DataRules)
    images: ImageRules = ImageRules()
    rewards: RewardRules = RewardRules()
    exploration: ExplorationRules | None = None
    cold_start: ColdStartRules = ColdStartRules()
    lora: LoraRules | None = None
    validation: ValidationRules = ValidationRules()
    watch: WatchRules = WatchRules()
    hub: HubRules = HubRules()
    trainer: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for YAML and JSON."""
        return to_plain_values(asdict(self))


def to_plain_values(value: object) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, Mapping):
        return {str(key): to_plain_values(inner) for key, inner in value.items()}
    return [to_plain_values(inner) for inner in value] if isinstance(value, list | tuple) else value
