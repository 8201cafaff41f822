"""A data set as a folder: starting it, continuing it, finishing it.

README.md  MANIFEST.json  images/  rft/  samples/  _distortlab/{plan.json, done/, quarantine/}
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from distortlab.account import Account
from distortlab.build import Job, Receipt, Work
from distortlab.engines.local import default_workers, run_local
from distortlab.errors import BadRecipe, UserError, unknown
from distortlab.files import json_text
from distortlab.finishing import account_of, finish, own_names
from distortlab.plan import Plan, make_plan
from distortlab.recipe import Recipe, load_recipe
from distortlab.references import open_references
from distortlab.references.base import References
from distortlab.storage import Storage, open_storage

__all__ = ["claim", "generate", "run"]

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
    _check_options(recipe, store, engine, address, overwrite and not whole)
    target = open_storage(out)
    if isinstance(references, str):
        references = open_references(references, recipe.seed, recipe.regions, recipe.references.licenses)
    plan = make_plan(recipe, references)
    claim(target, plan, overwrite, store)
    jobs = [Job(recipe, plan.vocabulary, plan.sha256, own, target, store) for own in plan.shards]
    receipts = sorted(run(jobs[part - 1 :: parts], workers, engine, address, progress), key=lambda done: done.shard)
    account = account_of(plan, target, receipts, finished=whole)
    if account.finished:
        finish(plan, account, receipts, target, store)
    return account


def run(
    jobs: Sequence[Work], workers: int | None, engine: str, address: str | None, progress: Callable[[int], None]
) -> Iterator[Receipt]:
    """The receipts of the jobs, from whichever engine."""
    if engine == "ray":
        from distortlab.engines.ray import run_ray

        return run_ray(jobs, workers, address, progress)
    alone = not all(job.out.shared for job in jobs)  # a store in the memory of this process
    return run_local(jobs, 1 if alone else workers or default_workers(), progress)


def _check_options(recipe: Recipe, store: str, engine: str, address: str | None, clearing_part: bool) -> None:
    if store not in ("full", "patch"):
        raise UserError(unknown("way to store", store, ("full", "patch")))
    if engine not in ENGINES:
        raise UserError(unknown("engine", engine, ENGINES))
    if address is not None and engine != "ray":
        raise UserError(f"--address {address} is that of a Ray cluster; add --engine ray")
    if store == "patch" and not recipe.keep_references:
        raise BadRecipe("an archive of patches needs the references: leave out --no-references, or --store patch")
    if clearing_part:
        raise UserError("--overwrite with --shard would remove what other parts have made; remove the data set first")


def _checked(shard: tuple[int, int]) -> tuple[int, int]:
    if not 1 <= shard[0] <= shard[1]:
        raise BadRecipe(f"--shard {shard[0]}/{shard[1]}: parts are 1/{shard[1]} to {shard[1]}/{shard[1]}")
    return shard


# --- starting -------------------------------------------------------------------------------------------------------


def claim(out: Storage, plan: Plan, overwrite: bool, store: str = "full") -> None:
    """Make the place this plan's, or refuse. Of several machines that come at once, one makes it and all compare."""
    # In this order: another machine writes its plan before anything else, perhaps between the two looks.
    used = any(out.holds(name) for name in own_names(store))
    begun = out.holds(PLAN)
    if begun and overwrite:
        out.remove(own_names(_store_of(out.read_json(PLAN))))
    elif begun:
        return _compare(out, out.read_json(PLAN), plan, store)
    elif used:
        raise UserError(f"{out} is in use and is not a data set that was begun here; choose another --out")
    out.prepare()
    mine = {"sha256": plan.sha256, **_kind(store), **plan.identity}
    if not out.create_text(PLAN, json_text(mine)):
        _compare(out, out.read_json(PLAN), plan, store)
    return None


PLAN = "_distortlab/plan.json"


def _kind(store: str) -> dict[str, str]:
    """What sets an archive apart; the full layout says nothing."""
    return {"store": store} if store != "full" else {}


def _store_of(known: Any) -> str:
    return "patch" if isinstance(known, dict) and known.get("store") == "patch" else "full"


def _compare(out: Storage, known: Any, plan: Plan, store: str) -> None:
    if _store_of(known) != store:
        kinds = {"full": "a data set in full", "patch": "an archive of patches"}
        here = f"{out} holds {kinds[_store_of(known)]}, and this would be {kinds[store]}"
        raise BadRecipe(f"{here}: choose another --out, or start again with --overwrite")
    if not isinstance(known, dict) or known.get("sha256") != plan.sha256:
        raise BadRecipe(_refusal(out, known, plan))


def _refusal(out: Storage, known: Any, plan: Plan) -> str:
    wanted = json.loads(json.dumps(plan.identity))
    differences = list(_differences(known if isinstance(known, dict) else {}, wanted))
    return (
        f"{out} holds another plan: {'; '.join(differences[:3])}. Continue with the same recipe and references, choose "
        "another --out, or start again with --overwrite"
    )


def _differences(old: Any, new: Any, path: str = "") -> Iterable[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(new.keys() | (old.keys() - {"sha256", "store"})):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield f"{path} is {json.dumps(old)} there and {json.dumps(new)} here"
