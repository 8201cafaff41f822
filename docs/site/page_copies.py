"""The Markdown beside the pages, and llms.txt (llmstxt.org), which lists it."""

import re
import shutil
from pathlib import Path

from assemble import Assembled
from navigation import ABOUT, TITLE
from page_links import find_title

__all__ = ["write_copies", "write_llms_txt"]

_TREE = re.compile(r"\n```\{toctree\}\n.*?\n```\n", re.DOTALL)


def write_copies(assembled: Assembled, source: Path, html: Path) -> None:
    """Write every page as Markdown beside its HTML, with the pictures that it shows."""
    for path in source.rglob("*.md"):
        place = path.relative_to(source)
        name = place.with_suffix("").as_posix()
        text = assembled.copies.get(name) or _TREE.sub("", path.read_text(encoding="utf-8"))
        (html / place).write_text(text, encoding="utf-8")
    shutil.copytree(source / "images", html / "images", dirs_exist_ok=True)


def write_llms_txt(assembled: Assembled, source: Path) -> str:
    """Return llms.txt: what this is, and every page in Markdown with a line about it."""
    lines = [f"# {TITLE}", "", f"> {ABOUT}"]
    for title, pages in assembled.sections:
        lines += ["", f"## {title}", ""]
        for page in pages:
            heading = find_title((source / f"{page.name}.md").read_text(encoding="utf-8")).replace("`", "")
            lines.append(f"- [{heading}]({page.name}.md){f': {page.about}' if page.about else ''}")
    return "\n".join(lines) + "\n"
