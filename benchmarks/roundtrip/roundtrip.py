"""From photographs to a training step and back, as a user would do it, with the bytes that each step sends.

python benchmarks/roundtrip/roundtrip.py --refs coco:FILE.json,FOLDER --n 2000 --out /tmp/roundtrip
python benchmarks/roundtrip/roundtrip.py --n 40 --out /tmp/roundtrip                     built-in references

Every step is a command in a process of its own; the Hub is the stand-in of the tests, on this machine. It gives the
client a CAS in a folder, so what is sent is what the real client sends after chunking and deduplication (Xet).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from stand_in_hub import StandInHub  # noqa: E402

REPO = "user/name"
# So that a folder of 80 photographs is enough.
RECIPE = """name = "round-trip"
max_images_per_reference = 48
"""
CHANGED = f'{RECIPE}[questions]\ncoordinates = "pixels"\n'


class Trip:
    """A folder, a hub, and a table of what happened."""

    def __init__(self, out: Path, hub: StandInHub, refs: str) -> None:
        self.out, self.hub, self.refs = out, hub, refs
        home = {
            "HF_HOME": str(out / "home"),
            "HF_ENDPOINT": hub.endpoint,
            "HF_TOKEN": "hf_writer",
            "HF_HUB_OFFLINE": "0",
        }
        home["HF_HUB_DOWNLOAD_TIMEOUT"] = "120"  # the stand-in puts a file together when it is first read
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.environment = {**os.environ, **home, **threads}
        self.rows: list[tuple[str, float, str, str]] = []

    def run(self, *words: str) -> str:
        """A command of this environment's Python; what it prints. 3: a build that is not quite full."""
        done = subprocess.run(
            [sys.executable, *words], env=self.environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, check=False
        )
        if done.returncode not in (0, 3):
            raise SystemExit(f"{' '.join(words[:3])} ended with {done.returncode}")
        return done.stdout

    def step(self, what: str, do: Callable[[], str]) -> None:
        """Do something, and note how long it took and what went over the wire."""
        sent, served, start = self.hub.stored_bytes, self.hub.served, time.monotonic()
        note = do()
        seconds = time.monotonic() - start
        sent, served = self.hub.stored_bytes - sent, self.hub.served - served
        self.rows.append((what, seconds, f"{sent / 1e6:,.1f} / {served / 1e6:,.1f}", note))
        print(f"{what}: {seconds:.0f} s, {sent / 1e6:,.1f} MB sent, {served / 1e6:,.1f} MB fetched; {note}", flush=True)

    def generate(self, n: int, name: str, recipe: str = RECIPE) -> str:
        """Make a data set; its size."""
        folder, file = self.out / name, self.out / f"{name}.toml"
        file.write_text(recipe)
        words = ("--recipe", str(file), "--refs", self.refs, "--n", str(n), "--out", str(folder), "--max-failures", "1")
        self.run("-m", "distortlab.cli", "generate", *words)
        manifest = json.loads((folder / "MANIFEST.json").read_text())
        files, totals = manifest["files"], manifest["totals"]
        size = sum(entry["bytes"] for entry in files.values()) / 1e6
        return f"{totals['images']:,} images, {totals['samples']:,} questions, {size:,.0f} MB in {len(files)} files"

    def push(self, name: str) -> str:
        """Publish it; what the command says."""
        done: dict[str, Any] = json.loads(
            # The stand-in is on this machine: nothing is passed on.
            self.run("-m", "distortlab.cli", "push", str(self.out / name), REPO, "--allow-no-derivatives", "--json")
        )
        if not done["changed"]:
            return "no commit"
        return f"{len(done['sent'])} files, {done['sent_bytes'] / 1e6:,.1f} MB new, {len(done['removed'])} removed"

    def train(self) -> str:
        """Two steps on it."""
        result = json.loads(self.run("benchmarks/roundtrip/trainee.py", REPO).splitlines()[-1])
        return f"{result['steps']} steps, losses {result['losses']}, rewards {result['rewards']}"


def main() -> None:
    """Make the trip and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", default="scenes")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet")
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    fewer = round(0.95 * options.n)
    with StandInHub(xet=True) as hub:
        trip = Trip(options.out, hub, options.refs)
        trip.step(f"generate {options.n} images", lambda: trip.generate(options.n, "data"))
        trip.step("push", lambda: trip.push("data"))
        trip.step("push again", lambda: trip.push("data"))
        trip.step("stream and train, two steps", trip.train)
        trip.step("generate, other coordinates", lambda: trip.generate(options.n, "changed", CHANGED))
        trip.step("push the changed recipe", lambda: trip.push("changed"))
        trip.step(f"generate {fewer} images", lambda: trip.generate(fewer, "fewer"))
        trip.step("push fewer images", lambda: trip.push("fewer"))
        trip.step("stream and train again", trip.train)
    print("\n| step | seconds | MB sent / fetched | |\n|---|---|---|---|")
    for what, seconds, moved, note in trip.rows:
        print(f"| {what} | {seconds:.0f} | {moved} | {note} |")
    shutil.rmtree(hub.cas, ignore_errors=True)


if __name__ == "__main__":
    main()
