"""One run, one YAML file: everything that decides what is trained, on what, and how it is watched.

`trainer` holds keys of TRL's `GRPOConfig` (stages) or `SFTConfig` (cold start) under their own names; all others are
described here. Any key can be given on the command line: `--trainer.max_steps 50`, `--data.perception data/`.
Nothing heavy is imported.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from distortlab.core.config import from_values
from distortlab.core.errors import UserError, describe_unknown
from distortlab.tasks import TASKS
from distortlab.tasks.recognition import GRADING, Grading
from distortlab.tasks.terms import FAMILIES
from refine_iqa_train.config.overrides import read_yaml, set_key

__all__ = [
    "ColdStartRules",
    "Config",
    "DataRules",
    "HubRules",
    "ImageRules",
    "LoraRules",
    "QualityRules",
    "RewardRules",
    "ValidationRules",
    "WatchRules",
    "list_packaged_configs",
    "load_config",
    "select_reward_weights",
]

PERCEPTION = ("recognition", "recognition_reference", "object", "grounding")
REWARDS = ("format", *TASKS, "probability_difference")


@dataclass(frozen=True, slots=True)
class DataRules:
    """What is learnt from.

    `perception` a data set made by distortlab: a folder, or a name on the Hub; `tasks` and `families` leave others out.
    `rated` a set of rated images as `refine_bench.datasets` names it ("koniq:training"), in the folder `rated_root`.
    `perception_share`: with both, the share of prompts that are perception's. `mos_range`: what is mapped to 1-5, the
    range that the set declares or the one found in it. `limit`: the first rows only, for trials.
    """

    perception: str | None = None
    perception_revision: str | None = None
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
    """How large images are when the model sees them. Empty: as the processor has it.

    `align`: pad the right and bottom edge to multiples of this, so that nothing is resampled; 224 fits every Qwen-VL.
    """

    min_pixels: int | None = None
    max_pixels: int | None = None
    align: int | None = None


@dataclass(frozen=True, slots=True)
class QualityRules:
    """The answer reward of stage 2. `threshold` also decides what is right for the gate, whatever the answer pays."""

    answer: Literal["hit", "graded", "ranking"] = "hit"
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class RewardRules:
    """What is paid for. A weight of 0 leaves a reward out.

    `digits`: weights of the digits of "d.dd" in the probability difference, three numbers or a name. `advantages`:
    `published` keeps only positive ones where a rollout of the group is fully right; `plain` is GRPO's.
    """

    weights: dict[str, float] = field(default_factory=dict)
    recognition: Grading = GRADING
    quality: QualityRules = QualityRules()
    digits: Literal["released", "per-token"] | tuple[float, float, float] = "released"
    advantages: Literal["published", "plain"] = "published"
    micro_batch: int = 8


@dataclass(frozen=True, slots=True)
class ColdStartRules:
    """What the cold start teaches: `direct_share` of the questions about quality are answered without thinking."""

    direct_share: float = 0.5


@dataclass(frozen=True, slots=True)
class LoraRules:
    """Low-rank adapters (LoRA), over 4-bit weights with `four_bit` (QLoRA). `vision`: also in the part that sees."""

    r: int = 64
    alpha: int = 128
    dropout: float = 0.05
    vision: bool = False
    four_bit: bool = False


@dataclass(frozen=True, slots=True)
class ValidationRules:
    """Held-out questions every so many steps (0: never): how many, and how many answers to each; the likeliest answer
    (temperature 0), or sampled ones. `direct`: rated images are also scored without thinking, in one pass each.
    """

    every: int = 100
    samples: int = 256
    generations: int = 1
    temperature: float = 0.0
    batch: int = 16
    direct: bool = True


@dataclass(frozen=True, slots=True)
class WatchRules:
    """Where numbers go, and how often completions are shown on a page (0: never)."""

    report_to: Literal["none", "tensorboard", "trackio", "wandb"] = "none"
    samples_every: int = 50
    samples: int = 16


@dataclass(frozen=True, slots=True)
class HubRules:
    """Where the model is pushed when training is done; without an `id` nowhere."""

    id: str | None = None
    private: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    """A run. `resume`: `auto` goes on from the last checkpoint in `out`, `no` refuses a folder that has some, anything
    else is the path of a checkpoint. `frozen_vision`: the part that sees is not trained.

    `adapter`: what becomes of adapters that `model` holds: `continue` trains the same ones on, which needs `lora`;
    `merge` adds them to the weights of their model, in `out/base`, and begins from there with new adapters or, without
    `lora`, in full; `auto` continues where `lora` is given, and merges where not.
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


