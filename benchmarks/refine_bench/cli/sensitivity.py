"""`refine-bench sensitivity`: one command from a model's name to how its score moves along dense ladders."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from distortlab.core.errors import UserError

if TYPE_CHECKING:
    from refine_bench.runs.ladders import LadderPlan
    from refine_bench.scoring.sensitivity import SensitivityScore

__all__ = ["LadderOptions", "measure_sensitivity", "run_sensitivity"]


@dataclass(frozen=True, slots=True)
class LadderOptions:
    """What is shown and how it is asked. `variants`: names of variants and families, all where empty."""

    refs: str = "scenes"
    photographs: int = 3
    settings: int = 50
    variants: Sequence[str] = ()
    max_side: int = 512
    is_region: bool = False
    protocol: str | None = None
    samples: int | None = None
    reader: str = "auto"
    name: str | None = None
    quiet: bool = False
    model: dict[str, Any] = field(default_factory=dict)


def measure_sensitivity(
    model: Annotated[
        str, typer.Option(help="ssim | niqe | openai:URL#NAME | a Hugging Face name (refine-bench list).")
    ],
    refs: Annotated[
        str, typer.Option(help="Clean photographs, as for distortlab generate: scenes | folder:FOLDER | coco:...")
    ] = "scenes",
    photographs: Annotated[int, typer.Option(min=1, help="How many of them.")] = 3,
    settings: Annotated[int, typer.Option(min=2, help="Settings of each variant.")] = 50,
    variants: Annotated[
        str | None,
        typer.Option(help="Variants or families with commas between; all unless given.", show_default=False),
    ] = None,
    region: Annotated[
        bool, typer.Option("--region", help="Distort the largest region of each photograph, not the whole of it.")
    ] = False,
    max_side: Annotated[int, typer.Option(min=64, help="Longest side of a photograph, pixels.")] = 512,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; sensitivity/MODEL unless given.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the model is called.", show_default=False)] = None,
    protocol: Annotated[
        str | None, typer.Option(help="How to ask for the quality of an image.", show_default=False)
    ] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="Answers per image, averaged.", show_default=False)] = None,
    reader: Annotated[str, typer.Option(help="auto | logits | text, as for run.")] = "auto",
    concurrency: Annotated[int, typer.Option(min=1, help="Requests under way at an endpoint.")] = 32,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds before a request is tried again.")] = 300.0,
    batch: Annotated[int, typer.Option(min=1, help="Questions at once, on this machine.")] = 8,
    device: Annotated[str | None, typer.Option(help="cuda, cuda:1, cpu.", show_default=False)] = None,
    dtype: Annotated[str | None, typer.Option(help="bfloat16, float16, float32.", show_default=False)] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads for measures.", show_default=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked, and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")] = False,
) -> None:
    """How a score moves along dense ladders: is it monotone, where does it begin to notice, does it rank as people do?

    refine-bench sensitivity --model ssim
    refine-bench sensitivity --model niqe --refs folder:photos/ --photographs 5
    refine-bench sensitivity --model openai:http://localhost:8000/v1#my-model --settings 12 --dry-run
    """
    options = LadderOptions(
        refs=refs,
        photographs=photographs,
        settings=settings,
        variants=[word for word in (variants or "").split(",") if word],
        max_side=max_side,
        is_region=region,
        protocol=protocol,
        samples=samples,
        reader=reader,
        name=name,
        quiet=as_json,
        model={
            "concurrency": concurrency,
            "timeout": timeout,
            "batch": batch,
            "device": device,
            "dtype": dtype,
            "workers": workers,
        },
    )
    from refine_bench.cli.printing import print_json

    found = run_sensitivity(model, out, options, is_dry=dry_run)
    if found is not None:
        print_json(found) if as_json else _print_score(found)


def run_sensitivity(
    spec: str, out: Path | None, options: LadderOptions, *, is_dry: bool = False
) -> "SensitivityScore | None":
    """Ask, score, write `sensitivity.json` and `sensitivity.html`; None where `is_dry`.

    Raises `UserError`; whatever stops it, the same call goes on.
    """
    from distortlab.core.progress import show_progress
    from distortlab.storage.atomic import write_json, write_text
    from refine_bench.datasets.ladders import list_ladder, load_photographs, select_rows
    from refine_bench.models import open_model
    from refine_bench.prompts.items import slugify
    from refine_bench.report.sensitivity import render_sensitivity
    from refine_bench.runs.inference import ask_model
    from refine_bench.runs.ladders import plan_ladders
    from refine_bench.runs.store import check_name
    from refine_bench.scoring.sensitivity import score_sensitivity

    if not 2 <= options.settings <= _MOST_SETTINGS:
        raise UserError(f"--settings {options.settings} is outside 2 .. {_MOST_SETTINGS}")
    name = None if options.name is None else check_name(options.name)
    rows = select_rows(options.variants)
    photographs = load_photographs(options.refs, options.photographs, options.max_side, options.is_region)
    items = list(list_ladder(photographs, rows, options.settings))
    folder = out if out is not None else Path("sensitivity") / slugify(spec)
    model = open_model(spec, **options.model)
    try:
        found = plan_ladders(
            model,
            items,
            folder,
            _describe_photographs(options),
            protocol=options.protocol,
            samples=options.samples,
            reader=options.reader,
        )
        if not options.quiet or is_dry:
            sys.stderr.write("".join(f"{line}\n" for line in _describe_cost(found, len(photographs), len(rows))))
        if is_dry:
            return None
        with show_progress("answers", found.left, quiet=options.quiet) as advance:
            run = ask_model(model, [found.plan], folder, progress=advance)
        if name is not None:
            run.rename(name)
    finally:
        model.close()
    score = score_sensitivity(run, found.entry)
    write_json(folder / "sensitivity.json", score)
    write_text(folder / "sensitivity.html", render_sensitivity(score, run))
    return score


_MOST_SETTINGS = 1000


def _describe_photographs(options: LadderOptions) -> str:
    kind, _, rest = options.refs.partition(":")
    place = Path(rest.partition(",")[0]).name if rest else ""
    where = f"{kind} {place}".strip()
    what = "the largest region of " if options.is_region else ""
    count = f"{options.photographs} photographs" if options.photographs > 1 else "a photograph"
    return f"{what}{count} of {where}"


def _describe_cost(found: "LadderPlan", photographs: int, rows: int) -> list[str]:
    """What is asked, and how much that is."""
    plan = found.plan
    lines = [
        f"{plan.item_set.facts['title']}: {len(plan.item_set.items):,} images, of {rows} variants and "
        f"{photographs} x 5 unharmed copies; {plan.protocol}",
        f"{found.left:,} answers to come, {found.done:,} are there; {found.megapixels:,.0f} megapixels to be shown",
    ]
    if plan.protocol.reader != "value":
        tokens = found.left * plan.decoding.max_tokens
        lines.append(f"up to {tokens:,} tokens in answers ({plan.decoding.max_tokens} each)")
    return lines


# --- what is printed ------------------------------------------------------------------------------------------------


def _print_score(score: "SensitivityScore") -> None:
    from refine_bench.cli.printing import print_table
    from refine_bench.scoring.formatting import format_number

    rows = [
        [
            each["variant"],
            each["direction"],
            format_number(each["srcc"]),
            format_number(each["in_order"]),
            format_number(each["notices_v"], 2),
            " – ".join(format_number(v, 2) for v in each["v_range"] or []),
            f"{each['noticed']} of {len(each['curves'])}" + (f", {each['better']} as better" if each["better"] else ""),
        ]
        for each in score["variants"]
    ]
    heads = ("variant", "quality", "SRCC", "in order", "notices from V", "least – most", "noticed on")
    title = f"{score['model']} on {score['title']}, {score['protocol']}: {score['n_read']:,} of {score['n']:,} read"
    print_table(title, heads, rows, left=2)
    people = score["people"]
    families = [
        [each["family"], str(each["people_rank"]), str(each["quality_rank"]), format_number(each["people"], 2)]
        for each in people["families"]
    ]
    if families:
        title = f"Families at V {people['equal_v']:g}, best quality first: people (KADID-10k) and the score"
        print_table(title, ("family", "people", "score", "people's mean"), families)
    notices = format_number(score["notices_v"], 2)
    sys.stdout.write(
        f"SRCC with falling quality {format_number(score['srcc'])}, {format_number(score['in_order'])} of the steps in "
        f"order (means over variants); notices from V {notices} on (median), V 1 is just visible\n"
        f"with people: SRCC {format_number(people['srcc'])} over {len(people['cells'])} cells of KADID-10k, "
        f"{format_number(people['srcc_families'])} over families at one V\n"
    )
    for why, count in score["failures"].items():
        sys.stdout.write(f"not read: {why} {count:,}\n")
