"""Whether labels read as what they say, by two observers: docs/observers.md, and the table of difficulties.

    python benchmarks/observers/observe.py --refs coco:instances_train2017.json,train2017 --test coco:...val2017

Accepted draws on two sets of photographs; an observer fitted on one set judges the other. `--draws FOLDER` keeps what
was measured, or starts from it. `--freeze` writes distortlab/severity/difficulty.json as well.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from draws import measure_draws
from page import write_page
from summary import Verdicts, judge, print_verdicts

import distortlab
from distortlab.severity.difficulty import format_table

ROOT = Path(__file__).parents[2]
TABLE = Path(distortlab.__file__).parent / "severity" / "difficulty.json"
_LEAST = 5
"""Draws of a variant and severity without which the table has no entry for it."""


def load_or_measure(spec: str, count: int, kept: Path | None, name: str) -> pd.DataFrame:
    """The draws of a source: read from a folder, or made (and kept there)."""
    file = kept and kept / f"{name}.parquet"
    if file and file.exists():
        return pd.read_parquet(file)
    print(f"drawing from {spec}", flush=True)
    draws = measure_draws(spec, count)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        draws.to_parquet(file)
    return draws


def make_posteriors(person: Verdicts) -> dict[tuple[str, int], float]:
    """(variant, severity) -> mean posterior of the true family, to three decimals."""
    counts = person.draws.groupby(["variant", "severity"]).size()
    cells = person.average_cells().stack()
    return {
        (str(name), int(severity)): round(float(value), 3)
        for (name, severity), value in cells.items()
        if not np.isnan(value) and counts[name, severity] >= _LEAST
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", required=True, help="photographs with regions, as for distortlab generate")
    parser.add_argument("--test", required=True, help="other photographs")
    parser.add_argument("--n", type=int, default=4000, help="draws from each")
    parser.add_argument("--draws", type=Path, help="a folder for what was measured, to keep or to start from")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where observers.md and images/ go")
    parser.add_argument("--freeze", action="store_true", help="write the table of difficulties")
    given = parser.parse_args()
    sources = (("refs", given.refs), ("test", given.test))
    first, second = (load_or_measure(spec, given.n, given.draws, name) for name, spec in sources)
    machine, person = judge(first, second)
    for verdicts in (machine, person):
        print_verdicts(verdicts)
    if given.freeze:
        TABLE.write_text(format_table(make_posteriors(person)), encoding="utf-8")
    names = " ".join(f"{key.upper()}={_shorten(spec)}" for key, spec in sources)
    write_page(machine, person, given.docs, f"make observers {names} N={given.n}")


def _shorten(spec: str) -> str:
    """A source without the folders of this machine."""
    kind, _, rest = spec.partition(":")
    return f"{kind}:{','.join(Path(part).name for part in rest.split(','))}" if rest else kind


if __name__ == "__main__":
    main()
