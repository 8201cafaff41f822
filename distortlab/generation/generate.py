"""A data set as a folder: starting it, continuing it, finishing it.

README.md  MANIFEST.json  images/  rft/  samples/  _distortlab/{plan.json, done/, quarantine/}
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from distortlab.core.errors import BadRecipe, UserError, describe_unknown
from distortlab.core.workers import count_processors
from distortlab.dataset.layout import Layout, find_layout
from distortlab.generation.claim import claim, remove_leftovers
from distortlab.generation.engines.local import run_local
from distortlab.generation.finish import account_of, finish
from distortlab.generation.plan import make_plan
from distortlab.generation.report import Account
from distortlab.generation.shard import Job, Receipt, Work
from distortlab.recipe import Recipe, load_recipe
from distortlab.references import open_references
from distortlab.references.base import References
from distortlab.storage.base import open_storage

__all__ = ["generate", "run"]

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
    progress: Callable[[int], None] = lambda images: None,
) -> Account:
    """Make a data set, or go on with one.

    `recipe` a `Recipe`, the path of a TOML file, or the name of one that the package carries. `references` a source or
    its specification (`scenes`, `coco:JSON,IMAGES`, `folder:PATH`). `out` a folder, or the URL of a place in an object
    store (`s3://bucket/prefix`). `shard=(k, n)` makes only the k-th of n parts (k from 1); the call without it does
    what is left and finishes. `store="patch"` makes an archive, which `materialize` turns into the data set.
    `engine="ray"` uses a Ray cluster, the one at `address` if given. What is already there is kept; a place that holds
    another plan is refused unless `overwrite`. Raises `UserError` before any work for what cannot be, `BuildFailed` for
    a disk that is full or a worker that was killed; look at `Account.trouble` for the rest.
    """
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    whole, (part, parts) = shard is None, _checked(shard or (1, 1))
    layout = find_layout(store)
    _check_options(recipe, layout, engine, address, overwrite and not whole)
    target = open_storage(out)
    if isinstance(references, str):
        references = open_references(references, recipe.seed, recipe.regions, recipe.references.licenses)
    plan = make_plan(recipe, references)
    jobs = [Job(recipe, plan.vocabulary, plan.sha256, own, target, layout) for own in plan.shards]
    with claim(target, plan, overwrite, layout) as hold:
        receipts = sorted(run(jobs[part - 1 :: parts], workers, engine, address, progress), key=lambda done: done.shard)
        account = account_of(plan, target, receipts, finished=whole)
        if account.finished:
            finish(plan, account, receipts, target, layout)
            remove_leftovers(target, hold, layout)
    return account


def run(
    jobs: Sequence[Work], workers: int | None, engine: str, address: str | None, progress: Callable[[int], None]
) -> Iterator[Receipt]:
    """The receipts of the jobs, from whichever engine."""
    if engine == "ray":
        from distortlab.generation.engines.ray import run_ray

        return run_ray(jobs, workers, address, progress)
    alone = not all(job.out.shared for job in jobs)  # a store in the memory of this process
    return run_local(jobs, 1 if alone else workers or count_processors(), progress)


def _check_options(recipe: Recipe, layout: Layout, engine: str, address: str | None, clearing_part: bool) -> None:
    if engine not in ENGINES:
        raise UserError(describe_unknown("engine", engine, ENGINES))
    if address is not None and engine != "ray":
        raise UserError(f"--address {address} is that of a Ray cluster; add --engine ray")
    if layout.needs_references and not recipe.keep_references:
        raise BadRecipe("an archive of patches needs the references: leave out --no-references, or --store patch")
    if clearing_part:
        raise UserError("--overwrite with --shard would remove what other parts have made; remove the data set first")


def _checked(shard: tuple[int, int]) -> tuple[int, int]:
    if not 1 <= shard[0] <= shard[1]:
        raise BadRecipe(f"--shard {shard[0]}/{shard[1]}: parts are 1/{shard[1]} to {shard[1]}/{shard[1]}")
    return shard
