"""Scores of finished runs, from the states that the trainer saved, as one table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from distortlab.core.errors import UserError
from distortlab.storage.atomic import read_json
from distortlab.tasks import TASKS
from refine_iqa_train.monitoring.held_out import MEASURES, Logs, list_measures
from refine_iqa_train.monitoring.history import read_history

__all__ = ["format_table", "read_controls", "read_scores"]

RUN, MERGED_FROM = "run.json", "merged_from.json"
"""Records of a run, and of a model that adapters were merged into."""
ROWS = ("held_out/n", *(f"{task}/{name}" for task, names in MEASURES.items() for name in names))
"""Of the table, in this order."""


def read_controls(out: str | Path) -> list[str]:
    """Read from the record of a run, or of a model merged from one, what makes it a control; none of another."""
    records = (read_json(Path(out) / name) for name in (RUN, MERGED_FROM))
    found = (record.get("controls") for record in records if isinstance(record, dict))
    return next((list(map(str, controls)) for controls in found if isinstance(controls, list)), [])


def read_scores(out: str | Path) -> dict[str, Logs]:
    """Read the held-out metrics of a run, "before" training and "after". Raises `UserError` where there are none."""
    validations = [_select_metrics(entry) for entry in read_history(out, finished=True) if "eval_held_out/n" in entry]
    if not validations:
        raise UserError(f"nothing was validated in {out}: set validation.every")
    return {"before": validations[0], "after": validations[-1]}


def _select_metrics(entry: Logs) -> Logs:
    metric_names = (name for name in entry if name.startswith("eval_"))
    return {
        name.removeprefix("eval_"): entry[name]
        for name in metric_names
        if name.removeprefix("eval_").split("/")[0] in ("held_out", *TASKS)
    }


def format_table(runs: Mapping[str, Mapping[str, Logs]], controls: Mapping[str, Sequence[str]] | None = None) -> str:
    """Format scores of runs as lines of text.

    Parameters
    ----------
    runs
        By folder: held-out metrics before and after.
    controls
        By folder: what makes a run a control.

    Returns
    -------
    str
        A measure, then before and after of each run, each with its n; what makes runs controls stands below.
    """
    marked = {run: sentences for run, sentences in (controls or {}).items() if sentences}
    columns = [
        (
            f"{Path(run).name}{' (CONTROL)' if run in marked else ''}: {when}" if when == "before" else when,
            _format_cells(scores[when]),
        )
        for run, scores in runs.items()
        for when in ("before", "after")
    ]
    names = [name for name in ROWS if any(name in cells for _, cells in columns)]
    width = max(map(len, names))
    widths = [max(len(head), *map(len, cells.values())) for head, cells in columns]
    lines = [" " * width + "".join(f"  {head:>{w}}" for (head, _), w in zip(columns, widths, strict=True))]
    for name in names:
        row = [f"  {cells.get(name, ''):>{w}}" for (_, cells), w in zip(columns, widths, strict=True)]
        lines.append((f"{name:<{width}}" + "".join(row)).rstrip())
    lines += [f"CONTROL {Path(run).name}: {' and '.join(sentences)}" for run, sentences in marked.items()]
    return "\n".join(lines)


def _format_cells(score: Logs) -> dict[str, str]:
    """What stands in a column, by row."""
    measures = {f"{measure.task}/{measure.name}": str(measure) for measure in list_measures(score)}
    return {"held_out/n": f"{score['held_out/n']:.0f}", **measures}
