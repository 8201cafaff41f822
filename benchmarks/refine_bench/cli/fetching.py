"""`refine-bench fetch`: what would be fetched, the question about licenses, and what became of it."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from distortlab.core.errors import BuildFailed, UserError
from refine_bench.cli.printing import print_json, print_table
from refine_bench.datasets import SETS
from refine_bench.fetching import (
    NOT_FETCHED,
    SOURCES,
    FetchedSet,
    FetchOptions,
    SetPlan,
    describe_plan,
    fetch_sets,
    find_missing_room,
    plan_fetch,
)

__all__ = ["print_sources", "run_fetch"]


def print_sources(as_json: bool) -> None:
    """What can be fetched, and from where; nothing is asked of any server."""
    rows = [
        {"set": name, "title": SETS[name].FACTS.title, "from": source.origin, "files": list(map(str, source.archives))}
        for name, sources in SOURCES.items()
        for source in sources
    ]
    if as_json:
        print_json({"sets": rows, "not_fetched": dict(NOT_FETCHED)})
        return
    cells = [[str(row["set"]), str(row["title"]), str(row["from"]), "\n".join(row["files"])] for row in rows]
    print_table("Sets that can be fetched", ("name", "title", "from", "archives"), cells, left=4)
    for name, why in NOT_FETCHED.items():
        sys.stdout.write(f"{name} is not fetched: {why}\n")


def run_fetch(
    sets: Sequence[str],
    data: Path | None,
    *,
    accepted: bool,
    dry_run: bool,
    origin: str | None,
    archives: Path | None,
    options: FetchOptions,
) -> None:
    """Look up, show, ask, fetch. Raises `UserError`; the same call goes on."""
    quiet = options.get("quiet", False)
    if origin not in (None, "mirror", "official"):
        raise UserError(f"--from {origin!r}: it is mirror or official")
    if data is None:
        raise UserError("name the folder that holds the sets, or will: --data ~/iqa")
    plans = plan_fetch(sets, data, origin=origin, archives=archives)
    if not quiet:
        _print_plans(plans)
    short = find_missing_room(plans, data)
    if dry_run:
        _end_dry_run(plans, short, quiet)
        return
    if short:
        raise BuildFailed(
            f"{data} has {format_size(short)} too few for the archives and what comes out of them; make room, or fetch "
            "fewer sets at once"
        )
    _ask_for_licenses(plans, accepted, quiet)
    found = fetch_sets(plans, options=options, done=(lambda found: None) if quiet else _print_fetched)
    if quiet:
        print_json({"sets": found})


def _end_dry_run(plans: Sequence[SetPlan], short: int, quiet: bool) -> None:
    if quiet:
        planned = [describe_plan(plan, "present" if plan.present else "planned") for plan in plans]
        print_json({"sets": planned, "missing_room": short})
    elif short:
        sys.stdout.write(f"the disk is {format_size(short)} too small\n")


def format_size(size: int | None) -> str:
    """Return a size as people read it."""
    if size is None:
        return "?"
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _print_plans(plans: Sequence[SetPlan]) -> None:
    rows = []
    for plan in plans:
        names = [str(found.file) for found in plan.files] + [str(part) for parts in plan.local for part in parts]
        come = f"present in {plan.present}" if plan.present else "\n".join(names)
        rows.append([plan.facts.name, come, "" if plan.present else format_size(plan.size), _format_license(plan)])
    print_table("To fetch", ("set", "from", "size", "license"), rows, left=4)
    for plan in plans:
        for note in plan.notes:
            sys.stdout.write(f"{plan.facts.name}: {note}\n")


def _format_license(plan: SetPlan) -> str:
    if plan.present:
        return ""
    stated = f"{plan.license}, says the mirror's card; " if plan.license else ""
    return f"{stated}the authors' own terms: {plan.facts.url}"


def _ask_for_licenses(plans: Sequence[SetPlan], accepted: bool, quiet: bool) -> None:
    wanted = [plan for plan in plans if plan.present is None]
    if accepted or not wanted:
        return
    names = ", ".join(plan.facts.title for plan in wanted)
    if quiet or not sys.stdin.isatty():
        terms = "; ".join(f"{plan.facts.name}: {_format_license(plan)}" for plan in wanted)
        raise UserError(f"nobody accepted the licenses of {names} ({terms}); read them, then add --accept-license")
    if not typer.confirm(f"Do you accept the licenses of {names}?", err=True):
        raise UserError("nothing was fetched")


def _print_fetched(found: FetchedSet) -> None:
    check = found["check"]
    assert check is not None
    labels = {"known": ", labels as known", "other": "", "unchecked": ", no hash of its labels is known"}
    sys.stdout.write(
        f"{found['set']}: {found['status']} in {found['folder']}, {check['n']:,} rows of {check['variant']}, "
        f"sha256 {check['sha256'][:12]}{labels[check['labels']]}\n"
    )
    for note in found["notes"]:
        sys.stdout.write(f"{found['set']}: {note}\n")
