"""A run on ladders: every image is made, measured and asked about once; what is there already is not made again."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from distortlab.core.errors import UserError
from distortlab.imaging.encode import encode_png
from refine_bench.datasets.ladders import LadderItem, identify_ladders
from refine_bench.models import Model
from refine_bench.models.baselines import MEASURES
from refine_bench.prompts.items import Item, ItemSet, Pixels, slugify
from refine_bench.prompts.protocols import DEFAULTS, PROTOCOLS, Protocol, find_protocol, format_prompt
from refine_bench.runs.inference import SetPlan, choose_readers
from refine_bench.runs.readers import Reader
from refine_bench.runs.store import AnswerLog, read_lines

__all__ = ["KIND", "LadderPlan", "LadderTruth", "plan_ladders", "read_visibilities"]

KIND = "sensitivity"
"""The kind of such a set."""


class LadderTruth(TypedDict):
    """What an image of a ladder is: a `copy` of its photograph, or `variant` at `amount`, the `step`-th from 0."""

    photograph: str
    copy: str | None
    variant: str | None
    step: int
    amount: float | None


@dataclass(frozen=True, slots=True)
class LadderPlan:
    """What is asked. `done`: answers that the folder has; `megapixels`: of the images that are still to be shown."""

    plan: SetPlan
    entry: str
    done: int
    megapixels: float

    @property
    def left(self) -> int:
        """Answers that are still to come."""
        return self.plan.total - self.done


def plan_ladders(
    model: Model,
    items: Sequence[LadderItem],
    folder: Path,
    title: str,
    *,
    protocol: str | None = None,
    samples: int | None = None,
    reader: str = "auto",
) -> LadderPlan:
    """Plan what a model is asked about ladders; nothing is made and nothing is asked yet.

    Parameters
    ----------
    model
        The model; measures of quality are given the images, others are asked for the quality of each.
    items
        The images.
    folder
        The run's folder: what it has answers and measurements of is left out.
    title
        What the set is called, e.g. "3 photographs of scenes".
    protocol, samples, reader
        As in `plan_sets`.

    Raises
    ------
    UserError
        For a protocol that does not ask for the quality of an image.
    """
    chosen = _choose_protocol(model, protocol)
    decoding = chosen.decoding if samples is None else replace(chosen.decoding, samples=samples)
    if decoding.samples > 1 and decoding.temperature == 0:
        raise UserError(f"{chosen.name} decodes greedily: {decoding.samples} samples would be one and the same")
    name = f"ladders:{title}"
    entry = slugify(f"{name}-{chosen.name}")
    done = _find_done(folder, entry, decoding.samples)
    prompt = format_prompt(chosen)
    asked = tuple(Item(item.id, prompt, _make_truth(item)) for item in items)
    item_set = ItemSet(
        name=name,
        kind=KIND,
        items=asked,
        sha256=hashlib.sha256(identify_ladders(items).encode()).hexdigest(),
        load_pixels=lambda: _make_images(items, asked, done, folder, entry, _needs_reference(model)),
        expected=len(items),
        facts={"title": title, "references": True},
    )
    usual = SetPlan(item_set, chosen, Reader(chosen.reader, decoding), len(items) * decoding.samples)
    plan = choose_readers(model, [usual], reader)[0]
    left = [item for item in items if item.id not in done]
    megapixels = sum(item.photograph.image[..., 0].size for item in left) * decoding.samples / 1e6
    return LadderPlan(plan, entry, (len(items) - len(left)) * decoding.samples, megapixels)


def _choose_protocol(model: Model, name: str | None) -> Protocol:
    if model.about["kind"] == "measure":
        return PROTOCOLS["metric"]
    chosen = find_protocol(name or DEFAULTS["rated"])
    if chosen.kind != "rated":
        raise UserError(f"{chosen.name} is for {chosen.kind} sets; what is asked here is the quality of an image")
    return chosen


def _needs_reference(model: Model) -> bool:
    return model.spec in MEASURES and MEASURES[model.spec].pair


def _make_truth(item: LadderItem) -> LadderTruth:
    return {
        "photograph": item.photograph.id,
        "copy": item.copy,
        "variant": item.variant,
        "step": item.step,
        "amount": item.amount,
    }


# --- what is there ---------------------------------------------------------------------------------------------------


def _visibility_file(folder: Path, entry: str) -> Path:
    return folder / "visibility" / f"{entry}.jsonl"


def read_visibilities(folder: Path, entry: str) -> dict[str, float]:
    """How visible each item of a run is, by its name."""
    return {row["key"]: float(row["v"]) for row in read_lines(_visibility_file(folder, entry))}


def _find_done(folder: Path, entry: str, samples: int) -> frozenset[str]:
    """The items that were measured, and have an answer to every sample. That they are the same items is the hash's
    affair, with which the set is entered into the run.
    """
    lines = read_lines(folder / "answers" / f"{entry}.jsonl")
    answers = Counter(row["item"] for row in lines if row.get("error") is None)
    return frozenset(item for item in read_visibilities(folder, entry) if answers[item] >= samples)


def _make_images(
    items: Sequence[LadderItem],
    asked: Sequence[Item],
    done: frozenset[str],
    folder: Path,
    entry: str,
    with_reference: bool,
) -> Iterator[tuple[Item, Pixels | str]]:
    """Make what is left, one after the other, and write down how visible each is."""
    references: dict[tuple[str, bool], bytes] = {}
    with closing(AnswerLog(_visibility_file(folder, entry))) as log:
        for item, question in zip(items, asked, strict=True):
            if item.id in done:
                continue
            made, key = item.render(), (item.photograph.id, item.copy == "mirrored")
            if item.id not in log.done:
                log.append({"key": item.id, "v": made.v})
            if with_reference and key not in references:
                references[key] = encode_png(made.reference)
            yield question, Pixels((encode_png(made.image),), references.get(key))
