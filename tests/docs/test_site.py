"""The site before Sphinx builds it: where links lead, what the reference says, which faults of pages are found."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "site"


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    """The sources of the site as they are, and what is in them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        from assemble import assemble

        out = tmp_path_factory.mktemp("site")
        return out, assemble(ROOT, out)


def test_links_are_moved_and_code_is_left_alone() -> None:
    from page_links import rewrite_links

    page = "[a](b.md#c) ![p](x/y.png) `[a](b.md)`\n```\n[a](b.md)\n```\n[w](https://x.org/b.md) [h](#here)\n"
    moved = rewrite_links(page, lambda target: f"up/{target}")
    assert moved == page.replace("(b.md#c)", "(up/b.md#c)").replace("(x/y.png)", "(up/x/y.png)")


def test_links_of_all_pages_lead_within_the_site(site: tuple[Path, object]) -> None:
    from check_links import find_links, find_problem

    out, _ = site
    pages = sorted(out.rglob("*.md"))
    wrong = [
        f"{page.relative_to(out)}: {link.target} {problem}"
        for page in pages
        for link in find_links(page.read_text(encoding="utf-8"))
        if (problem := find_problem(out, page, link.target))
    ]
    assert pages
    assert wrong == []


def test_every_page_is_in_the_navigation_and_in_llms_txt_once(site: tuple[Path, object]) -> None:
    from page_copies import write_llms_txt

    out, assembled = site
    text = write_llms_txt(assembled, out)
    names = [page.name for section in assembled.sections for page in section.pages]  # type: ignore[attr-defined]
    pages = {path.relative_to(out).with_suffix("").as_posix() for path in out.rglob("*.md")}
    decisions = {name for name in pages if name.startswith("decisions/") and name != "decisions/index"}
    assert sorted(names) == sorted(pages - decisions - {"index"})
    assert all(text.count(f"]({name}.md)") == 1 for name in names)
    assert text.startswith("# Refine-IQA, open\n\n> ")


def test_a_page_that_no_section_names_stands_at_the_end(tmp_path: Path) -> None:
    from navigation import find_sections

    (tmp_path / "docs" / "decisions").mkdir(parents=True)
    for name in ("index", "start", "news", "decisions/0001-a"):
        (tmp_path / "docs" / f"{name}.md").write_text("# A page\n")
    pages = {title: [page.name for page in pages] for title, pages in find_sections(tmp_path) if pages}
    assert pages == {"Start": ["start"], "More": ["news"]}


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    from assemble import assemble

    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[away](start.md)\n")
    with pytest.raises(SystemExit, match=r"docs/index\.md: the link to start\.md leads nowhere"):
        assemble(tmp_path, tmp_path / "out")


def test_the_reference_has_every_command_every_key_and_every_function(site: tuple[Path, object]) -> None:
    import distortlab
    from distortlab.cli import app
    from refine_iqa_train.config.schema import Config

    out, assembled = site
    commands = (out / "reference" / "distortlab-commands.md").read_text(encoding="utf-8")
    assert all(f"\n## {command.name or command.callback.__name__}\n" in commands for command in app.registered_commands)
    assert "| `--max-failures <float>` | Share of images not made" in commands
    keys = (out / "reference" / "config.md").read_text(encoding="utf-8")
    assert all(f"\n| `{field}` | " in keys for field in Config.__dataclass_fields__)
    assert "| `validation.every` | Steps between two validations; 0: never. *whole number, default `100`.* |" in keys
    directives = (out / "reference" / "distortlab.md").read_text(encoding="utf-8")
    copy = assembled.copies["reference/distortlab"]  # type: ignore[attr-defined]
    for name in set(distortlab.__all__) - {"CATALOG"}:
        assert f":: distortlab.{name}\n" in directives
        assert f"### distortlab.{name}\n" in copy


def test_keys_that_share_a_description_all_have_it() -> None:
    from reference_keys import read_parameters

    sections = ("What.", "    Parameters", "    ----------", "    a, b", "        One", "        text.", "    c")
    text = "\n".join([*sections, "        Other.", "", "    Notes", "    -----", "    n"])
    assert read_parameters(text) == {"a": "One text.", "b": "One text.", "c": "Other."}


def test_docstrings_are_text_with_code_in_it() -> None:
    from reference_api import escape_markup

    text = ['Runs such as "runs/*", a|b, `x*y`, ``a|b`` and name_.', "", ">>> 2 * 3", "6", "", "*args"]
    escaped = ['Runs such as "runs/\\*", a\\|b, `x*y`, ``a|b`` and name\\_.', "", ">>> 2 * 3", "6", "", "\\*args"]
    assert escape_markup(text) == escaped


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="b.html#there">b</a><img src="p.png" alt="p">', None),
        ('<a href="c.html">c</a>', "a.html: c.html is not there"),
        ('<a href="b.html#where">b</a>', "a.html: b.html#where has no such anchor"),
        ('<a href="#where">b</a>', "a.html: #where has no such anchor"),
        ('<img src="p.png" alt="">', "a.html: the picture p.png has no text"),
        ('<script src="http://x.org/x.js"></script>', "a.html: http://x.org/x.js loads from elsewhere"),
        ('<a href="https://x.org">x</a>', None),
    ],
)
def test_faults_of_built_pages(body: str, problem: str | None, tmp_path: Path) -> None:
    from check_html import find_problems

    (tmp_path / "a.html").write_text(body)
    (tmp_path / "b.html").write_text('<p id="there">')
    (tmp_path / "p.png").write_bytes(b"")
    assert find_problems(tmp_path) == ([problem] if problem else [])