def to_plain_values(value: object) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, Mapping):
        return {str(key): to_plain_values(inner) for key, inner in value.items()}
    return [to_plain_values(inner) for inner in value] if isinstance(value, list | tuple) else value


def select_reward_weights(config: Config, stage: str) -> dict[str, float]:
    """The rewards of a stage with their weights, those of weight 0 left out; 1 where nothing is said."""
    names = {"stage1": ("format", *PERCEPTION), "stage2": REWARDS}[stage]
    asked = set(config.data.tasks or PERCEPTION) if config.data.perception else set()
    wanted = [name for name in names if name not in PERCEPTION or name in asked]
    return {name: w for name in wanted if (w := config.rewards.weights.get(name, 1.0)) != 0}


# --- reading --------------------------------------------------------------------------------------------------------


def load_config(source: str | Path, overrides: Mapping[str, object] | None = None) -> Config:
    """A checked configuration from a file, or by the name of a recipe that comes with the package."""
    path = Path(source)
    if path.suffix not in (".yaml", ".yml") and not path.exists():
        known = list_packaged_configs()
        if str(source) not in known:
            raise UserError(describe_unknown("recipe", source, known, "or give the path of a .yaml file"))
        path = known[str(source)]
    values = read_yaml(path)
    for key, value in (overrides or {}).items():
        set_key(values, key, value)
    config = from_values(Config, values, str(source))
    _check_config(config, str(source))
    return config


def list_packaged_configs() -> dict[str, Path]:
    """The recipes that come with the package, by name."""
    folder = Path(str(resources.files("refine_iqa_train"))) / "recipes"
    if not folder.is_dir():  # an editable install: the folder stands beside the package
        folder = folder.parent.parent / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


_RANGES = (
    ("seed", 0, 2**32 - 1),
    ("data.buffer", 1, 10_000_000),
    ("data.limit", 1, 10**9),
    ("images.min_pixels", 1, 10**9),
    ("images.max_pixels", 1, 10**9),
    ("images.align", 1, 4096),
    ("rewards.micro_batch", 1, 4096),
    ("rewards.quality.threshold", 0, 4),
    ("cold_start.direct_share", 0, 1),
    ("lora.r", 1, 4096),
    ("lora.alpha", 1, 65536),
    ("lora.dropout", 0, 1),
    ("validation.every", 0, 10**9),
    ("validation.samples", 1, 10**9),
    ("validation.generations", 1, 64),
    ("validation.temperature", 0, 10),
    ("validation.batch", 1, 4096),
    ("watch.samples_every", 0, 10**9),
    ("watch.samples", 1, 1000),
)


def _check_config(config: Config, where: str) -> None:
    for key, low, high in _RANGES:
        value: Any = config
        for part in key.split("."):
            value = None if value is None else getattr(value, part)
        if value is not None and not low <= value <= high:
            raise UserError(f"{where}: {key} = {value} is outside {low} .. {high}")
    for name, weight in config.rewards.weights.items():
        if name not in REWARDS:
            raise UserError(f"{where}: " + describe_unknown("reward", name, REWARDS))
        if not 0 <= weight < float("inf"):
            raise UserError(f"{where}: the weight of the reward {name} is {weight}; weights are 0 or more")
    for task in config.data.tasks:
        if task not in PERCEPTION:
            raise UserError(f"{where}: " + describe_unknown("task", task, PERCEPTION))
    for family in config.data.families:
        if family not in FAMILIES:
            raise UserError(f"{where}: no family called {family!r} (data.families); known: {', '.join(FAMILIES)}")
    if not 0 < config.data.perception_share < 1:
        raise UserError(
            f"{where}: data.perception_share = {config.data.perception_share}; it lies between 0 and 1 and is neither: "
            "without questions of perception leave data.perception out, without rated images train stage1"
        )
    if config.validation.generations > 1 and not config.validation.temperature:
        raise UserError(
            f"{where}: validation.generations = {config.validation.generations} greedy answers would be alike; give a "
            "validation.temperature above 0, or one generation"
        )
    images = config.images
    if images.min_pixels and images.max_pixels and images.min_pixels > images.max_pixels:
        raise UserError(f"{where}: images.min_pixels is above images.max_pixels")
