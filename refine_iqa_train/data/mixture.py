"""Data sets for training: perception questions by distortlab, rated images through `refine_bench.datasets`, both.

Rows stay files until they are asked for: a map-style data set prepares them as they are indexed, a stream as they pass.
TRL shuffles a map-style set whole; a stream is shuffled here, in a buffer, because a distortlab data set keeps the
questions about one image, and the images of one reference, side by side.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, cast

from distortlab.core.errors import UserError
from distortlab.core.seeds import stream
from distortlab.tasks.grounding import Coordinates
from refine_iqa_train.config.schema import Config, DataRules, find_stream_recipe
from refine_iqa_train.data.checks import check_hashes, check_images, check_rows
from refine_iqa_train.data.columns import SplitRole, make_features, order_columns
from refine_iqa_train.data.fresh import FreshQuestions, load_stream_recipe, open_fresh_questions
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.items import FRESH, Generations, make_item_rows
from refine_iqa_train.data.perception import check_perception_folder, load_perception
from refine_iqa_train.data.prompts import prepare_question
from refine_iqa_train.data.rated import load_rated
from refine_iqa_train.data.shuffled_solutions import ShuffledSolutions
from refine_iqa_train.models.rows import ColdStartRow, StoredRow, TrainingRow

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

__all__ = ["TrainingData", "check_sources", "hash_questions", "load_training_data", "prepare_rows_lazily"]

RowPreparer = Callable[[StoredRow], TrainingRow | ColdStartRow]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What is trained on and what is held out.

    Parameters
    ----------
    train, validation
        Data sets whose rows are prepared; `validation` is None where nothing is held out.
    files
        The rows of `train` as they are stored, images as files; None for a stream, and where images are made fresh.
    counts
        Questions by task; empty for a stream, which nobody counts.
    names
        What the data are called, for the card.
    identity
        What decides the questions and their order, so that two runs can be compared; None for a stream.
    fresh
        Makes the images that are made fresh, or None.
    shuffled
        Gives the rows of `train` the solutions of others, in a control; else None.
    """

    train: "Dataset | IterableDataset"
    validation: "Dataset | None"
    files: "Dataset | None"
    counts: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    identity: str | None = None
    fresh: FreshQuestions | None = None
    shuffled: ShuffledSolutions | None = None


def load_training_data(
    config: Config,
    stage: str,
    policy: ImagePolicy,
    coordinates: Coordinates,
    generations: Generations | None = None,
) -> TrainingData:
    """Open, check and mix the data of a run.

    Parameters
    ----------
    config
        Its keys below `data`, `seed`, and whether anything is validated.
    stage
        "sft", "stage1" or "stage2".
    policy, coordinates
        The size at which the model sees an image, and how it answers with a box.
    generations
        How many prompts are trained on, where images are made fresh.

    Raises
    ------
    UserError
        Where the data do not suit the stage, or columns, tasks, splits, scores or images are not as they should be.
    """
    rules = config.data
    check_sources(rules, stage)
    if generations is not None:
        return _load_fresh(config, policy, coordinates, generations)
    prepare: RowPreparer = partial(prepare_question, policy=policy, coordinates=coordinates)
    first = os.environ.get("RANK", "0") == "0"
    if rules.check_images and rules.perception and first:
        check_hashes(rules.perception, (rules.split, rules.validation_split))
    train = _load_stream(config, prepare) if rules.streaming else _load_rows(config, "train")
    validation = _load_rows(config, "validation") if config.validation.every and stage != "sft" else None
    if rules.streaming:
        return TrainingData(train, prepare_rows_lazily(validation, prepare), None, {}, _list_sources(rules))
    if first:
        check_rows(train, validation)
        if rules.check_images:
            check_images(train, validation)
    shuffled = ShuffledSolutions(train, config.seed) if rules.shuffle_solutions else None
    return TrainingData(
        prepare_rows_lazily(train, prepare if shuffled is None else partial(_prepare_moved, shuffled, prepare)),
        prepare_rows_lazily(validation, prepare),
        train,
        Counter(train["task"]),
        _list_sources(rules),
        hash_questions(train),
        shuffled=shuffled,
    )


def _prepare_moved(shuffled: ShuffledSolutions, prepare: RowPreparer, row: StoredRow) -> TrainingRow | ColdStartRow:
    return prepare(shuffled(row))


def check_sources(rules: DataRules, stage: str) -> None:
    """Check what can be known of the data before any of it is opened: that a stage has the kinds that it learns from,
    and that a folder is there.

    Raises
    ------
    UserError
        With the key that is missing or too many, or the folder.
    """
    if stage == "stage1" and (rules.perception is None or rules.rated is not None):
        raise UserError("stage1 learns from a data set by distortlab alone: give data.perception, and no data.rated")
    if stage == "stage2" and rules.rated is None:
        raise UserError(
            "stage2 learns to score: give data.rated, e.g. --data.rated koniq:training --data.rated_root DIR"
        )
    if stage == "sft" and rules.perception is None and rules.rated is None:
        raise UserError("there is nothing to learn from: give data.perception, data.rated or both")
    if find_stream_recipe(rules) is None:
        check_perception_folder(rules)
        return
    if stage == "sft":
        raise UserError(
            "the cold start learns from files: make a data set by the same recipe (distortlab generate), and give "
            "it as data.perception"
        )
    load_stream_recipe(rules)
    check_perception_folder(_select_file_rules(rules))


def _list_sources(rules: DataRules) -> tuple[str, ...]:
    perception = rules.perception
    if find_stream_recipe(rules) is not None:
        perception = f"{perception} over {rules.references}"
    files = rules.perception_files if rules.stream_share < 1 else None
    return tuple(name for name in (perception, files, rules.rated) if name is not None)


