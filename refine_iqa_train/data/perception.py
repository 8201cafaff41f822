"""Questions of perception: a data set by distortlab, from a folder or the Hub, with the columns that are needed."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError, describe_unknown
from distortlab.tasks import TASKS, Unread
from distortlab.tasks.recognition import NONE
from distortlab.tasks.region_lists import parse_regions
from refine_iqa_train.config.schema import DataRules
from refine_iqa_train.data.columns import REQUIRED_COLUMNS, SplitRole, is_stream, make_features
from refine_iqa_train.models.identity import hash_folder_state

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

__all__ = ["check_perception_folder", "load_perception"]


def check_perception_folder(rules: DataRules) -> None:
    """Raise `UserError` where `data.perception` names a folder, not a data set of the Hub, and there is none."""
    name = str(rules.perception)
    if rules.perception and not Path(name).exists() and (name.startswith((".", "/")) or name.endswith("/")):
        raise UserError(f"there is no data set in {name} (data.perception); distortlab generate makes one")


def load_perception(rules: DataRules, part: SplitRole) -> "Dataset | IterableDataset":
    """Open a split of the perception data set: the columns, tasks and families that are asked for, images as files.

    Raises
    ------
    UserError
        Where there is no such data set or split, it is damaged, a column is missing, a task is unknown, or no question
        is left.
    """
    split = rules.split if part == "train" else rules.validation_split
    files = _open_split(rules, split, rules.streaming and part == "train")
    _check_columns(files, rules)
    files = _filter_rows(_select_columns(files), rules)
    if not is_stream(files):
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


def _open_split(rules: DataRules, split: str, streaming: bool) -> "Dataset | IterableDataset":
    from datasets import get_dataset_split_names, load_dataset
    from datasets.exceptions import DatasetNotFoundError, DatasetsError
    from pyarrow import ArrowException

    name = str(rules.perception)
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


def _check_columns(files: "Dataset | IterableDataset", rules: DataRules) -> None:
    columns = _list_columns(files)
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise UserError(
            f"{rules.perception} has no column {', '.join(missing)}; it has {', '.join(columns) or 'none'}. Give a "
            "data set made by distortlab (its configuration rft, the default)"
        )


def _check_tasks(files: "Dataset", rules: DataRules) -> None:
    for task in sorted(set(files["task"]), key=str):
        if task not in TASKS or task == "quality":
            raise UserError(f"{rules.perception}: " + describe_unknown("task", task, TASKS, "column task"))


def _filter_rows(files: "Dataset | IterableDataset", rules: DataRules) -> "Dataset | IterableDataset":
    """Without the tasks and families that are left out; pictures are not looked at."""
    if not rules.tasks and not rules.families:
        return files
    columns = ["task", "distortion", "solution"]
    is_chosen = partial(_is_chosen, tasks=rules.tasks, families=rules.families)
    if is_stream(files):
        return files.filter(is_chosen, input_columns=columns)
    rows = zip(*(files[column] for column in columns), strict=True)
    return files.select([place for place, row in enumerate(rows) if is_chosen(*row)])


def _is_chosen(
    task: str, distortion: str | None, solution: str, tasks: tuple[str, ...], families: tuple[str, ...]
) -> bool:
    """Of a set every family must be chosen; pristine images stay. What is compared has no family in its row, and is
    never chosen by one.
    """
    if tasks and task not in tasks:
        return False
    if not families or task != "diagnosis":
        is_pristine = distortion is None and solution == NONE
        return not families or is_pristine or distortion in families
    found = parse_regions(solution)
    return not isinstance(found, Unread) and all(region.family in families for region in found.regions)


def _select_columns(files: "Dataset | IterableDataset") -> "Dataset | IterableDataset":
    """The columns that are needed, images as files. A table that has them already is not copied."""
    from datasets import Dataset, DatasetInfo, Features

    features = make_features()
    present = Features({name: feature for name, feature in features.items() if name in _list_columns(files)})
    files = files.select_columns(list(present))
    if is_stream(files):
        files = files.cast(present)
        return files if len(present) == len(features) else files.map(_add_no_boxes, features=features)
    if files.features.arrow_schema.equals(features.arrow_schema) and files._indices is None:
        return Dataset(files.data, info=DatasetInfo(features=features), split=files.split)
    if len(present) < len(features):
        files = files.add_column("boxes", [None] * len(files), feature=features["boxes"])
    return files.cast(features)


def _list_columns(files: "Dataset | IterableDataset") -> list[str]:
    return list(files.features or files.column_names or [])


def _add_no_boxes(row: Mapping[str, object]) -> dict[str, object]:
    """Data sets of earlier versions have no such column."""
    return {**row, "boxes": None}
