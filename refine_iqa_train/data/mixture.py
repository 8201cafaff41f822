"""Data sets for training: perception questions by distortlab, rated images through `refine_bench.datasets`, both.

Rows stay files until they are asked for: a map-style data set prepares them as they are indexed, a stream as they pass.
TRL shuffles a map-style set whole; a stream is shuffled here, in a buffer, because a distortlab data set keeps the
questions about one image, and the images of one reference, side by side.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from distortlab.core.errors import UserError, describe_unknown
from distortlab.core.seeds import stream
from distortlab.dataset.schema import RFT
from distortlab.tasks import TASKS
from distortlab.tasks.grounding import Coordinates
from refine_iqa_train.config.schema import Config, DataRules
from refine_iqa_train.data.checks import check_hashes, check_images, check_rows
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.prompts import REQUIRED_COLUMNS, make_rated_row, prepare_question
from refine_iqa_train.models.identity import hash_folder_state

__all__ = ["TrainingData", "load_training_data", "prepare_rows_lazily"]

SplitRole = Literal["train", "validation"]
RowPreparer = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What is trained on and what is held out. `counts` are questions by task; empty for a stream, which nobody counts.

    `train`, `validation`: data sets whose rows are prepared; `files`: the same rows of `train` as files, or None.
    `names`: what the data are called, for the card.
    """

    train: Any
    validation: Any
    files: Any
    counts: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def load_training_data(config: Config, stage: str, policy: ImagePolicy, coordinates: Coordinates) -> TrainingData:
    """The data of a run, checked: columns, tasks, splits, scores, and that every image opens."""
    rules = config.data
    _check_sources(rules, stage)
    prepare: RowPreparer = partial(prepare_question, policy=policy, coordinates=coordinates)
    first = os.environ.get("RANK", "0") == "0"
    if rules.check_images and rules.perception and first:
        check_hashes(rules.perception, (rules.split, rules.validation_split))
    train = _load_stream(config, prepare) if rules.streaming else _load_rows(config, "train")
    held = _load_rows(config, "validation") if config.validation.every and stage != "sft" else None
    if rules.streaming:
        return TrainingData(train, prepare_rows_lazily(held, prepare), None, {}, _list_sources(rules))
    if first:
        check_rows(train, held)
        if rules.check_images:
            check_images(train, held)
    return TrainingData(
        prepare_rows_lazily(train, prepare),
        prepare_rows_lazily(held, prepare),
        train,
        Counter(train["task"]),
        _list_sources(rules),
    )


def _check_sources(rules: DataRules, stage: str) -> None:
    if stage == "stage1" and (rules.perception is None or rules.rated is not None):
        raise UserError("stage1 learns from a data set by distortlab alone: give data.perception, and no data.rated")
    if stage == "stage2" and rules.rated is None:
        raise UserError(
            "stage2 learns to score: give data.rated, e.g. --data.rated koniq:training --data.rated_root DIR"
        )
    if stage == "sft" and rules.perception is None and rules.rated is None:
        raise UserError("there is nothing to learn from: give data.perception, data.rated or both")


def _list_sources(rules: DataRules) -> tuple[str, ...]:
    return tuple(name for name in (rules.perception, rules.rated) if name is not None)


def prepare_rows_lazily(files: Any, prepare: RowPreparer) -> Any:
    """A data set whose rows are prepared when they are indexed."""
    return None if files is None else files.with_transform(partial(_prepare_batch, prepare=prepare))


def _prepare_batch(columns: Mapping[str, list[Any]], prepare: RowPreparer) -> dict[str, list[Any]]:
    rows = [prepare(dict(zip(columns, values, strict=True))) for values in zip(*columns.values(), strict=True)]
    return {name: [row[name] for row in rows] for name in rows[0]}


# --- both kinds together --------------------------------------------------------------------------------------------


def _load_rows(config: Config, part: SplitRole) -> Any:
    """Rows with images as files, of both kinds, mixed."""
    rules = config.data
    asked = _load_perception(config, part) if rules.perception else None
    rated = _load_rated(config, part) if rules.rated else None
    if asked is None or rated is None:
        return _limit_rows(asked if rated is None else rated, config, part)
    return _limit_rows(_mix(asked, rated, config, part), config, part)


def _mix(asked: Any, rated: Any, config: Config, part: SplitRole) -> Any:
    """Perception in its share of the prompts; the rated images are there once each."""
    from datasets import concatenate_datasets

    share = config.data.perception_share
    wanted = round(len(rated) * share / (1 - share)) if share < 1 else len(asked)
    order = stream(config.seed, "perception", part).permute(range(len(asked)))
    return concatenate_datasets([asked.select(order[: min(wanted, len(asked))]), rated])


def _limit_rows(files: Any, config: Config, part: SplitRole) -> Any:
    limit = config.data.limit if part == "train" else config.validation.samples
    if limit is None:
        return files
    order = stream(config.seed, "limit", part).permute(range(len(files)))
    return files.select(sorted(order[:limit]))


def _load_stream(config: Config, prepare: RowPreparer) -> Any:
    """The same as a stream of prepared rows. Files are shuffled in the buffer, not decoded pictures."""
    from datasets import interleave_datasets

    rules = config.data
    kinds = []
    if rules.perception:
        kinds.append(_load_perception(config, "train"))
    if rules.rated:
        kinds.append(_load_rated(config, "train").to_iterable_dataset())
    shuffled = [kind.shuffle(seed=config.seed, buffer_size=rules.buffer) for kind in kinds]
    mixed = shuffled[0]
    if len(shuffled) == 2:
        alike = [kind.map(_order_columns, features=_make_features()) for kind in shuffled]
        shares = [rules.perception_share, 1 - rules.perception_share]
        mixed = interleave_datasets(alike, probabilities=shares, seed=config.seed)
    mixed = mixed if rules.limit is None else mixed.take(rules.limit)
    return mixed.map(prepare, remove_columns=["bbox", "distortion"])


