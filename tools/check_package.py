"""Build the source archive and the wheel, and try the wheel where nothing of the repository is in reach.

python tools/check_package.py    needs `build` and `twine` (make package installs them); writes dist/

1. The source archive is built from the checkout, the wheel from the source archive.
2. The source archive holds what git tracks; the wheel holds the packages, the recipes and nothing else, byte for byte.
3. The wheel is installed in a new environment, and its commands run in a new folder, as after `pip install refine-iqa`.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
# Folders of the repository and where they are in the wheel.
PLACES = {
    "distortlab": "distortlab",
    "refine_iqa_train": "refine_iqa_train",
    "benchmarks/refine_bench": "refine_bench",
    "manifests": "distortlab/manifests",
    "recipes": "refine_iqa_train/recipes",
}
# What the programs read from their own folders: a wheel without one of these kinds was packed wrongly.
KINDS = (".py", ".typed", ".toml", ".yaml", ".html", ".js", ".css", ".csv", ".npy")
MAX_BYTES = {".whl": 2_000_000, ".gz": 8_000_000}


class PackageError(Exception):
    """What is wrong with the package, in one sentence."""


def main() -> int:
    """Run all steps; return the exit code."""
    try:
        source, wheel = build_files()
        check_metadata(source, wheel)
        check_source(source)
        check_wheel(wheel)
        with tempfile.TemporaryDirectory(prefix="refine-iqa-package-") as folder:
            programs = install_wheel(wheel, Path(folder) / "environment")
            try_commands(programs, Path(folder) / "elsewhere", version=wheel.name.split("-")[1])
    except PackageError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    print(f"package: all as it should be: {source.name}, {wheel.name} in {DIST.name}/")
    return 0


def print_step(step: str) -> None:
    """Print a step before it is done."""
    print(f"package: {step}", flush=True)


def build_files() -> tuple[Path, Path]:
    """Build both files in an empty dist/ and return their paths; `build` makes the wheel from the source archive."""
    print_step("build the source archive, and the wheel from it")
    shutil.rmtree(DIST, ignore_errors=True)
    run_tool("build", "--outdir", str(DIST), str(ROOT))
    files = sorted(DIST.iterdir())
    if [file.suffix for file in files] != [".whl", ".gz"]:
        raise PackageError(f"one wheel and one source archive were to be built; there is {[f.name for f in files]}")
    for file in files:
        size, most = file.stat().st_size, MAX_BYTES[file.suffix]
        print(f"  {file.name}: {size / 1e6:.1f} MB")
        if size > most:
            raise PackageError(f"{file.name} has {size:,} bytes, more than {most:,}; what is new in it that is large?")
    return files[1], files[0]


def check_metadata(*files: Path) -> None:
    """Have `twine` read the metadata and the page made of README.md."""
    print_step("check the metadata")
    run_tool("twine", "check", "--strict", *map(str, files))


def run_tool(module: str, *arguments: str) -> None:
    """Run a tool of this environment; what it prints is shown when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT
    )
    if done.returncode:
        print(done.stdout.decode(errors="replace"), file=sys.stderr)
        raise PackageError(f"{module} {arguments[0]} ended with exit code {done.returncode}; what it said is above")


def check_source(source: Path) -> None:
    """Compare the source archive with what git tracks."""
    print_step("compare the source archive with what git tracks")
    with tarfile.open(source) as archive:
        found = {
            member.name.partition("/")[2]: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive
            if member.isfile()
        }
    found.pop("PKG-INFO", None)
    compare_files(source.name, found, {name: ROOT / name for name in list_tracked()})


