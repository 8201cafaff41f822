"""What the commands print."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from distortlab.distortions.base import Distortion, Profile
from distortlab.distortions.catalog import list_served_severities
from distortlab.distortions.edit import Edit
from distortlab.generation.report import Account
from distortlab.severity.human_scores import describe_basis, describe_severities, find_human_score
from distortlab.verification.report import Report

if TYPE_CHECKING:
    from distortlab.sharing.push import PushResult
    from distortlab.visualization.study import StudySummary
    from distortlab.visualization.viewer import PageSummary

__all__ = [
    "describe_row",
    "print_account",
    "print_edit",
    "print_json",
    "print_ladders",
    "print_pushed",
    "print_report",
    "print_study_page",
    "print_view",
]


def print_json(value: object) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=1, default=str))


def print_account(account: Account, as_json: bool) -> None:
    """Print how many images and questions a build made and what it left out; warnings go to stderr."""
    if as_json:
        print_json({**asdict(account), "trouble": account.trouble, "warnings": account.warnings})
    else:
        _print_totals(account)
    for warning in account.warnings:
        typer.echo(f"distortlab: warning: {warning}", err=True)


def _print_totals(account: Account) -> None:
    counts = account.counts
    typer.echo(
        f"{account.images:,} images and {account.samples:,} questions in {account.out} "
        f"({account.bytes / 1e6:,.0f} MB), from {sum(counts.get('references', {}).values()):,} references"
    )
    for name, text in (
        ("replaced", "questions replaced by one of another task"),
        ("left_out", "questions left out"),
        ("rejected", "draws rejected"),
        ("screened", "references screened out"),
        ("skipped", "annotations and references left out"),
    ):
        reasons = sorted(counts.get(name, {}).items(), key=lambda item: -item[1])
        if reasons:
            shown = ", ".join(f"{reason} {count:,}" for reason, count in reasons[:5])
            more = f", and {len(reasons) - 5} more reasons" if len(reasons) > 5 else ""
            typer.echo(f"{sum(c for _, c in reasons):,} {text}: {shown}{more}")
    if account.failures:
        typer.echo(f"{account.failures} of {account.opened:,} references could not be used: {account.quarantine}")
    if account.unfilled:
        typer.echo(f"{account.unfilled:,} of {account.wanted:,} images could not be made")
    if not account.finished:
        typer.echo("a part of the data set: when every part is done, run the same command without --shard")


def print_report(report: Report) -> None:
    """Print the problems that `verify` found, and what it checked and could not check."""
    for problem in report.problems[:20]:
        typer.echo(f"wrong: {problem}")
    wrong = len(report.problems) + report.more
    if wrong > 20:
        typer.echo(f"... and {wrong - 20:,} more (--json has {len(report.problems):,})")
    for reason in report.not_checked:
        typer.echo(f"not checked: {reason}")
    left = "".join(f"; not rendered: {count:,} ({why})" for why, count in report.not_rendered.items())
    typer.echo(
        f"{report.files} files, {report.questions:,} questions, {report.images:,} images, {report.rendered:,} recipes "
        f"rendered again{left}: " + (f"{wrong:,} problems" if wrong else "all as it should be")
    )


def describe_row(row: Distortion) -> dict[str, Any]:
    """A row of the catalogue, ready for JSON."""
    ladders = {
        profile: {"values": ladder.values, "source": ladder.source, "deviation": ladder.deviation}
        for profile in ("matched", "dq")
        if (ladder := row.get_ladder(profile))
    }
    scores = [asdict(find_human_score(row.name, severity)) for severity in range(1, 6)]
    return {
        "name": row.name,
        "family": row.family,
        "unit": row.unit,
        "version": row.version,
        "ladders": ladders,
        "reach": row.reach,
        "served": list_served_severities(row),
        "human_scores": scores,
    }


def print_ladders(rows: Sequence[Distortion], profile: Profile) -> None:
    """Print the catalogue as a table: a row for each variant with its settings, and what people would say of them."""
    # Into a pipe there is no width to fit; a narrow one would cut the columns.
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table(title=f"{len(rows)} distortions, {profile} ladder", title_justify="left")
    for head in ("distortion", "dial"):
        table.add_column(head, no_wrap=True)
    for severity in range(1, 6):
        table.add_column(str(severity), justify="right", no_wrap=True)
    if profile == "matched":
        table.add_column("judged", no_wrap=True)
    table.add_column("source", overflow="fold")
    family = None
    for row in rows:
        if family not in (None, row.family):
            table.add_section()
        family = row.family
        ladder = row.get_ladder(profile)
        cells = [f"{value:g}" for value in ladder.values] if ladder else ["-"] * 5
        if profile == "matched":
            served = list_served_severities(row)
            cells = [cell + ("" if severity in served else "*") for severity, cell in enumerate(cells, 1)]
        note = "; ".join(filter(None, (ladder.source, ladder.deviation))) if ladder else f"not in the {profile} ladder"
        judged = [describe_basis(row.name)] if profile == "matched" else []
        table.add_row(row.name, row.unit, *cells, *judged, note)
    console.print(table)
    if profile == "matched":
        console.print(
            "*: left to other variants of the family: few regions reach the severity, or it looks like another family "
            "there.\n"
            "judged: severities at which people judged the same distortion in KADID-10k; scores of the others are "
            f"extrapolated.\n{describe_severities()}",
            highlight=False,
        )


def print_edit(out: Path, edit: Edit, as_json: bool) -> None:
    """Print the record of an edit and where the picture was written."""
    visibility = edit.visibility
    assert visibility is not None
    values = {"distortion": edit.distortion, "severity": edit.severity, "box": list(edit.bbox), **edit.params}
    values["visibility"] = {name: getattr(visibility, name) for name in ("v", "structure", "colour", "trend")}
    if as_json:
        print_json({"out": str(out), **values})
        return
    visible = "visible" if visibility.v >= 1 else "not visible"
    strength = f"{edit.amount:g} ({values['unit']}), V {visibility.v:.2f}, {visible}"
    typer.echo(f"wrote {out}: {edit.distortion} {strength}, box {','.join(map(str, edit.bbox))}")


def print_view(page: "PageSummary") -> None:
    """Print how many images a page shows, and its size."""
    of = "" if page.matching == page.total else f" that fit, of {page.total:,}"
    typer.echo(f"wrote {page.out}, {page.bytes / 1e6:.1f} MB: {page.images:,} of {page.matching:,} images{of}")
    if page.reencoded:
        typer.echo(f"{page.reencoded:,} were too large to keep whole: re-encoded away from their regions")
    if page.left_out:
        typer.echo(f"{page.left_out:,} more had no room; --max-mb gives it")


def print_study_page(page: "StudySummary") -> None:
    """Print what a study asks, of how many images, and the size of its page."""
    trials = ", ".join(f"{count} {task}" for task, count in page.trials.items())
    typer.echo(
        f"wrote {page.out}, {page.bytes / 1e6:.1f} MB: study {page.study}, {sum(page.trials.values())} questions to "
        f"one person ({trials}), {page.orders} orders"
    )
    typer.echo(
        f"{page.images:,} of {page.matching:,} images with one distortion, {page.references:,} references, without loss"
    )
    if page.left_out:
        typer.echo(f"{page.left_out:,} more had no room; --max-mb gives it")
    for task, why in page.skipped.items():
        typer.echo(f"{task} is not asked: {why}")


def print_pushed(pushed: "PushResult") -> None:
    """Print what a push sent and removed, or would."""
    size = f"{len(pushed.sent)} files, {pushed.sent_bytes / 1e6:,.1f} MB"
    removed = f", {len(pushed.removed)} old files removed" if pushed.removed else ""
    if pushed.dry_run:
        for path in (*(f"send   {path}" for path in pushed.sent), *(f"remove {path}" for path in pushed.removed)):
            typer.echo(path)
        typer.echo(
            f"would send {size} to {pushed.url} ({pushed.revision}){removed}; {pushed.kept} files are there already"
        )
    elif pushed.changed:
        typer.echo(
            f"{pushed.url} ({pushed.revision}) is now {str(pushed.commit)[:8]}: {size} new{removed}, {pushed.kept} kept"
        )
    else:
        typer.echo(f"{pushed.url} ({pushed.revision}) holds this data set already: {str(pushed.commit)[:8]}")
    if pushed.tag and not pushed.dry_run:
        typer.echo(f"tag {pushed.tag}")