def _order_columns(row: dict[str, Any]) -> dict[str, Any]:
    """Columns in one order: the tables of the two kinds have them in different ones."""
    return {name: row[name] for name in REQUIRED_COLUMNS}


# --- perception -----------------------------------------------------------------------------------------------------


def _load_perception(config: Config, part: SplitRole) -> Any:
    rules = config.data
    split = rules.split if part == "train" else rules.validation_split
    files = _open_split(rules, split, rules.streaming and part == "train")
    _check_columns(files, rules)
    files = _filter_rows(_select_columns(files), rules)
    if not _is_stream(files):
        if not len(files):
            raise UserError(
                f"{rules.perception}: no question is left in {split}{_describe_filters(rules)} (data.split)"
            )
        _check_tasks(files, rules)
    return files


def _describe_filters(rules: DataRules) -> str:
    chosen = {"data.tasks": rules.tasks, "data.families": rules.families}
    filters = [f"{key} = {', '.join(names)}" for key, names in chosen.items() if names]
    return f" with {' and '.join(filters)}" if filters else ""


def _open_split(rules: DataRules, split: str, streaming: bool) -> Any:
    from datasets import get_dataset_split_names, load_dataset
    from datasets.exceptions import DatasetNotFoundError, DatasetsError
    from pyarrow import ArrowException

    name = str(rules.perception)
    if not Path(name).exists() and (name.startswith((".", "/")) or name.endswith("/")):
        raise UserError(f"there is no data set in {name} (data.perception); distortlab generate makes one")
    cache = _find_cache(name)
    try:
        return load_dataset(name, split=split, revision=rules.perception_revision, streaming=streaming, cache_dir=cache)
    except (DatasetNotFoundError, FileNotFoundError, ConnectionError) as error:
        raise UserError(f"the data set {name} cannot be opened: {error} (data.perception)") from error
    except (DatasetsError, ArrowException) as error:
        raise UserError(
            f"the data set {name} is not whole: {_find_root_cause(error)} (distortlab verify {name} names what is "
            "damaged)"
        ) from error
    except ValueError as error:
        if "split" not in str(error).lower():
            raise UserError(f"the data set {name} cannot be read: {error}") from error
        known = get_dataset_split_names(name, revision=rules.perception_revision)
        raise UserError(
            f"{name}: " + describe_unknown("split", split, known, "data.split, data.validation_split")
        ) from error


def _find_root_cause(error: BaseException) -> str:
    """What `datasets` says at the bottom of its errors, on one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    if "BatchSize must be greater than 0" in str(error):
        return "one of its files holds no rows"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _find_cache(name: str) -> str | None:
    """A cache for each state of a folder: that of `datasets` answers with old rows where a data set was made again
    under the same name. None: the usual one, for the Hub.
    """
    from datasets import config

    return str(Path(config.HF_DATASETS_CACHE) / hash_folder_state(Path(name))) if Path(name).is_dir() else None


def _check_columns(files: Any, rules: DataRules) -> None:
    there = list(files.features or files.column_names or [])
    missing = [name for name in REQUIRED_COLUMNS if name not in there]
    if missing:
        raise UserError(
            f"{rules.perception} has no column {', '.join(missing)}; it has {', '.join(there) or 'none'}. Give a data "
            "set made by distortlab (its configuration rft, the default)"
        )


def _check_tasks(files: Any, rules: DataRules) -> None:
    for task in sorted(set(files["task"]), key=str):
        if task not in TASKS or task == "quality":
            raise UserError(f"{rules.perception}: " + describe_unknown("task", task, TASKS, "column task"))


def _filter_rows(files: Any, rules: DataRules) -> Any:
    """Without the tasks and families that are left out; pictures are not looked at."""
    for column, wanted in (("task", rules.tasks), ("distortion", rules.families)):
        if wanted and _is_stream(files):
            files = files.filter(partial(_is_wanted, wanted=wanted), input_columns=[column])
        elif wanted:
            files = files.select([place for place, value in enumerate(files[column]) if value in wanted])
    return files


def _is_wanted(value: str, wanted: tuple[str, ...]) -> bool:
    return value in wanted


def _select_columns(files: Any) -> Any:
    """The columns that are needed, images as files. A table that has them already is not copied."""
    from datasets import Dataset, DatasetInfo

    wanted = _make_features()
    files = files.select_columns(list(wanted))
    if _is_stream(files):
        return files.cast(wanted)
    if files.features.arrow_schema.equals(wanted.arrow_schema) and files._indices is None:
        return Dataset(files.data, info=DatasetInfo(features=wanted), split=files.split)
    return files.cast(wanted)


def _make_features() -> Any:
    """Those of the generator's table of questions, images not decoded."""
    from datasets import Features, Image, List

    kept = Features.from_dict({name: RFT[name] for name in REQUIRED_COLUMNS})
    return Features({**kept, "images": List(Image(decode=False))})


def _is_stream(files: Any) -> bool:
    from datasets import IterableDataset

    return isinstance(files, IterableDataset)


# --- rated images ---------------------------------------------------------------------------------------------------


def _load_rated(config: Config, part: SplitRole) -> Any:
    from datasets import Dataset

    from refine_bench.datasets import load

    rules = config.data
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
    return Dataset.from_list(rows, features=_make_features())
