"""One command from a model's name to its scores."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from distortlab.core.progress import show_progress
from refine_bench.models import open_model
from refine_bench.prompts.items import slugify
from refine_bench.runs.inference import SetPlan, ask_model, plan_sets
from refine_bench.runs.store import check_name
from refine_bench.scoring.run import score_run
from refine_bench.scoring.scores import RunScores

__all__ = ["Options", "run_all"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask. `model`: options of the kinds of models; `shard`: "k/N"."""

    protocol: str | None = None
    samples: int | None = None
    limit: int | None = None
    shard: str | None = None
    shuffle: bool = False
    reader: str = "auto"
    name: str | None = None
    report: bool = True
    quiet: bool = False
    model: Mapping[str, Any] = field(default_factory=dict)


def run_all(spec: str, sets: Sequence[str], data: Path | None, out: Path | None, options: Options) -> RunScores:
    """Ask, score, report. Raises `UserError`; whatever stops it, the same call goes on."""
    if not sets:
        raise UserError("name a set: --on koniq, --on local:data/")
    name = None if options.name is None else check_name(options.name)
    shard = _parse_shard(options.shard)
    model = open_model(spec, **options.model)
    try:
        plans = plan_sets(
            model,
            sets,
            data,
            protocol=options.protocol,
            samples=options.samples,
            limit=options.limit,
            shard=shard,
            shuffle=options.shuffle,
            reader=options.reader,
        )
        folder = out if out is not None else Path("runs") / slugify(spec)
        if not options.quiet:
            for plan in plans:
                sys.stderr.write("".join(f"{line}\n" for line in _describe_plan(plan)))
        with show_progress("answers", sum(plan.total for plan in plans), quiet=options.quiet) as advance:
            run = ask_model(model, plans, folder, progress=advance)
            if name is not None:
                run.rename(name)
    finally:
        model.close()
    found = score_run(folder)
    if options.report:
        from refine_bench.report import write_report

        write_report([folder], folder / "report.html")
    return found


def _describe_plan(plan: SetPlan) -> list[str]:
    """What is asked: n, range, direction, hash, protocol; and what was left out."""
    found, facts = plan.item_set, plan.item_set.facts
    scale = f", scores {facts['low']:g} to {facts['high']:g} {facts['direction']}" if "low" in facts else ""
    of = f" of {found.expected:,}" if found.expected != len(found.items) else ""
    head = f"{found.name}: {len(found.items):,}{of} items{scale}, sha256 {found.sha256[:12]}, {plan.protocol}"
    note = [f"warning: read as text: {plan.reader.note}"] if plan.reader.note else []
    more = len(found.problems) - 5
    left = [f"left out: {problem}" for problem in found.problems[:5]]
    return [head, *note, *left, *([f"... and {more:,} more"] if more > 0 else [])]


def _parse_shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    part, slash, of = text.partition("/")
    if not (slash and part.isdecimal() and of.isdecimal() and 1 <= int(part) <= int(of)):
        raise UserError(f"--shard {text!r} is not k/N, e.g. 1/3")
    return int(part), int(of)
