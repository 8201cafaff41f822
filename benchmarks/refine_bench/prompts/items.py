"""What is asked: the items of a set, without pixels until they are needed."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from distortlab.core.errors import BadReference, UserError
from distortlab.imaging.decode import read_bytes
from distortlab.tasks import diagnosis
from refine_bench import datasets
from refine_bench.datasets import ChoiceQuestion, RatedImage, RatedSet
from refine_bench.datasets.base import Facts
from refine_bench.prompts.protocols import Protocol, format_prompt

__all__ = ["ChoiceTruth", "Item", "ItemSet", "Pixels", "RatedTruth", "find_kind", "open_set", "slugify"]


class RatedTruth(TypedDict):
    """The truth of a rated image. `mos` and `sd` on 1-5, higher is better; `label` and `attributes` as in the file."""

    mos: float
    label: float
    sd: float | None
    n_ratings: int | None
    cluster: str | None
    kind: str | None
    image: str
    attributes: NotRequired[dict[str, float]]


class ChoiceTruth(TypedDict):
    """The truth of a multiple-choice question. `answer`: place of the right option, None where it is not public.

    Where options are shuffled, `of` is the question that is asked and `turn` by how many places they are rotated.
    """

    answer: int | None
    options: list[str]
    question: str
    groups: dict[str, str]
    image: str
    of: NotRequired[str]
    turn: NotRequired[int]


@dataclass(frozen=True, slots=True)
class Item:
    """A question and its truth. `truth` goes into the run, so that it can be scored where the data are not."""

    id: str
    prompt: str
    truth: Mapping[str, Any]
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pixels:
    """The files that go with an item. `reference`: the clean image, where there is one."""

    images: tuple[bytes, ...]
    reference: bytes | None = None


@dataclass(frozen=True, slots=True)
class ItemSet:
    """A set, ready to be asked. `load_pixels()` yields (item, its files or a sentence why not), each item once, in any
    order. `expected`: items of the whole variant, those that had to be left out among them.
    """

    name: str
    kind: str
    items: tuple[Item, ...]
    sha256: str
    load_pixels: Callable[[], Iterator[tuple[Item, Pixels | str]]]
    expected: int
    problems: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def slugify(text: str) -> str:
    """Return a name as part of a file name: lower case, with hyphens for what is no letter, digit or dot."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "set"


def find_kind(text: str) -> str:
    """Return the kind of a set: "rated", "choice", "describe" or "local"."""
    return "local" if text.partition(":")[0] == "local" else datasets.parse_spec(text).facts.kind


def open_set(text: str, data: Path | None, protocol: Protocol) -> ItemSet:
    """Open a set under a protocol.

    Parameters
    ----------
    text
        The set and its variant, e.g. "koniq:all" or "local:data/+test".
    data
        The folder that holds it; None for the current one.
    protocol
        How it will be asked.

    Raises
    ------
    UserError
        Where the set is not there, or the protocol is for another kind of set.
    """
    kind = find_kind(text)
    if protocol.kind not in (kind, "any"):
        raise UserError(f"the protocol {protocol.name} is for {protocol.kind} sets; {text} is {kind}")
    if kind == "local":
        return _open_local(text, protocol)
    root = data if data is not None else Path()
    if kind == "rated":
        return _open_rated(datasets.load(text, root, strict=False), protocol)
    found = datasets.load_questions(text, root, strict=False)
    items = tuple(_make_choice_item(row, protocol) for row in found.rows)
    paths = {item.id: row.images for item, row in zip(items, found.rows, strict=True)}
    return ItemSet(
        name=str(found.spec),
        kind=kind,
        items=items,
        sha256=found.sha256,
        load_pixels=partial(_read_pixels, items, paths, {}),
        expected=found.expected or len(found.rows) + len(found.problems),
        problems=tuple(map(str, found.problems)),
        facts=_describe_facts(found.spec.facts),
    )


