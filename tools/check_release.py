"""Check that a tag, the version of the package, CITATION.cff and CHANGELOG.md agree, before anything is published.

python tools/check_release.py v0.2.0                             exit 1, with a sentence, if they do not
python tools/check_release.py v0.2.0 --notes release-notes.md    write the changelog's section there

Needs the standard library only. In GitHub Actions the address of the repository must be in pyproject.toml too: the
package index shows it, and pictures of the README are looked for there.
"""

import argparse
import os
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


class ReleaseError(Exception):
    """What does not agree, in one sentence."""


def read_version(root: Path) -> str:
    """Return `distortlab.__version__`, without importing it."""
    text = (root / "distortlab/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if not found:
        raise ReleaseError('distortlab/__init__.py has no line __version__ = "..."')
    return found[1]


def find_section(changelog: str, version: str) -> str:
    """Return what the changelog says of a version that has a date: the text below `## 1.2.3 (2027-01-31)`."""
    heading = re.search(rf"^## {re.escape(version)}(?: \((.*)\))?$", changelog, re.MULTILINE)
    if not heading:
        raise ReleaseError(f"CHANGELOG.md has no heading '## {version} (YYYY-MM-DD)'; write that section")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[1] or ""):
        raise ReleaseError(f"CHANGELOG.md says '{heading[0]}'; give the release its date: '## {version} (YYYY-MM-DD)'")
    section = re.split(r"^## ", changelog[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not section:
        raise ReleaseError(f"CHANGELOG.md says nothing about {version}; write what changed")
    return section + "\n"


def check_release(root: Path, tag: str, repository: str = "") -> str:
    """Return the changelog's section of the version that `tag` names.

    Parameters
    ----------
    root
        The checkout.
    tag
        `v` and the version.
    repository
        The address that pyproject.toml must name as `Source`; empty for none.

    Raises
    ------
    ReleaseError
        Something does not agree.
    """
    version = read_version(root)
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag} and distortlab.__version__ is {version}; the tag must be v{version}")
    cited = re.search(r"^version: *(\S+)$", (root / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    if not cited or cited[1].strip("\"'") != version:
        raise ReleaseError(f"CITATION.cff names version {cited[1] if cited else 'none'}; write {version}")
    if repository:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        named = project.get("urls", {}).get("Source", "none")
        if named.rstrip("/") != repository:
            raise ReleaseError(f"[project.urls] in pyproject.toml names Source {named}; write {repository}")
    return find_section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)


def main() -> int:
    """Print what was found; return the exit code."""
    parser = argparse.ArgumentParser(description="Check that tag, version and changelog agree.")
    parser.add_argument("tag")
    parser.add_argument("--notes", type=Path, help="file for the changelog's section")
    options = parser.parse_args()
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    address = f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}" if repository else ""
    try:
        section = check_release(ROOT, options.tag, address)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    if options.notes:
        options.notes.write_text(section, encoding="utf-8")
    print(f"{options.tag}: version, citation and changelog agree ({len(section.splitlines())} lines of notes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
