"""Making a data set: plan it, claim its folder, run the shards, finish it.

README.md  MANIFEST.json  images/  rft/  samples/  _distortlab/{plan.json, done/, quarantine/}
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from distortlab.core.errors import BadRecipe, UserError, describe_unknown
from distortlab.core.workers import count_processors
from distortlab.dataset.layout import Layout, choose_layout
from distortlab.generation.claim import claim, remove_leftovers
from distortlab.generation.engines.local import run_local
from distortlab.generation.finish import finish, make_account
from distortlab.generation.job import Job, Progress
from distortlab.generation.plan import make_plan
from distortlab.generation.receipt import Receipt
from distortlab.generation.report import Account
from distortlab.generation.shard import ShardJob
from distortlab.recipe import Recipe, load_recipe
from distortlab.references import open_references
from distortlab.references.base import References
from distortlab.storage.base import open_storage

__all__ = ["generate", "run_jobs"]

ENGINES = ("local", "ray")


def generate(
    recipe: Recipe | str | Path = "refine-perception-20k",
    references: References | str = "scenes",
    out: str | Path = "data",
    *,
    workers: int | None = None,
    shard: tuple[int, int] | None = None,
    overwrite: bool = False,
    store: Literal["full", "patch"] = "full",
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    progress: Progress = lambda images: None,
) -> Account:
    """Make a data set, or go on with one that was begun. What is already there is kept.

    Parameters
    ----------
    recipe
        A `Recipe`, the path of a TOML file, or the name of a recipe that the package carries.
    references
        Clean images: a source, or its specification (`scenes`, `coco:JSON,IMAGES`, `folder:PATH`).
    out
        A folder, or the URL of a place in an object store (`s3://bucket/prefix`).
    workers
        Processes, or shards at a time on a cluster; unless given, one for every processor.
    shard
        `(k, n)` makes only the k-th of n parts, k from 1. The call without it makes what is left, and finishes.
    overwrite
        Remove what another plan has made here; else such a place is refused.
    store
        "full", or "patch" for an archive, which `materialize` turns into the data set.
    engine
        "local" for processes on this machine, "ray" for a Ray cluster.
    address
        Of the Ray cluster.
    progress
        Called with the number of images that were made since the last call.

    Returns
    -------
    Account
        How much was made and what was left out; `Account.trouble` says where that is more than allowed.

    Raises
    ------
    UserError
        Before any work, for what cannot be.
    BuildFailed
        For a disk that is full, or a worker that was killed.

    Examples
    --------
    >>> import tempfile
    >>> from distortlab import generate, load_recipe, open_dataset
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     account = generate(load_recipe("smoke", n=2), "scenes", folder, workers=1)
    ...     data = open_dataset(folder)
    >>> account.images, data.splits
    (2, ('train',))
    """
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    whole, (part, parts) = shard is None, _check_part(shard or (1, 1))
    layout = choose_layout(store, recipe.tables)
    _check_options(recipe, layout, engine, address, overwrite and not whole)
    target = open_storage(out)
    if isinstance(references, str):
        references = open_references(references, recipe.seed, recipe.regions, recipe.references.licenses)
    plan = make_plan(recipe, references)
    jobs = [ShardJob(recipe, plan.vocabulary, plan.sha256, own, target, layout) for own in plan.shards]
    with claim(target, plan, overwrite, layout) as hold:
        receipts = run_jobs(jobs[part - 1 :: parts], workers, engine, address, progress)
        account = make_account(plan, target, receipts, finished=whole)
        if account.finished:
            finish(plan, account, receipts, target, layout)
            remove_leftovers(target, hold, layout)
    return account


def run_jobs(
    jobs: Sequence[Job], workers: int | None, engine: str, address: str | None, progress: Progress
) -> list[Receipt]:
    """Run the jobs on an engine ("local" or "ray"); the receipts in the order of their shards."""
    if engine == "ray":
        from distortlab.generation.engines.ray import run_ray

        receipts = run_ray(jobs, workers, address, progress)
    else:
        alone = not all(job.out.shared for job in jobs)  # a store in the memory of this process
        receipts = run_local(jobs, 1 if alone else workers or count_processors(), progress)
    return sorted(receipts, key=lambda receipt: receipt.shard)


def _check_options(recipe: Recipe, layout: Layout, engine: str, address: str | None, clearing_part: bool) -> None:
    if engine not in ENGINES:
        raise UserError(describe_unknown("engine", engine, ENGINES))
    if address is not None and engine != "ray":
        raise UserError(f"--address {address} is that of a Ray cluster; add --engine ray")
    if layout.needs_references and not recipe.keep_references:
        raise BadRecipe("an archive of patches needs the references: leave out --no-references, or --store patch")
    if clearing_part:
        raise UserError("--overwrite with --shard would remove what other parts have made; remove the data set first")


def _check_part(shard: tuple[int, int]) -> tuple[int, int]:
    if not 1 <= shard[0] <= shard[1]:
        raise BadRecipe(f"--shard {shard[0]}/{shard[1]}: parts are 1/{shard[1]} to {shard[1]}/{shard[1]}")
    return shard
