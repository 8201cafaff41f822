"""Whose the folder is: a plan begins in it, goes on, clears it or is refused; what killed runs left is removed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from distortlab.core.errors import BadRecipe, UserError
from distortlab.dataset.layout import FULL, PLAN_PATH, Layout, get_layout
from distortlab.generation.finish import list_own_folders, list_own_names
from distortlab.generation.plan import Plan
from distortlab.storage.atomic import format_json
from distortlab.storage.base import Storage
from distortlab.storage.locks import Hold

__all__ = ["claim", "remove_leftovers"]

_ORPHANS_END_S = 3.0
"""Workers of a killed run end within two seconds."""


@contextmanager
def claim(out: Storage, plan: Plan, overwrite: bool, layout: Layout = FULL) -> Iterator[Hold]:
    """Begin a data set in a place, or go on with it; the place is held until the context ends.

    Of several machines that come at once, one writes the plan and all compare it with theirs. Runs of one plan may work
    side by side; a place is cleared only where nobody else works.

    Parameters
    ----------
    out
        The place.
    plan
        What is to be made there.
    overwrite
        Remove what another plan has made.
    layout
        Of the files that are to be made.

    Raises
    ------
    UserError
        The place holds something else, or another run is working there.
    """
    # In this order: another machine writes its plan before anything else, perhaps between the two looks.
    used = out.is_used((*list_own_names(layout), "_distortlab"))
    begun = out.holds(PLAN_PATH)
    if used and not begun:
        raise UserError(f"{out} is in use and is not a data set that was begun here; choose another --out")
    out.prepare()
    with out.hold() as hold:
        if begun and overwrite:
            _clear(out, hold, get_layout(out.read_json(PLAN_PATH)))
        mine = {"sha256": plan.sha256, **layout.manifest_entry, **plan.identity}
        if (begun and not overwrite) or not out.create_text(PLAN_PATH, format_json(mine)):
            _check_plan(out, out.read_json(PLAN_PATH), plan, layout)
        yield hold


def remove_leftovers(out: Storage, hold: Hold, layout: Layout) -> None:
    """Remove the temporary files of killed runs, unless somebody else works here, whose they may be."""
    if out.leftovers(list_own_folders(layout)):
        with hold.alone(_ORPHANS_END_S) as alone:
            if alone:
                out.remove(out.leftovers(list_own_folders(layout)))


def _clear(out: Storage, hold: Hold, layout: Layout) -> None:
    with hold.alone(_ORPHANS_END_S) as alone:
        if not alone:
            raise UserError(
                f"another run is working in {out}: wait until it has ended, or end it, and run the same command again"
            )
        out.remove(list_own_names(layout))
        out.remove(out.leftovers(list_own_folders(layout)))


def _check_plan(out: Storage, known: object, plan: Plan, layout: Layout) -> None:
    if (there := get_layout(known)) is not layout:
        here = f"{out} holds {there.title}, and this would be {layout.title}"
        raise BadRecipe(f"{here}: choose another --out, or start again with --overwrite")
    if not isinstance(known, dict) or known.get("sha256") != plan.sha256:
        raise BadRecipe(_describe_difference(out, known, plan))


def _describe_difference(out: Storage, known: object, plan: Plan) -> str:
    wanted = json.loads(json.dumps(plan.identity))
    differences = list(_differences(known if isinstance(known, dict) else {}, wanted))
    return (
        f"{out} holds another plan: {'; '.join(differences[:3])}. Continue with the same recipe and references, choose "
        "another --out, or start again with --overwrite"
    )


def _differences(old: object, new: object, path: str = "") -> Iterable[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(new.keys() | (old.keys() - {"sha256", "store"})):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield f"{path} is {json.dumps(old)} there and {json.dumps(new)} here"
