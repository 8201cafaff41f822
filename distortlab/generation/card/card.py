"""The card of a data set: README.md with the YAML that the Hub and `datasets` read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from distortlab import __version__
from distortlab.analysis.shortcuts import Shortcut, Shortcuts
from distortlab.dataset.schema import TABLES
from distortlab.distortions.catalog import FAMILIES, find
from distortlab.generation.card.provenance import how_made
from distortlab.generation.plan import Plan
from distortlab.generation.report import Account
from distortlab.recipe import Recipe
from distortlab.references import licenses

__all__ = ["card"]

_TELLING = 500
_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M")


def card(
    plan: Plan,
    account: Account,
    files: Mapping[str, Mapping[str, Any]],
    blind: Shortcuts,
    samples: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The text of README.md. `files` are those of the manifest; `datasets` checks the counts. `samples`: some rows of
    the samples table, from which one is shown for every task.
    """
    return f"---\n{_front_matter(account, files)}---\n\n{_body(plan, account, blind, samples)}"


# --- YAML -----------------------------------------------------------------------------------------------------------


def _front_matter(account: Account, files: Mapping[str, Mapping[str, Any]]) -> str:
    configs, info = "", ""
    for name, of in TABLES.items():
        configs += f"- config_name: {name}\n" + ("  default: true\n" if name == "rft" else "") + "  data_files:\n"
        info += f"- config_name: {name}\n  features:\n{_feature_list(of, 2)}  splits:\n"
        total = 0
        for split in account.splits:
            mine = [f for path, f in files.items() if path.startswith(f"{name}/{split}-")]
            size, rows = sum(f["bytes"] for f in mine), sum(f["rows"] for f in mine)
            total += size
            configs += f"  - split: {split}\n    path: {name}/{split}-*.parquet\n"
            info += f"  - name: {split}\n    num_bytes: {size}\n    num_examples: {rows}\n"
        info += f"  download_size: {total}\n  dataset_size: {total}\n"
    size = _SIZES[min(len(str(max(account.samples, 1) // 1000)) if account.samples >= 1000 else 0, len(_SIZES) - 1)]
    return (
        f"{licenses.front_matter(account.counts.get('licenses', {}))}language:\n- en\n"
        f"pretty_name: Locally distorted images ({account.images:,})\nsize_categories:\n- {size}\n"
        "task_categories:\n- image-text-to-text\n- visual-question-answering\n"
        "tags:\n- image-quality-assessment\n- synthetic\n- grpo\n- distortlab\n"
        f"configs:\n{configs}dataset_info:\n{info}"
    )


def _feature_list(of: Mapping[str, Any], indent: int) -> str:
    pad = " " * indent
    return "".join(f"{pad}- name: {name}\n{_feature(feature, indent + 2)}" for name, feature in of.items())


def _feature(feature: Mapping[str, Any], indent: int) -> str:
    """A feature as the card spells it: `dtype: string`, `list: image`, `struct:` with a list of fields."""
    pad = " " * indent
    kind = feature.get("_type")
    if kind == "Image":
        return f"{pad}dtype: image\n"
    if kind == "Value":
        return f"{pad}dtype: {feature['dtype']}\n"
    if kind == "List":
        inner = feature["feature"]
        length = f"{pad}length: {feature['length']}\n" if "length" in feature else ""
        if inner.get("_type") in ("Value", "Image"):
            return f"{pad}list: {inner.get('dtype', 'image')}\n{length}"
        return f"{pad}list:\n{_feature_list(inner, indent)}{length}"
    return f"{pad}struct:\n{_feature_list(feature, indent)}"


# --- text -----------------------------------------------------------------------------------------------------------


def _body(plan: Plan, account: Account, blind: Shortcuts, samples: Sequence[Mapping[str, Any]]) -> str:
    recipe, counts = plan.recipe, account.counts
    return f"""# {recipe.name}

{account.images:,} images, each with one distortion in one region, and {account.samples:,} questions about them, for
teaching vision-language models to see image quality: what kind of distortion, how severe, of what, where. Made by
`distortlab` {__version__}. Every row of `images` holds the recipe of its image and can be rendered again:
`distortlab verify` does.

```python
from datasets import load_dataset

questions = load_dataset("<this data set>")             # or the path of this folder
images = load_dataset("<this data set>", "images")
```

| config | a row is | columns |
|---|---|---|
| `rft` (default) | a question | {", ".join(f"`{name}`" for name in TABLES["rft"])} |
| `images` | a distorted image with its reference and regions | {", ".join(f"`{name}`" for name in TABLES["images"])} |
| `samples` | a question without image bytes | as `rft`, without `images` |

Boxes are `[x1, y1, x2, y2]` in pixels of the stored image, x2 and y2 exclusive. Splits share no reference image:
{", ".join(f"{split} {n:,}" for split, n in account.splits.items())}.

## Tasks

{_table(("task", "questions"), sorted(counts["tasks"].items()))}

{_replaced(counts)}
{_examples(samples)}
## Distortions

Severities on the `{recipe.profile}` ladder; {_severities(counts["severities"])}.

{_table(("family", "images", "share", "variants"), _families(counts["variants"]))}

No label without an effect: {sum(counts["rejected"].values()):,} draws were rejected, because the change could not be
seen (V below {recipe.visibility.minimum:g}), went the wrong way, or the region had nothing for it to act on. V is a
model of visibility, not a study with people.

## Shortcuts

{_shortcuts(blind)}

## References and licence

{sum(counts["references"].values()):,} reference images were used. {plan.license} Where each is from is in
`reference_source`, its licence in `reference_license`; a distorted image is under the licence of its
reference. {_metadata(recipe)}

{_licences(counts.get("licenses", {}), plan.license)}

{account.failures} of the {account.opened:,} that were opened could not be used; screened out:
{_listed(counts["screened"])}.

## How it was made

{how_made(plan)}
## Known limits

The Hub's viewer shows JPEG thumbnails: for the pixels themselves load the files, which are lossless. One distortion
per image. Severity is a setting of the generator, matched across variants on average, not in every region.

## Citation

The data set follows Refine-IQA, whose own data were not released; please cite the paper, and the sources of the
references.

```bibtex
@article{{refineiqa2025,
  title   = {{Refine-IQA: Multi-Stage Reinforcement Finetuning for Perceptual Image Quality Assessment}},
  journal = {{arXiv preprint arXiv:2508.03763}},
  year    = {{2025}}
}}
```
"""


def _replaced(counts: Mapping[str, Mapping[str, int]]) -> str:
    """What became of questions that were planned and could not be asked, or not well."""
    told = [
        f"{sum(reasons.values()):,} planned questions {fate} ({_listed(reasons)})."
        for name, fate in (("replaced", "were replaced by one of another task"), ("left_out", "were left out"))
        if (reasons := counts.get(name))
    ]
    return "".join(f"{sentence}\n" for sentence in told)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in cells)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _severities(counts: Mapping[str, int]) -> str:
    return ", ".join(f"severity {k}: {n:,}" for k, n in sorted(counts.items()))


def _families(variants: Mapping[str, int]) -> list[tuple[str, int, str, str]]:
    whole = max(sum(variants.values()), 1)
    groups: dict[str, Counter[str]] = {family: Counter() for family in FAMILIES}
    for name, count in variants.items():
        groups[find(name).family][find(name).variant] += count
    return [
        (
            family,
            sum(group.values()),
            f"{100 * sum(group.values()) / whole:.1f} %",
            ", ".join(f"{name} {n:,}" for name, n in sorted(group.items())),
        )
        for family, group in groups.items()
        if group
    ]


def _shortcuts(blind: Shortcuts) -> str:
    """What can be won without looking."""
    rows = {(row.predictor, row.task): row for row in blind.rows}
    tasks = [task for task in blind.tasks if task != "grounding"]
    seen = {row.predictor: row.sees for row in blind.rows if row.task != "grounding"}
    table = _table(
        ("who sees only", *tasks),
        [(sees, *(_score(rows.get((name, task))) for task in tasks)) for name, sees in seen.items()],
    )
    return f"""What is won without looking: mean score by `distortlab.tasks` (chance ± half its 95 % interval), learned
from other references than those it was tried on; {blind.images:,} of {blind.of:,} images. {_verdict(blind)}

{table}

{_positions(rows)}Files are lossless, so their length tells something of the pixels in them: noise packs badly. A model
is not shown it."""


def _verdict(blind: Shortcuts) -> str:
    if blind.leaks:
        return "Above chance: " + "; ".join(f"{row.task} from {row.sees}" for row in blind.leaks) + "."
    if blind.images < _TELLING:
        return "So few images cannot tell much."
    return "Neither prompt nor metadata give anything away."


def _score(row: Shortcut | None) -> str:
    return "" if row is None else f"{row.score:.3f} ({row.chance:.3f} ± {row.margin:.3f})"


def _positions(rows: Mapping[tuple[str, str], Shortcut]) -> str:
    one, shaped = (rows.get((name, "grounding")) for name in ("one box", "image size"))
    if one is None or shaped is None:
        return ""
    return (
        f"Grounding: one box for all images has a mean IoU of {one.score:.3f} at best; if boxes of these sizes lay\n"
        f"anywhere it would be {one.chance:.3f}. With the image's size it is {shaped.score:.3f}.\n\n"
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(counts.items())) or "none"


# --- what a stranger wants to know ----------------------------------------------------------------------------------

_LICENCES = 20


def _examples(samples: Sequence[Mapping[str, Any]]) -> str:
    """For every task its first question, with the solution."""
    first: dict[str, Mapping[str, Any]] = {}
    for row in samples:
        first.setdefault(row["task"], row)
    return "\n".join(_example(task, row) for task, row in sorted(first.items()))


def _example(task: str, row: Mapping[str, Any]) -> str:
    # A name of an object may be anything: four blanks make code of all that a Markdown reader could misread.
    prompt = "\n".join(f"    {line}".rstrip() for line in row["prompt"][0]["content"].splitlines())
    return f"`{task}`, e.g. `{row['sample_id']}`:\n\n{prompt}\n\n    solution: {row['solution']}\n"


def _metadata(recipe: Recipe) -> str:
    if recipe.references.keep_metadata:
        return "Their files keep their metadata, which can hold the place and time of a photograph."
    return "EXIF, XMP and comments were taken out of their files."


def _licences(counts: Mapping[str, int], all_of_them: str) -> str:
    if set(counts) <= {all_of_them}:
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
    shown = [(_in_cell(text), count) for text, count in rows[:_LICENCES]]
    if len(rows) > _LICENCES:
        shown.append((f"{len(rows) - _LICENCES} others", sum(count for _, count in rows[_LICENCES:])))
    return _table(("licence of the reference", "images"), shown) + warning


def _in_cell(text: str) -> str:
    """Text from elsewhere, so that it cannot end a cell or a table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
