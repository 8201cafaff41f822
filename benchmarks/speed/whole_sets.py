"""Whole data sets: time, size, rejected draws, and every image rendered again by `verify`.

    python benchmarks/speed/whole_sets.py --name scenes --out /tmp/set
    python benchmarks/speed/whole_sets.py --name sets-of-edits --recipe diagnosis-25k --out /tmp/set

Runs `distortlab generate` and `distortlab verify` as a user would, with two workers, and keeps what came out under the
name in benchmarks/results/sets.json, from which `make docs` makes a table. 25 GB and ten minutes for 20,907 images.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from provenance import describe_run

KEPT = Path(__file__).parents[1] / "results" / "sets.json"


def run_command(*words: str) -> tuple[dict[str, Any], float, int]:
    """(what `distortlab ... --json` printed, seconds, exit code). Progress goes to the console."""
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "distortlab", *words, "--json"], stdout=subprocess.PIPE, check=False)
    if not done.stdout.strip():
        raise SystemExit(f"distortlab {' '.join(words)} ended with code {done.returncode} and printed nothing")
    return json.loads(done.stdout), time.monotonic() - start, done.returncode


def summarize_build(built: dict[str, Any], seconds: float, code: int) -> dict[str, Any]:
    """What of a report of `generate` is kept."""
    counts = built["counts"]
    return {
        "wanted": built["wanted"],
        "images": built["images"],
        "questions": built["samples"],
        "references": counts["references"]["used"],
        "bytes": built["bytes"],
        "rejected": sum(counts["rejected"].values()),
        "seconds": round(seconds),
        "code": code,
    }


def keep_result(name: str, result: dict[str, Any], file: Path = KEPT) -> None:
    """Put a result under its name beside the others."""
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps({**kept, name: result}, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="of the result")
    parser.add_argument("--recipe", default="refine-perception-20k")
    parser.add_argument("--refs", default="scenes")
    parser.add_argument("--out", required=True, help="a new folder; it stays")
    given = parser.parse_args()
    about = describe_run("benchmarks/speed/whole_sets.py", sys.argv[1:])
    refs = ["--refs", given.refs] if given.refs != "scenes" else []
    build = run_command("generate", "--recipe", given.recipe, *refs, "--workers", "2", "--out", given.out)
    checked, seconds, code = run_command("verify", given.out, "--workers", "2")
    result = {
        "about": about,
        "recipe": Path(given.recipe).stem,
        "source": given.refs.partition(":")[0],
        **summarize_build(*build),
        "verify": {"images": checked["rendered"], "seconds": round(seconds), "code": code},
    }
    keep_result(given.name, result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
