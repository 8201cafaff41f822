"""A configuration from a file, with overrides, checked; and the rewards that it asks for."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from distortlab.core.config import from_values
from distortlab.core.errors import UserError, describe_unknown
from distortlab.recipe import load_recipe
from distortlab.tasks.terms import FAMILIES
from refine_iqa_train.config.controls import check_not_pushed
from refine_iqa_train.config.exploration import make_entropy_values
from refine_iqa_train.config.overrides import read_yaml, set_key
from refine_iqa_train.config.schema import DEFAULT_PERCEPTION, PERCEPTION, REWARDS, Config, find_stream_recipe

__all__ = ["list_packaged_configs", "load_config", "select_reward_weights"]


def load_config(source: str | Path, overrides: Mapping[str, object] | None = None) -> Config:
    """Read a configuration, put overrides in, and check it.

    Parameters
    ----------
    source
        A YAML file, or the name of a configuration that comes with the package.
    overrides
        Values by dotted key, e.g. {"trainer.max_steps": 50}.

    Raises
    ------
    UserError
        With one sentence: what came, what is allowed.

    Examples
    --------
    >>> from refine_iqa_train.config.loading import load_config
    >>> config = load_config("smoke-stage1", {"trainer.max_steps": 50})
    >>> config.trainer["max_steps"], config.lora
    (50, None)
    """
    path = Path(source)
    if path.suffix not in (".yaml", ".yml") and not path.exists():
        known = list_packaged_configs()
        if str(source) not in known:
            raise UserError(describe_unknown("configuration", source, known, "or give the path of a .yaml file"))
        path = known[str(source)]
    values = read_yaml(path)
    for key, value in (overrides or {}).items():
        set_key(values, key, value)
    config = from_values(Config, values, str(source))
    _check_config(config, str(source))
    return config


def list_packaged_configs() -> dict[str, Path]:
    """Find the configurations that come with the package (`recipes/*.yaml`), by name."""
    folder = Path(str(resources.files("refine_iqa_train"))) / "recipes"
    if not folder.is_dir():  # an editable install: the folder stands beside the package
        folder = folder.parent.parent / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


_RANGES = (
    ("seed", 0, 2**32 - 1),
    ("data.buffer", 1, 10_000_000),
    ("data.limit", 1, 10**9),
    ("data.reward_sampler.tau", 0.001, 1000),
    ("data.reward_sampler.alpha", 0.001, 1),
    ("data.reward_sampler.floor", 0, 1),
    ("images.min_pixels", 1, 10**9),
    ("images.max_pixels", 1, 10**9),
    ("images.align", 1, 4096),
    ("rewards.micro_batch", 1, 4096),
    ("rewards.quality.threshold", 0, 4),
    ("exploration.coef", 0, 100),
    ("exploration.coef_step", 0, 100),
    ("exploration.coef_max", 0, 100),
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
    _check_ranges(config, where)
    _check_names(config, where)
    _check_combinations(config, where)
    _check_stream(config, where)
    _check_controls(config, where)
    _check_exploration(config, where)


def _check_ranges(config: Config, where: str) -> None:
    for key, low, high in _RANGES:
        value: Any = config
        for part in key.split("."):
            value = None if value is None else getattr(value, part)
        if value is not None and not low <= value <= high:
            raise UserError(f"{where}: {key} = {value} is outside {low} .. {high}")


def _check_names(config: Config, where: str) -> None:
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


def _check_combinations(config: Config, where: str) -> None:
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
    if "" in config.frozen:
        raise UserError(f"{where}: frozen has an empty pattern; give names of weights, e.g. visual.*, or leave it out")


def _check_controls(config: Config, where: str) -> None:
    rules = config.data
    if rules.shuffle_solutions and (rules.streaming or find_stream_recipe(rules) is not None):
        raise UserError(
            f"{where}: data.shuffle_solutions permutes the questions of files, all of which are known beforehand; "
            "leave data.streaming out, and give data.perception as a data set"
        )
    if config.rewards.shuffle != "none" and rules.sampler == "reward":
        raise UserError(
            f"{where}: rewards.shuffle: {config.rewards.shuffle} leaves nothing true for data.sampler: reward to go "
            "by; use data.sampler: uniform"
        )
    check_not_pushed(config)


def _check_exploration(config: Config, where: str) -> None:
    rules = config.exploration
    make_entropy_values(rules, config.trainer)
    if rules is None:
        return
    if not 0 < rules.entropy_target < float("inf"):
        raise UserError(
            f"{where}: exploration.entropy_target = {rules.entropy_target}; it is above 0, in nats or, with unit: "
            "start, as a share of the entropy of the first step"
        )
    if rules.unit == "start" and rules.entropy_target > 1:
        raise UserError(
            f"{where}: exploration.entropy_target = {rules.entropy_target} with unit: start is above the entropy that "
            "the run begins with; give a share of it, up to 1"
        )
    if rules.coef > rules.coef_max:
        raise UserError(f"{where}: exploration.coef = {rules.coef} is above exploration.coef_max = {rules.coef_max}")


def _check_stream(config: Config, where: str) -> None:
    """Keys that go with images made fresh, and those that do not."""
    rules, recipe = config.data, find_stream_recipe(config.data)
    if recipe is None:
        given = [key for key in ("references", "perception_files") if getattr(rules, key) is not None]
        given += [
            key
            for key, default in (("sampler", "uniform"), ("stream_share", 1.0), ("questions_per_image", 1))
            if getattr(rules, key) != default
        ]
        if given:
            raise UserError(
                f"{where}: data.{given[0]} goes with images that are made fresh: give data.perception: stream:RECIPE, "
                f"or leave data.{given[0]} out"
            )
        return
    if not recipe:
        raise UserError(f"{where}: data.perception: stream: names no recipe; give e.g. stream:refine-perception-20k")
    if rules.references is None:
        raise UserError(
            f"{where}: data.perception: stream:{recipe} needs clean images; give data.references, e.g. scenes"
        )
    for key, default in (("perception_revision", None), ("streaming", False), ("limit", None)):
        if getattr(rules, key) != default:
            raise UserError(
                f"{where}: data.{key} is for data sets in files; leave it out with data.perception: stream:{recipe}"
            )
    _check_stream_share(config, where)
    if config.validation.every and rules.perception_files is None and rules.rated is None:
        raise UserError(
            f"{where}: nothing is held out where all images are made fresh: give data.perception_files, a data set of "
            "other references, or validation.every: 0"
        )


def _check_stream_share(config: Config, where: str) -> None:
    rules = config.data
    if rules.questions_per_image < 1:
        raise UserError(f"{where}: data.questions_per_image = {rules.questions_per_image}; it is 1 or more")
    if not 0 < rules.stream_share <= 1:
        raise UserError(
            f"{where}: data.stream_share = {rules.stream_share}; it lies above 0 and is at most 1: for files alone "
            "give them as data.perception"
        )
    if rules.stream_share < 1 and rules.perception_files is None:
        raise UserError(
            f"{where}: data.stream_share = {rules.stream_share} leaves a share to files; give data.perception_files, a "
            "data set by distortlab"
        )


# --- rewards ---------------------------------------------------------------------------------------------------------


def select_reward_weights(config: Config, stage: str) -> dict[str, float]:
    """Choose the rewards of a stage, "stage1" or "stage2", with their weights; a weight of 0 leaves one out."""
    names = {"stage1": ("format", *PERCEPTION), "stage2": REWARDS}[stage]
    named = config.data.tasks or (*_list_recipe_tasks(config), *config.rewards.weights)
    tasks = set(named) if config.data.perception else set()
    selected = [name for name in names if name not in PERCEPTION or name in tasks]
    return {name: w for name in selected if (w := config.rewards.weights.get(name, 1.0)) != 0}


def _list_recipe_tasks(config: Config) -> tuple[str, ...]:
    """The tasks that are rewarded where none are named: of a stream those of its recipe."""
    recipe = find_stream_recipe(config.data)
    return DEFAULT_PERCEPTION if recipe is None else load_recipe(recipe).asked_tasks
