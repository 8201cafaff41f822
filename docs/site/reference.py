"""The reference: commands from their `--help`, keys of configurations and recipes, functions from their docstrings."""

from pathlib import Path
from typing import NamedTuple

from navigation import Page, Section
from reference_api import PACKAGES, write_copy, write_directives
from reference_commands import PROGRAMS, write_program
from reference_keys import write_config, write_recipe

__all__ = ["Reference", "make_reference"]


class Reference(NamedTuple):
    """A section, the text of its pages by name, and the text of the copies of those that Sphinx fills in itself."""

    section: Section
    pages: dict[str, str]
    copies: dict[str, str]


def make_reference(root: Path) -> Reference:
    """Return the reference of the code of a checkout."""
    about, pages, copies = list[Page](), dict[str, str](), dict[str, str]()

    def add(name: str, line: str, text: str, copy: str | None = None) -> None:
        about.append(Page(f"reference/{name}", "", line))
        pages[f"reference/{name}"] = text
        if copy is not None:
            copies[f"reference/{name}"] = copy

    for program in PROGRAMS:
        add(f"{program.page}-commands", f"commands and options of {program.name}", write_program(program))
    add("recipe", "every key of a recipe, with its default", write_recipe(root))
    add("config", "every key of a configuration of training", write_config())
    for package in PACKAGES:
        add(package.page, package.about, write_directives(package), write_copy(package))
    return Reference(Section("Reference", tuple(about)), pages, copies)