def _open_rated(found: RatedSet, protocol: Protocol) -> ItemSet:
    prompt = format_prompt(protocol)
    items = tuple(Item(row.name, prompt, _format_rated_truth(row, found)) for row in found.rows)
    paths = {row.name: (row.image,) for row in found.rows}
    references = {row.name: row.reference for row in found.rows if row.reference is not None}
    return ItemSet(
        name=str(found.spec),
        kind="rated",
        items=items,
        sha256=found.sha256,
        load_pixels=partial(_read_pixels, items, paths, references),
        expected=found.expected or len(found.rows) + len(found.problems),
        problems=tuple(map(str, found.problems)),
        facts={
            **_describe_facts(found.spec.facts),
            "references": bool(references),
            "low": found.scale.low,
            "high": found.scale.high,
            "direction": "up" if found.scale.higher_is_better else "down",
        },
    )


def _format_rated_truth(row: RatedImage, found: RatedSet) -> RatedTruth:
    """The opinion on 1-5, higher is better; the label as it stands in the file beside it."""
    width = found.scale.high - found.scale.low
    truth: RatedTruth = {
        "mos": found.five(row.mos),
        "label": row.mos,
        "sd": None if row.sd is None else row.sd * 4.0 / width,
        "n_ratings": row.n_ratings,
        "cluster": row.reference_id,
        "kind": row.kind,
        "image": str(row.image),
    }
    if row.attributes:
        truth["attributes"] = dict(row.attributes)
    return truth


def _make_choice_item(row: ChoiceQuestion, protocol: Protocol) -> Item:
    truth: ChoiceTruth = {
        "answer": row.answer,
        "options": list(row.options),
        "question": row.question,
        "groups": dict(row.groups),
        "image": str(row.images[0]),
    }
    return Item(row.name, format_prompt(protocol, row.question, row.options), truth, row.options)


def _open_local(text: str, protocol: Protocol) -> ItemSet:
    from refine_bench.datasets import local

    folder, plus, split = text.partition(":")[2].rpartition("+")
    if not plus:
        folder, split = split, ""
    if not folder:
        raise UserError("local needs a folder: local:data/")
    root = Path(folder).expanduser()  # a shell leaves local:~/data alone
    split = local.choose_split(root, split or None)
    view = {"any": "severity"}.get(protocol.kind) or ("diagnosis" if protocol.name == "diagnosis" else "tasks")
    name, sha256 = local.identify_data(root)
    question = diagnosis.question("thousandths") if view == "diagnosis" else ""
    items = tuple(
        Item(item.id, format_prompt(protocol, item.question or question), item.truth)
        for item in local.list_items(root, split, view)
    )
    if not items:
        raise UserError(f"{text}: nothing to ask in the split {split}")
    return ItemSet(
        name=f"local:{name}+{split}" + ("" if view == "tasks" else f"+{view}"),
        kind="local" if view == "tasks" else view,
        items=items,
        sha256=sha256,
        load_pixels=partial(_load_local_pixels, items, root, split, view),
        expected=len(items),
        facts={
            "title": f"{name}, {split}",
            "folder": str(root.resolve()),
            "split": split,
            "references": view == "severity",
        },
    )


def _load_local_pixels(
    items: tuple[Item, ...], root: Path, split: str, view: str
) -> Iterator[tuple[Item, Pixels | str]]:
    from refine_bench.datasets import local

    by_id = {item.id: item for item in items}
    for key, images, reference in local.load_images(root, split, view):
        if key in by_id:
            yield by_id[key], Pixels(images, reference)


def _read_pixels(
    items: tuple[Item, ...], paths: Mapping[str, tuple[Path, ...]], references: Mapping[str, Path]
) -> Iterator[tuple[Item, Pixels | str]]:
    for item in items:
        try:
            reference = references.get(item.id)
            clean = read_bytes(reference) if reference is not None else None
            yield item, Pixels(tuple(read_bytes(path) for path in paths[item.id]), clean)
        except BadReference as error:
            yield item, str(error)


def _describe_facts(facts: Facts) -> dict[str, Any]:
    return {"title": facts.title, "citation": facts.citation, "url": facts.url, "notes": list(facts.notes)}