def check_wheel(wheel: Path) -> None:
    """Compare the wheel with the packages and recipes of the repository."""
    print_step("compare the wheel with the packages, recipes and pages of the repository")
    with zipfile.ZipFile(wheel) as archive:
        found = {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {}
    for name in list_tracked():
        for folder, place in PLACES.items():
            if name.startswith(f"{folder}/"):
                wanted[place + name.removeprefix(folder)] = ROOT / name
    compare_files(wheel.name, found, wanted)
    lacking = [kind for kind in KINDS if not any(name.endswith(kind) for name in found)]
    lacking += [
        f"{name}/py.typed" for name in {name.partition("/")[0] for name in found} if f"{name}/py.typed" not in found
    ]
    if lacking:
        raise PackageError(f"{wheel.name} has no file that ends in {join_names(lacking)}")
    counts = ", ".join(f"{sum(name.endswith(kind) for name in found)} {kind}" for kind in KINDS)
    print(f"  {len(found)} files: {counts}")


def list_tracked() -> list[str]:
    """Return the files that git tracks, as paths with forward slashes; what was deleted is left out."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if done.returncode:
        raise PackageError("this is no git checkout, so there is nothing to compare the package with")
    return [name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def compare_files(package: str, found: Mapping[str, bytes], wanted: Mapping[str, Path]) -> None:
    """Raise PackageError unless `found` is exactly the files `wanted`, with their bytes."""
    if extra := found.keys() - wanted.keys():
        raise PackageError(f"{package} holds {join_names(extra)}, which the repository does not have there")
    if missing := wanted.keys() - found.keys():
        raise PackageError(f"{package} lacks {join_names(missing)}; see [tool.hatch.build] in pyproject.toml")
    if other := [name for name, data in found.items() if wanted[name].read_bytes() != data]:
        raise PackageError(f"{package} has other bytes than the repository in {join_names(other)}")


def join_names(names: Iterable[str], most: int = 8) -> str:
    """Return the first names in alphabetical order, and how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more


def install_wheel(wheel: Path, folder: Path) -> Path:
    """Install the wheel without extras in a new environment; return the folder of its programs."""
    print_step("install the wheel in a new environment, with the versions of constraints.txt")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    quiet = ["--quiet", "--disable-pip-version-check"]
    run_command(programs, folder, ["python", "-m", "pip", "install", *quiet, "-c", ROOT / "constraints.txt", wheel])
    run_command(programs, folder, ["python", "-m", "pip", "check", "--disable-pip-version-check"])
    return programs


def try_commands(programs: Path, folder: Path, version: str) -> None:
    """Run what a newcomer runs first, in an empty folder outside of the repository."""
    print_step(f"run the commands in {folder}")
    folder.mkdir()
    places = "import distortlab, refine_bench, refine_iqa_train as t; print(distortlab.__file__, t.__file__)"
    commands: list[tuple[list[str | Path], int, str]] = [
        (["python", "-c", places], 0, "site-packages"),
        (["distortlab", "--version"], 0, f"distortlab {version}"),
        (["distortlab", "list"], 0, "blur.gaussian"),
        (["distortlab", "generate", "--n", "4", "--out", "data"], 0, "4 images"),
        (["distortlab", "verify", "data"], 0, "all as it should be"),
        (["distortlab", "view", "data", "-o", "view.html"], 0, "wrote view.html"),
        (["distortlab", "sheet", "data", "-o", "sheet.png"], 0, "wrote sheet.png"),
        (["distortlab", "generate", "--recipe", "smoke", "--n", "2", "--out", "smoke"], 0, "2 images"),
        (["refine-bench", "--version"], 0, f"refine-bench {version}"),
        (["refine-bench", "list"], 0, "koniq"),
        (["python", "-m", "refine_iqa_train", "--version"], 0, f"refine_iqa_train {version}"),
        # Without the extra `train`: a sentence that says what to install.
        (["python", "-m", "refine_iqa_train", "check", "--config", "stage1-qwen3-vl-4b"], 2, "refine-iqa[train]"),
    ]
    for command, code, words in commands:
        output = run_command(programs, folder, command, code, words)
        if code and len(output.strip().splitlines()) != 1:
            raise PackageError(f"{' '.join(map(str, command))} says more than one sentence:\n{output}")
    for name, least in {"view.html": 100_000, "sheet.png": 10_000}.items():
        if (folder / name).stat().st_size < least:
            raise PackageError(f"{name} has {(folder / name).stat().st_size:,} bytes, less than {least:,}")


def run_command(programs: Path, folder: Path, command: list[str | Path], code: int = 0, words: str = "") -> str:
    """Run a program of the new environment in `folder`, and return what it printed.

    Raises PackageError when the exit code is not `code`, `words` are not in the output, or a traceback is.
    """
    print("  $", *(part.name if isinstance(part, Path) else part for part in command), flush=True)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON") and key != "VIRTUAL_ENV"}
    clean |= {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}
    program = shutil.which(str(command[0]), path=str(programs))
    if program is None:
        raise PackageError(f"the wheel installed no program called {command[0]}")
    done = subprocess.run(
        [program, *map(str, command[1:])], cwd=folder, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = done.stdout.decode(errors="replace")
    named = " ".join(map(str, command))
    if done.returncode != code:
        raise PackageError(f"{named} ended with exit code {done.returncode} and not {code}:\n{output}")
    if words not in output:
        raise PackageError(f"{named} does not say {words!r}:\n{output}")
    if "Traceback" in output:
        raise PackageError(f"{named} shows a traceback:\n{output}")
    return output


if __name__ == "__main__":
    sys.exit(main())
