"""How a data set lies on disk: its format, the layouts, and where things are in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from distortlab.core.errors import BadRecipe, UserError, describe_unknown
from distortlab.dataset.schema import IMAGES, LABELS, RFT, SAMPLES, Features, add_control, value_feature

__all__ = [
    "ARCHIVE",
    "FORMAT",
    "FULL",
    "LAYOUTS",
    "PLAN_PATH",
    "QUESTIONS",
    "Layout",
    "choose_layout",
    "find_layout",
    "get_layout",
]

FORMAT = 1
"""The version of the files of a data set. Readers refuse a newer one."""
PLAN_PATH = "_distortlab/plan.json"
"""Where a data set says what it was made from."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A way to lay out a data set on disk. There is one instance of each, also after pickling: compare with `is`.

    Attributes
    ----------
    name
        What plans and manifests call it, and `generate(store=...)` where it is one of `LAYOUTS`.
    title
        What an error calls a data set of this layout.
    tables
        The tables that are written shard by shard, with their features: folder of the table -> features.
    image_table, question_table
        Which of the tables has a row per image, and which a row per question.
    has_samples
        Whether a finished data set also has the table `samples`, one file for each split.
    needs_references
        Whether it cannot be written without the clean images.
    """

    name: str
    title: str
    tables: Mapping[str, Features]
    image_table: str
    question_table: str
    has_samples: bool
    needs_references: bool

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of all its tables."""
        return (*self.tables, "samples") if self.has_samples else tuple(self.tables)

    def list_tables(self, with_controls: bool) -> Mapping[str, Features]:
        """`tables`, with the column `control` in that of the images where a recipe asks for controls."""
        if not with_controls:
            return self.tables
        return {**self.tables, self.image_table: add_control(self.tables[self.image_table])}

    @property
    def manifest_entry(self) -> dict[str, str]:
        """What a plan or a manifest says about the layout: nothing for the full one."""
        return {} if self is FULL else {"store": self.name}

    def __reduce__(self) -> tuple[object, ...]:
        return _get_by_name, (self.name,)


FULL = Layout(
    name="full",
    title="a data set in full",
    tables={"images": IMAGES, "rft": RFT},
    image_table="images",
    question_table="rft",
    has_samples=True,
    needs_references=False,
)
"""Whole images, ready to be loaded."""

QUESTIONS = Layout(
    name="rft",
    title="a data set without the table images",
    tables={"labels": LABELS, "rft": RFT},
    image_table="labels",
    question_table="rft",
    has_samples=True,
    needs_references=False,
)
"""Every picture once, in the questions; what `images` says beside its pictures is in `labels`."""

_PATCHES: Features = {
    **LABELS,
    "patch": IMAGES["image"],
    "reference_row": value_feature("int32"),
}
_REFERENCES: Features = {"reference_id": IMAGES["reference_id"], "reference": IMAGES["reference"]}

ARCHIVE = Layout(
    name="patch",
    title="an archive of patches",
    tables={"patches": _PATCHES, "references": _REFERENCES, "questions": SAMPLES},
    image_table="patches",
    question_table="questions",
    has_samples=False,
    needs_references=True,
)
"""A row per image with the patch that differs from its reference, a row per reference (`reference_row` counts them in
the file of the same name), and `rft` without the images. `materialize` makes the full layout from it.
"""

LAYOUTS: Mapping[str, Layout] = {layout.name: layout for layout in (FULL, ARCHIVE)}
_ALL: Mapping[str, Layout] = {**LAYOUTS, QUESTIONS.name: QUESTIONS}


def find_layout(name: str) -> Layout:
    """Return the layout of a name. Raises `UserError` for a name that does not exist."""
    if name not in LAYOUTS:
        raise UserError(describe_unknown("way to store", name, LAYOUTS))
    return LAYOUTS[name]


def choose_layout(store: str, tables: Sequence[str]) -> Layout:
    """Return the layout for a way to store and the tables that a recipe asks for.

    Raises
    ------
    UserError
        For a way that does not exist.
    BadRecipe
        For an archive of less than both tables.
    """
    layout = find_layout(store)
    if "images" in tables:
        return layout
    if layout is not FULL:
        raise BadRecipe(
            f"tables = {list(tables)} leaves images out, which an archive cannot: it holds no picture twice"
        )
    return QUESTIONS


def get_layout(stored: object) -> Layout:
    """Return the layout that a plan or a manifest names: the full one where it names none, or cannot be read."""
    name = stored.get("store") if isinstance(stored, Mapping) else None
    return _ALL.get(name, FULL) if isinstance(name, str) else FULL


def _get_by_name(name: str) -> Layout:
    return _ALL[name]