def hash_questions(files: "Dataset") -> str:
    """Hash all questions in their order, 16 digits; pictures are not read."""
    digest = hashlib.sha256()
    for name in ("sample_id", "task", "solution"):
        digest.update(json.dumps(list(files[name])).encode())
    return f"{len(files)} questions {digest.hexdigest()[:16]}"


def prepare_rows_lazily(files: "Dataset | None", prepare: RowPreparer) -> "Dataset | None":
    """Let the rows of a data set be prepared when they are indexed; None stays None."""
    return None if files is None else files.with_transform(partial(_prepare_batch, prepare=prepare))


def _prepare_batch(columns: Mapping[str, list[object]], prepare: RowPreparer) -> dict[str, list[object]]:
    stored = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    rows = [cast(Mapping[str, object], prepare(cast(StoredRow, row))) for row in stored]
    return {name: [row[name] for row in rows] for name in rows[0]}


# --- both kinds together --------------------------------------------------------------------------------------------


def _load_rows(config: Config, part: SplitRole) -> "Dataset":
    """Rows with images as files, of both kinds, mixed."""
    rules = config.data
    perception = load_perception(rules, part) if rules.perception else None
    rated = load_rated(rules, part) if rules.rated else None
    if perception is None or rated is None:
        return _limit_rows(perception if rated is None else rated, config, part)
    return _limit_rows(_mix(perception, rated, config, part), config, part)


def _mix(perception: "Dataset", rated: "Dataset", config: Config, part: SplitRole) -> "Dataset":
    """Perception in its share of the prompts; the rated images are there once each."""
    from datasets import concatenate_datasets

    share = config.data.perception_share
    count = round(len(rated) * share / (1 - share)) if share < 1 else len(perception)
    order = stream(config.seed, "perception", part).permute(range(len(perception)))
    return concatenate_datasets([perception.select(order[: min(count, len(perception))]), rated])


def _limit_rows(files: "Dataset", config: Config, part: SplitRole) -> "Dataset":
    limit = config.data.limit if part == "train" else config.validation.samples
    if limit is None:
        return files
    order = stream(config.seed, "limit", part).permute(range(len(files)))
    return files.select(sorted(order[:limit]))


def _load_stream(config: Config, prepare: RowPreparer) -> "IterableDataset":
    """The same as a stream of prepared rows. Files are shuffled in the buffer, not decoded pictures."""
    from datasets import interleave_datasets

    rules = config.data
    kinds = []
    if rules.perception:
        kinds.append(load_perception(rules, "train"))
    if rules.rated:
        kinds.append(load_rated(rules, "train").to_iterable_dataset())
    shuffled = [kind.shuffle(seed=config.seed, buffer_size=rules.buffer) for kind in kinds]
    mixed = shuffled[0]
    if len(shuffled) == 2:
        alike = [kind.map(order_columns, features=make_features()) for kind in shuffled]
        shares = [rules.perception_share, 1 - rules.perception_share]
        mixed = interleave_datasets(alike, probabilities=shares, seed=config.seed)
    mixed = mixed if rules.limit is None else mixed.take(rules.limit)
    return mixed.map(prepare, remove_columns=["bbox", "distortion"])


# --- images made fresh ----------------------------------------------------------------------------------------------


def _load_fresh(
    config: Config, policy: ImagePolicy, coordinates: Coordinates, generations: Generations
) -> TrainingData:
    """Items of a stream, alone or with rows of files between them; what is held out comes from files."""
    rules = config.data
    prepare: Callable[[StoredRow], TrainingRow] = partial(prepare_question, policy=policy, coordinates=coordinates)
    shares = _share_items(rules)
    files = _load_item_files(rules, shares)
    validation = None
    if config.validation.every:
        validation = _load_rows(replace(config, data=_select_file_rules(rules)), "validation")
    fresh = open_fresh_questions(rules, config.seed, policy, coordinates)
    if os.environ.get("RANK", "0") == "0":
        _check_files(rules, [*files.values(), *([] if validation is None else [validation])])
        fresh.check()
    return TrainingData(
        make_item_rows(fresh, files, prepare, shares, generations, config.seed),
        prepare_rows_lazily(validation, prepare),
        None,
        {},
        _list_sources(rules),
        " and ".join([fresh.identity, *map(hash_questions, files.values())]),
        fresh,
    )


def _share_items(rules: DataRules) -> dict[str, float]:
    """The shares of prompts that are made fresh, from files of perception, and about rated images."""
    perception = rules.perception_share if rules.rated else 1.0
    shares = {
        FRESH: perception * rules.stream_share,
        "perception": perception * (1 - rules.stream_share),
        "rated": 1 - perception,
    }
    return {source: share for source, share in shares.items() if share > 0}


def _select_file_rules(rules: DataRules) -> DataRules:
    """The rules of the data set in files beside a stream."""
    return replace(rules, perception=rules.perception_files)


def _load_item_files(rules: DataRules, shares: Mapping[str, float]) -> "dict[str, Dataset]":
    """Rows with images as files, by source."""
    files = {}
    if "perception" in shares:
        files["perception"] = load_perception(_select_file_rules(rules), "train")
    if "rated" in shares:
        files["rated"] = load_rated(rules, "train")
    return files


def _check_files(rules: DataRules, files: "list[Dataset]") -> None:
    if rules.check_images and rules.perception_files:
        check_hashes(rules.perception_files, (rules.split, rules.validation_split))
    check_rows(*files)
    if rules.check_images:
        check_images(*files)
