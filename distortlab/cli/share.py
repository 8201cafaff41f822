"""Commands that hand a data set on: push, croissant, export, materialize."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from distortlab.cli.app import Check, Json, Workers, app, fail, open_and_check, show_progress

__all__ = ["croissant", "export", "materialize", "push"]


@app.command(rich_help_panel="Share")
def push(
    folder: Annotated[Path, typer.Argument(help="A finished data set.")],
    repo: Annotated[str, typer.Argument(help="user/name on the Hugging Face Hub.")],
    private: Annotated[bool, typer.Option("--private", help="Where it is created: not for everybody.")] = False,
    gated: Annotated[
        str | None, typer.Option(help="auto | manual: who wants it must ask; granted at once, or by you.")
    ] = None,
    revision: Annotated[str, typer.Option(help="The branch; created if there is none of that name.")] = "main",
    tag: Annotated[str | None, typer.Option(help="A name for this version, e.g. v1.0.")] = None,
    message: Annotated[str | None, typer.Option("--message", "-m", help="Of the commit.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    allow_no_derivatives: Annotated[
        bool,
        typer.Option("--allow-no-derivatives", help="Also images whose references may not be passed on changed."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish a data set on the Hugging Face Hub, in one commit; what is there already is not sent again.

    The token is that of `hf auth login`, or HF_TOKEN. Stopped or broken off, the same command goes on.

        distortlab push data/ user/name --private
        distortlab push data/ user/name --tag v1.1 --message "more noise"
    """
    from dataclasses import asdict

    from distortlab.cli.printing import print_json, print_pushed
    from distortlab.core.errors import UserError, describe_unknown
    from distortlab.sharing.push import push as run

    if gated not in (None, "auto", "manual"):
        raise UserError(describe_unknown("kind of gate", gated, ("auto", "manual")))
    pushed = run(
        folder,
        repo,
        revision=revision,
        private=private,
        gated=gated,  # type: ignore[arg-type]
        tag=tag,
        message=message,
        dry_run=dry_run,
        allow_no_derivatives=allow_no_derivatives,
        stage=partial(show_progress, quiet=as_json),
    )
    if as_json:
        print_json(asdict(pushed))
    else:
        print_pushed(pushed)


@app.command(rich_help_panel="Share")
def croissant(
    folder: Annotated[Path, typer.Argument(help="A finished data set.")],
    url: Annotated[str | None, typer.Option(help="The page on which it is published.", show_default=False)] = None,
    creator: Annotated[str | None, typer.Option(help="Who publishes it.", show_default=False)] = None,
    date: Annotated[str | None, typer.Option(help="The day of publication, YYYY-MM-DD.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Write croissant.json, the description of a data set that search engines and loaders read (Croissant 1.1).

    generate writes it at the end, and push one for the Hub: this is for data sets made by an earlier version, and for
    those that are published elsewhere.

        distortlab croissant data/
        distortlab croissant data/ --url https://zenodo.org/records/1 --creator "A. Person" --date 2026-11-29
    """
    from distortlab.cli.printing import print_json
    from distortlab.dataset.croissant.document import write_croissant

    path = write_croissant(folder, url=url, creator=creator, date=date)
    if as_json:
        print_json({"path": str(path)})
    else:
        typer.echo(f"wrote {path}")


@app.command(rich_help_panel="Share")
def export(
    folder: Annotated[Path, typer.Argument(help="A finished data set.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder that does not exist yet.")],
    form: Annotated[
        str,
        typer.Option("--format", help="jsonl (VLM-R1) | llava | verl (and EasyR1) | ms-swift | q-insight."),
    ] = "jsonl",
    split: Annotated[list[str] | None, typer.Option(help="Only this split; may be repeated.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only this task; may be repeated.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an older export.")] = False,
    check: Check = True,
    as_json: Json = False,
) -> None:
    """Write images as files and questions as a list, in the form that another project loads.

    distortlab export data/ --format jsonl -o out/
    distortlab export data/ --format verl --split train -o out/
    """
    from dataclasses import asdict

    from distortlab.analysis.sharing_rights import REMEDY
    from distortlab.cli.printing import print_json
    from distortlab.sharing.export import export as run

    data = open_and_check(folder, check, quiet=as_json)
    total = sum(data.count("rft", name) for name in split or data.splits)
    with show_progress("questions", total, quiet=as_json) as advance:
        done = run(folder, out, form, splits=split or (), tasks=task or (), overwrite=overwrite, progress=advance)
    if as_json:
        print_json(asdict(done))
    else:
        rows = ", ".join(f"{name} {count:,}" for name, count in done.rows.items())
        typer.echo(f"{rows} questions and {done.images:,} images in {out}, as {done.loaded_by} load them")
        if done.no_derivatives:
            typer.echo(
                f"not to be passed on: {done.no_derivatives:,} images of the data set are made from references whose "
                f"license allows no changed copies; {REMEDY}",
                err=True,
            )


@app.command(rich_help_panel="Share")
def materialize(
    archive: Annotated[str, typer.Argument(help="What generate --store patch made: a folder or a URL.")],
    out: Annotated[str, typer.Option("--out", "-o", help="Where to put the data set: a folder or a URL.")],
    workers: Workers = None,
    overwrite: Annotated[bool, typer.Option(help="Start again where another data set is.")] = False,
    as_json: Json = False,
) -> None:
    """Turn an archive of patches into the data set itself, bit for bit. Run it again after any interruption.

    distortlab materialize archive/ -o data/
    """
    from distortlab.cli.printing import print_account
    from distortlab.dataset.manifest import read_archive_manifest
    from distortlab.sharing.materialize import materialize as run
    from distortlab.storage.base import open_storage

    total = read_archive_manifest(open_storage(archive))["totals"]["images"]
    with show_progress("images", total, quiet=as_json) as advance:
        account = run(archive, out, workers=workers, overwrite=overwrite, progress=advance)
    print_account(account, as_json)
    if account.trouble:
        fail(account.trouble, 3)
