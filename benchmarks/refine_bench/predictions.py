"""Outputs made elsewhere: JSON, JSON lines, objects one after another, CSV, Parquet.

An item names its image (`img_path`, `image`, `image_name`, `name`, `id`), and holds a score (`score`, `prediction`,
`pred`, `pred_score`, `rating`, `mos_pred`), an answer (`answer`, `response`, `output`, `text`, `prediction_text`), or
a logit for each level word (`logit_good`, or a table under `logits`). `gt_score` (`mos`, `gt`, `label`) is the file's
own truth.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distortlab.errors import UserError
from refine_bench.datasets.base import Problem, finite
from refine_bench.datasets.tables import csv_rows, json_items
from refine_bench.protocols import Protocol
from refine_bench.reading import Answer

__all__ = ["Output", "read_outputs"]

NAMES = ("img_path", "image_path", "image", "image_name", "name", "filename", "id")
SCORES = ("score", "prediction", "pred", "pred_score", "predicted", "rating", "mos_pred", "value")
TEXTS = ("answer", "response", "output", "text", "prediction_text", "completion")
TRUTHS = ("gt_score", "gt", "mos", "label", "target")


@dataclass(frozen=True, slots=True)
class Output:
    """An item of a file. `name`: the file name of the image, without folders. `truth`: the file's own, where it has
    one.
    """

    line: int
    name: str
    answer: Answer
    truth: float | None


def read_outputs(path: Path, protocol: Protocol | None) -> tuple[list[Output], list[Problem]]:
    """(outputs, rows that could not be used). Raises `UserError` where the file or its columns are wrong."""
    outputs: list[Output] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for line, row in _rows(path):
        try:
            output = _output(line, row, protocol)
            if output.name in seen:
                raise ValueError(f"{output.name} is there twice, first in row {seen[output.name]}")
            seen[output.name] = line
            outputs.append(output)
        except ValueError as error:
            problems.append(Problem(path.name, line, str(error)))
    if not outputs:
        why = f": {problems[0]}" if problems else ""
        raise UserError(f"{path} holds no output that can be used{why}")
    return outputs, problems


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if not path.is_file():
        raise UserError(f"{path} is not a file")
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv"):
        yield from csv_rows(path, ()) if kind == ".csv" else _tsv(path)
    elif kind == ".parquet":
        yield from _parquet(path)
    else:
        yield from json_items(path)


def _tsv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, delimiter="\t")
        for row in reader:
            yield reader.line_num, row


def _parquet(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            wanted = [name for name in file.schema_arrow.names if name.startswith("logit") or name in _KNOWN]
            rows = file.read(columns=wanted).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} is not a readable Parquet file: {error}") from None
    yield from enumerate(rows, 1)


_KNOWN = frozenset((*NAMES, *SCORES, *TEXTS, *TRUTHS))


def _output(line: int, row: Mapping[str, Any], protocol: Protocol | None) -> Output:
    name = next((row[key] for key in NAMES if isinstance(row.get(key), str) and row[key]), None)
    if name is None:
        raise ValueError(f"no image name under {', '.join(NAMES)}; its keys are {', '.join(map(str, row))[:200]}")
    truth = next((row[key] for key in TRUTHS if row.get(key) not in (None, "")), None)
    return Output(
        line=line,
        name=str(name).replace("\\", "/").rpartition("/")[2],
        answer=_answer(row, protocol),
        truth=None if truth is None else finite(truth, "the truth"),
    )


def _answer(row: Mapping[str, Any], protocol: Protocol | None) -> Answer:
    """Logits where the protocol reads level words and the row has them; a score; or a text."""
    if protocol is not None and protocol.levels:
        words = [word for word, _ in protocol.levels]
        table = row.get("logits")
        given = table if isinstance(table, Mapping) else {word: row.get(f"logit_{word}") for word in words}
        if all(given.get(word) not in (None, "") for word in words):
            return Answer(logits={word: finite(given[word], f"the logit of {word}") for word in words})
    text = next((row[key] for key in TEXTS if isinstance(row.get(key), str)), None)
    if protocol is not None and protocol.reader in ("text", "digits", "choice") and text is not None:
        return Answer(text=text)
    score = next((row[key] for key in SCORES if row.get(key) not in (None, "")), None)
    if score is not None:
        return Answer(value=finite(score, "the score"))
    if text is not None:
        return Answer(text=text)
    logits = ", ".join(f"logit_{word}" for word, _ in protocol.levels) if protocol and protocol.levels else "logits"
    raise ValueError(f"no score, answer or {logits}; its keys are {', '.join(map(str, row))[:200]}")
