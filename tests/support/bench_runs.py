"""Runs of `refine-bench` on small sets, and reports on them."""

from pathlib import Path
from typing import Any

from bench_samples import write_koniq
from bench_servers import brightness, serving
from in_process import Cli

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>&\"' $x$ |_{}\\ =1+1"


def run_brightness_model(cli: Cli, root: Path, out: Path, noise: float = 0.0, n: int = 60, *words: object) -> None:
    """Run an endpoint that answers by brightness, with some noise and now and then a hostile text, on KonIQ-10k."""
    if not (root / "koniq").exists():
        write_koniq(root / "koniq", n=n)

    def say(body: dict[str, Any]) -> str:
        value = 1 + 4 * (brightness(body) * (1 - noise) + noise * (body["seed"] % 100) / 100)
        return HOSTILE if body["seed"] % 50 == 0 else f"<answer>{value:.3f}</answer>"

    with serving(say) as server:
        usual = ("--on", "koniq:all", "--data", root, "--out", out, "--no-report", "--protocol", "visualquality-r1")
        done = cli("run", "--model", f"openai:{server.url}#my-model", *usual, *words)
    assert done.code == 0, done.err


def run_on_labels(cli: Cli, labels: Path, model: str, name: str, *words: object) -> Path:
    """Run a model on a file of labels; the run's folder."""
    out = labels.parent / name
    usual = ("--on", f"meta:{labels}", "--data", labels.parent, "--out", out, "--no-report", "--json")
    done = cli("run", "--model", model, *usual, *words)
    assert done.code == 0, done.err
    return out


def report_per_set(cli: Cli, runs: list[Path], ending: str) -> str:
    """The text of a report with a table for each set."""
    out = runs[0].parent / f"report{ending}"
    assert cli("report", *runs, "-o", out, "--per-set").code == 0
    return out.read_text()
