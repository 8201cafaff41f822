"""Tiny models and small data sets for the trainer, made once; tests are skipped where the extra is not installed."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
pytest.importorskip("trl", reason="the extra train is not installed")
pytest.importorskip("yaml")

from trainer_runs import write_run_file


@pytest.fixture(scope="session", autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory) -> None:
    import datasets
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    datasets.config.HF_DATASETS_CACHE = tmp_path_factory.mktemp("datasets")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of a tiny model, by family; made when first asked for."""
    from refine_iqa_train.training.tiny_model import save_tiny_model

    folder = tmp_path_factory.mktemp("tiny")

    def model(family: str = "qwen3_vl") -> Path:
        if not (folder / family).exists():
            save_tiny_model(folder / family, family)
        return folder / family

    return model


@pytest.fixture(scope="session")
def perception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 24 images, 160 pixels wide, two thirds of them for training."""
    from distortlab import default_recipe, generate
    from distortlab.recipe import ReferenceRules

    out = tmp_path_factory.mktemp("perception") / "data"
    rules = ReferenceRules(max_side=160, min_side=64)
    splits = {"train": 0.67, "validation": 0.33}
    generate(
        default_recipe(n=24, images_per_reference=2, images_per_shard=8, references=rules, splits=splits),
        "scenes",
        out,
        workers=1,
    )
    return out


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 images, pristine, distorted as a whole or in up to three regions, with questions of all seven tasks."""
    from distortlab import default_recipe, generate
    from distortlab.recipe import ReferenceRules

    out = tmp_path_factory.mktemp("sets") / "data"
    single = dict.fromkeys(("recognition", "recognition_reference", "object", "grounding"), 1)
    recipe = default_recipe(
        n=36,
        images_per_reference=3,
        images_per_shard=8,
        references=ReferenceRules(max_side=160, min_side=64),
        splits={"train": 0.67, "validation": 0.33},
        samples_per_image=2.0,
        composition={"pristine": 1, "whole": 1, "local": 3, "regions": {"1": 1, "2": 2, "3": 2}},
        tasks={"diagnosis": 4, "comparison": 2, "comparison_regions": 4, **single},
    )
    generate(recipe, "scenes", out, workers=1)
    return out


@pytest.fixture(scope="session")
def rated(perception: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same images with made-up scores."""
    from refine_iqa_train.data.mock_ratings import mock_ratings

    out = tmp_path_factory.mktemp("rated") / "rated"
    mock_ratings(perception, out)
    return out


@pytest.fixture
def rated_keys(rated: Path) -> dict[str, Any]:
    """The keys of a run on those images, with some of them held out."""
    return {
        "data.rated": f"meta:{rated / 'train.json'}+norm",
        "data.rated_validation": f"meta:{rated / 'validation.json'}+norm",
        "data.rated_root": str(rated),
    }


@pytest.fixture
def run_file(tiny: Any, perception: Path, tmp_path: Path) -> Callable[..., Path]:
    """Writes the configuration of a short run in groups of four: keys below `trainer`, and whole sections."""

    def write(trainer: Mapping[str, Any], **sections: Any) -> Path:
        held_out = {"every": 2, "samples": 4, "batch": 4}
        sections = {"data": {"perception": str(perception)}, "validation": held_out, **sections}
        keys = {"max_completion_length": 8, "logging_steps": 1, **trainer}
        return write_run_file(tmp_path / "run.yaml", tiny("qwen3_vl"), tmp_path / "run", keys, **sections)

    return write
