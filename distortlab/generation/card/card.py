"""The card of a data set, README.md: `template.md` is the page, and this file has the values in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template

from distortlab import __version__
from distortlab.analysis.shortcuts import Shortcut, Shortcuts
from distortlab.dataset.composition import describe_kind, share_kinds
from distortlab.dataset.manifest import Entries
from distortlab.dataset.rows import SampleRow
from distortlab.dataset.schema import ALL_TABLES
from distortlab.distortions.catalog import FAMILIES, find
from distortlab.generation.card.front_matter import list_features, render_front_matter
from distortlab.generation.card.markdown import escape_cell, format_columns, format_counts, format_table
from distortlab.generation.card.provenance import describe_provenance
from distortlab.generation.plan import Plan
from distortlab.generation.report import Account
from distortlab.recipe import CompositionRules, Recipe
from distortlab.references import licenses
from distortlab.severity.human_scores import describe_basis, describe_severities
from distortlab.tasks.terms import DIFFICULTIES

__all__ = ["render_card"]

_FEW_IMAGES = 500
_IMAGE_ROWS = {
    "images": "a distorted image with its reference and regions",
    "labels": "a distorted image with its regions, without the pictures: those are in `rft`",
}
_MOST_LICENSES = 20


def render_card(
    plan: Plan,
    account: Account,
    files: Entries,
    blind: Shortcuts,
    samples: Sequence[SampleRow] = (),
) -> str:
    """Return the text of README.md.

    Parameters
    ----------
    plan
        What the data set was made from.
    account
        Its totals and counts.
    files
        The entries of the manifest; `datasets` compares the counts in the card with the files.
    blind
        Scores of predictors that see no pixels.
    samples
        Some rows of the samples table; the first of each task is shown.
    """
    page = Template(resources.files(__package__).joinpath("template.md").read_text(encoding="utf-8"))
    # Values are put in as they are: a `$` in one of them stands for nothing.
    return page.substitute(
        front_matter=render_front_matter(account, files, plan.source),
        version=__version__,
        **_describe_contents(plan, account, samples),
        **_describe_shortcuts(blind),
        **_describe_references(plan, account),
        **describe_provenance(plan),
    )


# --- what is in it --------------------------------------------------------------------------------------------------


def _describe_contents(plan: Plan, account: Account, samples: Sequence[SampleRow]) -> dict[str, str]:
    recipe, counts = plan.recipe, account.counts
    image_table = "images" if "images" in recipe.tables else "labels"
    severities = sorted(counts["severities"].items())
    return {
        "name": recipe.name,
        "images": f"{account.images:,}",
        "composition": _describe_composition(recipe, counts.get("kinds")),
        "kind_table": _render_kinds(recipe, counts.get("kinds")),
        "edit_limits": _describe_edit_limits(recipe),
        "questions": f"{account.samples:,}",
        "question_columns": format_columns(list(ALL_TABLES["rft"])),
        "image_table": image_table,
        "image_row": _IMAGE_ROWS[image_table],
        "image_columns": format_columns(list(list_features(image_table, account))),
        "splits": ", ".join(f"{split} {n:,}" for split, n in account.splits.items()),
        "task_table": format_table(("task", "questions"), sorted(counts["tasks"].items())),
        "negatives": _describe_controls(counts) + _describe_negatives(counts),
        "replaced_questions": _describe_replaced(counts),
        "examples": _render_examples(samples),
        "ladder": _describe_settings(recipe),
        "severities": ", ".join(f"severity {name}: {n:,}" for name, n in severities),
        "difficulties": _describe_difficulties(counts.get("difficulties", {})),
        "family_table": format_table(
            ("family", _name_edits(recipe), "share", "variants"), _family_rows(counts["variants"])
        ),
        "rejected_draws": f"{sum(counts['rejected'].values()):,}",
        "least_visibility": f"{recipe.visibility.minimum:g}",
        "human_scores": _describe_human_scores(recipe, counts["variants"]),
    }


def _describe_composition(recipe: Recipe, kinds: Mapping[str, int] | None) -> str:
    """What the images consist of: shares of those that were made."""
    shares: Mapping[str, float] = kinds or share_kinds(recipe.composition)
    if set(shares) == {"1"}:
        return ", each with one distortion in one region,"
    counts = sorted(int(kind) for kind in shares if kind.isdecimal())
    parts = {
        "pristine": shares.get("pristine", 0.0),
        describe_kind("whole"): shares.get("whole", 0.0),
        f"distorted in {_join_counts(counts)}": sum(shares[str(count)] for count in counts),
    }
    words = [f"{100 * share / sum(shares.values()):.1f} % {name}" for name, share in parts.items() if share]
    return f" ({', '.join(words)})"


def _join_counts(counts: Sequence[int]) -> str:
    """Name numbers of regions: "1 region", "1, 2 or 3 regions"."""
    *first, last = map(str, counts or (0,))
    return f"{', '.join(first)}{' or ' if first else ''}{last} region{'' if last == '1' else 's'}"


def _render_kinds(recipe: Recipe, kinds: Mapping[str, int] | None) -> str:
    """A table of kinds of images, with the shares that were asked for; nothing where all have one region."""
    if not kinds:
        return ""
    asked, total = share_kinds(recipe.composition), sum(kinds.values())
    names = sorted({*asked, *kinds}, key=lambda kind: (kind.isdecimal(), kind == "whole", kind))
    rows = [
        (describe_kind(kind), n, f"{100 * n / max(total, 1):.1f} %", f"{100 * asked.get(kind, 0.0):.1f} %")
        for kind, n in ((name, kinds.get(name, 0)) for name in names)
    ]
    return format_table(("images that are", "images", "share", "asked for"), rows) + "\n\n"


def _describe_controls(counts: Mapping[str, Mapping[str, int]]) -> str:
    """How many pristine images are controls, by kind."""
    controls = {kind: n for kind, n in counts.get("controls", {}).items() if n}
    if not controls:
        return ""
    parts = ", ".join(f"{n:,} {_CONTROLS[kind]}" for kind, n in sorted(controls.items()))
    return f"Of the {counts['kinds'].get('pristine', 0):,} pristine images {parts} (column `control`).\n\n"


_CONTROLS = {
    "seam": "went through the mask of a region and are changed so little that nobody sees it",
    "bokeh": "are of photographs partly out of focus",
    "low_light": "are of dark photographs",
    "motion": "are of photographs that are moved",
}


def _describe_negatives(counts: Mapping[str, Mapping[str, int]]) -> str:
    """How many questions about one region are about images that have none."""
    negatives = {task: n for task, n in counts.get("negatives", {}).items() if n}
    if not negatives:
        return ""
    shares = (f"{n:,} of {counts['tasks'][task]:,} of {task}" for task, n in sorted(negatives.items()))
    return (
        f"Pristine images are asked about a region as well, and the answer is None: {', '.join(shares)} questions.\n\n"
    )


def _describe_edit_limits(recipe: Recipe) -> str:
    """What stands among the limits about distortions of one image."""
    if recipe.composition == CompositionRules():
        return "One distortion per image."
    overlap = "regions may overlap" if recipe.composition.overlap else "regions are disjoint"
    return f"Of several distortions in one image, V of each is measured in the finished image; {overlap}."


def _name_edits(recipe: Recipe) -> str:
    return "images" if recipe.composition == CompositionRules() else "distortions"


def _describe_human_scores(recipe: Recipe, variants: Mapping[str, int]) -> str:
    """What people would say of the severities, and of which variants that was never asked."""
    if recipe.profile != "matched":
        return "Nobody was asked what people say of these severities."
    extrapolated = sorted(name for name in variants if describe_basis(name) == "-")
    rest = f" Extrapolated from other distortions for {', '.join(extrapolated)}." if extrapolated else ""
    return f"{describe_severities()} Fitted to KADID-10k, where people judged whole images.{rest}"


def _describe_difficulties(counts: Mapping[str, int]) -> str:
    """The paragraph about the column `difficulty`; nothing where no image has one."""
    shown = ", ".join(f"{name} {counts[name]:,}" for name in DIFFICULTIES if counts.get(name))
    if not shown:
        return ""
    left = f", not measured {counts['']:,}" if counts.get("") else ""
    return (
        f"Difficulty of telling the family, for a person who sees the reference as well: {shown}{left}\n"
        "(column `difficulty`; a model of a person, by variant and severity).\n\n"
    )


def _describe_settings(recipe: Recipe) -> str:
    """Where the settings of severities come from."""
    if recipe.severity == "ladder":
        return f"on the `{recipe.profile}` ladder"
    return f"by V in every region, within a factor of {recipe.tolerance:g} of their targets"


def _describe_replaced(counts: Mapping[str, Mapping[str, int]]) -> str:
    """What became of questions that were planned and could not be asked, or not well."""
    sentences = [
        f"{sum(reasons.values()):,} planned questions {fate} ({format_counts(reasons)})."
        for name, fate in (("replaced", "were replaced by one of another task"), ("left_out", "were left out"))
        if (reasons := counts.get(name))
    ]
    return "".join(f"{sentence}\n" for sentence in sentences)


def _render_examples(samples: Sequence[SampleRow]) -> str:
    """For every task its first question, with the solution."""
    first: dict[str, SampleRow] = {}
    for row in samples:
        first.setdefault(row["task"], row)
    return "\n".join(_render_example(task, row) for task, row in sorted(first.items()))


def _render_example(task: str, row: SampleRow) -> str:
    # A name of an object may be anything: four blanks make code of all that a Markdown reader could misread.
    prompt = "\n".join(f"    {line}".rstrip() for line in row["prompt"][0]["content"].splitlines())
    return f"`{task}`, e.g. `{row['sample_id']}`:\n\n{prompt}\n\n    solution: {row['solution']}\n"


def _family_rows(variants: Mapping[str, int]) -> list[tuple[str, int, str, str]]:
    """(family, distortions, share of all, its variants with their counts) of every family that there is."""
    total = max(sum(variants.values()), 1)
    groups: dict[str, Counter[str]] = {family: Counter() for family in FAMILIES}
    for name, count in variants.items():
        groups[find(name).family][find(name).variant] += count
    return [
        (family, group.total(), f"{100 * group.total() / total:.1f} %", format_counts(group))
        for family, group in groups.items()
        if group
    ]


# --- what can be won without looking --------------------------------------------------------------------------------


def _describe_shortcuts(blind: Shortcuts) -> dict[str, str]:
    rows = {(row.predictor, row.task): row for row in blind.rows}
    tasks = [task for task in blind.tasks if task != "grounding"]
    inputs = {row.predictor: row.sees for row in blind.rows if row.task != "grounding"}
    table = [(seen, *(_format_score(rows.get((name, task))) for task in tasks)) for name, seen in inputs.items()]
    return {
        "blind_images": f"{blind.images:,}",
        "blind_total": f"{blind.of:,}",
        "blind_verdict": _describe_leaks(blind),
        "blind_table": format_table(("who sees only", *tasks), table),
        "blind_boxes": _describe_boxes(rows),
    }


def _describe_leaks(blind: Shortcuts) -> str:
    if blind.leaks:
        return "Above chance: " + "; ".join(f"{row.task} from {row.sees}" for row in blind.leaks) + "."
    if blind.images < _FEW_IMAGES:
        return "So few images cannot tell much."
    return "Neither prompt nor metadata give anything away."


def _format_score(row: Shortcut | None) -> str:
    return "" if row is None else f"{row.score:.3f} ({row.chance:.3f} ± {row.margin:.3f})"


def _describe_boxes(rows: Mapping[tuple[str, str], Shortcut]) -> str:
    one_box, by_size = (rows.get((name, "grounding")) for name in ("one box", "image size"))
    if one_box is None or by_size is None:
        return ""
    return (
        f"Grounding: one box for all images has a mean IoU of {one_box.score:.3f} at best; if boxes of "
        f"these sizes lay\nanywhere it would be {one_box.chance:.3f}. "
        f"With the image's size it is {by_size.score:.3f}.\n\n"
    )


# --- references -----------------------------------------------------------------------------------------------------


def _describe_references(plan: Plan, account: Account) -> dict[str, str]:
    counts = account.counts
    return {
        "references": f"{sum(counts['references'].values()):,}",
        "license": plan.license,
        "metadata": _describe_metadata(plan.recipe),
        "license_table": _render_licenses(counts.get("licenses", {}), plan.license),
        "failed_references": str(account.failures),
        "opened_references": f"{account.opened:,}",
        "screened_references": format_counts(counts["screened"]),
    }


def _describe_metadata(recipe: Recipe) -> str:
    if recipe.references.keep_metadata:
        return "Their files keep their metadata, which can hold the place and time of a photograph."
    return "EXIF, XMP and comments were taken out of their files."


def _render_licenses(counts: Mapping[str, int], license_of_all: str) -> str:
    """What licenses ask for together, a table of them with their images, and a warning where some forbid changed
    versions; nothing where one license is that of all.
    """
    if set(counts) <= {license_of_all}:
        return ""
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    fixed = sum(count for text, count in rows if licenses.forbids_changes(text))
    warning = (
        f"\n\n**{fixed:,} images are made from references whose licence does not allow changed versions to be shared "
        "(NoDerivatives).** Ask for permission before you publish them, or leave them out:\n"
        '`references.licenses.deny = ["no-derivatives"]` in the recipe.'
        if fixed
        else ""
    )
    cells = [(escape_cell(text), count) for text, count in rows[:_MOST_LICENSES]]
    if len(rows) > _MOST_LICENSES:
        cells.append((f"{len(rows) - _MOST_LICENSES} others", sum(count for _, count in rows[_MOST_LICENSES:])))
    summary = escape_cell(licenses.summarize_terms(counts))
    return f"{summary}\n\n{format_table(('licence of the reference', 'images'), cells)}{warning}".lstrip()
