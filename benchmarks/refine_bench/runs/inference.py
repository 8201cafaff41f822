"""Asking: items become requests, responses become lines of a run. What is there already is not asked again."""

import contextlib
import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from distortlab.core.errors import Interrupted, UserError
from distortlab.core.seeds import stream
from refine_bench.models import Model, Request, Response
from refine_bench.prompts.answers import Answer
from refine_bench.prompts.items import Item, ItemSet, Pixels, find_kind, open_set
from refine_bench.prompts.protocols import DEFAULTS, PROTOCOLS, Decoding, Protocol, find_protocol
from refine_bench.runs.environment import describe_environment
from refine_bench.runs.readers import Reader, check_choice, choose_reader, find_needs
from refine_bench.runs.store import AnswerLog, Run, hash_request

__all__ = ["SetPlan", "ask_model", "choose_readers", "plan_sets"]


@dataclass(frozen=True, slots=True)
class SetPlan:
    """One set to be asked, and how. `total`: answers that will be there when all is done."""

    item_set: ItemSet
    protocol: Protocol
    reader: Reader
    total: int

    @property
    def decoding(self) -> Decoding:
        """How its answers are drawn."""
        return self.reader.decoding


def plan_sets(
    model: Model,
    sets: Sequence[str],
    data: Path | None,
    *,
    protocol: str | None = None,
    samples: int | None = None,
    limit: int | None = None,
    shard: tuple[int, int] | None = None,
    shuffle: bool = False,
    reader: str = "auto",
) -> list[SetPlan]:
    """Plan what a model is asked; nothing is asked yet.

    Parameters
    ----------
    model
        The model.
    sets
        Sets and their variants, e.g. "koniq:all", "local:data/".
    data
        The folder that holds them.
    protocol
        How to ask; None for the usual way of each set.
    samples
        Answers per question; None for the protocol's number.
    limit
        Only the first so many items.
    shard
        (k, n): every n-th item from the k-th, counted from 1.
    shuffle
        Whether multiple choice is asked in every order of its options.
    reader
        One of `readers.CHOICES`.

    Raises
    ------
    UserError
        Where a set, a protocol or the model cannot go with the others.
    """
    plans: list[SetPlan] = []
    named = find_protocol(protocol) if protocol else None
    if named is not None and len(sets) > 1 and all(find_kind(text) != named.kind for text in sets):
        raise UserError(f"the protocol {named.name} is for {named.kind} sets, and none of these is one")
    for text in sets:
        chosen = _choose_protocol(model, text, named, alone=len(sets) == 1)
        found = open_set(text, data, chosen)
        _check_fit(model, found)
        if shuffle and found.kind == "choice":
            from refine_bench.prompts.shuffles import shuffle_options

            found = shuffle_options(found, chosen)
        kept = found.items[: limit or None]
        if shard is not None:
            kept = kept[shard[0] - 1 :: shard[1]]
        decoding = chosen.decoding if samples is None else replace(chosen.decoding, samples=samples)
        if decoding.samples > 1 and decoding.temperature == 0:
            raise UserError(f"{chosen.name} decodes greedily: {decoding.samples} samples would be one and the same")
        usual = Reader(chosen.reader, decoding)
        plans.append(SetPlan(replace(found, items=kept), chosen, usual, len(kept) * decoding.samples))
    return choose_readers(model, plans, reader)


def choose_readers(model: Model, plans: Sequence[SetPlan], choice: str) -> list[SetPlan]:
    """Return the plans, each read as the choice and the model allow. The model is asked once what it cannot do.

    Parameters
    ----------
    model
        The model.
    plans
        With the usual reader of their protocols.
    choice
        One of `readers.CHOICES`.

    Raises
    ------
    UserError
        For a choice that does not exist, and where the model cannot do what a protocol is about.
    """
    check_choice(choice, [plan.protocol for plan in plans], model)
    needed = frozenset[str]().union(*(find_needs(plan.protocol, plan.decoding, choice) for plan in plans))
    limits = model.find_limits(needed)
    return [replace(plan, reader=choose_reader(plan.protocol, plan.decoding, choice, model, limits)) for plan in plans]


def _choose_protocol(model: Model, text: str, named: Protocol | None, *, alone: bool) -> Protocol:
    """The one that was named, for sets of its kind; among several sets, the others are asked in their usual way."""
    if model.about["kind"] == "measure":
        return PROTOCOLS["metric"]
    kind = find_kind(text)
    return named if named is not None and (alone or named.kind == kind) else PROTOCOLS[DEFAULTS[kind]]


def _check_fit(model: Model, found: ItemSet) -> None:
    if model.about["kind"] == "measure" and found.kind not in ("rated", "severity"):
        raise UserError(f"{model.spec} is a number from the pixels; it cannot answer the questions of {found.name}")
    from refine_bench.models.baselines import MEASURES

    row = MEASURES.get(model.spec)
    if row is not None and row.pair and not found.facts.get("references"):
        raise UserError(
            f"{model.spec} compares with a reference, and {found.name} has none; niqe and sharpness need none"
        )


def ask_model(
    model: Model, plans: Sequence[SetPlan], out: Path, *, progress: Callable[[int], None] = lambda step: None
) -> Run:
    """Ask a model what has no answer yet.

    Parameters
    ----------
    model
        The model.
    plans
        What it is asked.
    out
        The run's folder: a new one, or one of the same model, which goes on.
    progress
        Called with the number of answers that have come; those that are there count at once.

    Raises
    ------
    UserError
        Where the folder holds another run.
    Interrupted
        On Ctrl-C; what came until then is saved.
    """
    about = {"spec": model.spec, "revision": model.revision, "processor": model.processor, **model.about}
    run = Run.open(out, about, {"environment": describe_environment()})
    for plan in plans:
        entry = run.add_set(plan.item_set, _describe_plan(plan))
        with AnswerLog(run.find_file("answers", entry)) as log:
            requests = _make_requests(plan, model, log, progress)
            try:
                with contextlib.closing(_stream_responses(model, requests)) as responses:
                    for response in responses:
                        log.append(_format_row(response))
                        progress(1)
            except KeyboardInterrupt:
                raise Interrupted(
                    f"stopped; {len(log.done):,} answers are in {out}, the same command goes on"
                ) from None
    return run


def _stream_responses(model: Model, requests: Iterator[Request]) -> Generator[Response, None, None]:
    yield from model.answer(requests)


def _describe_plan(plan: SetPlan) -> dict[str, Any]:
    return {
        "protocol": {"name": plan.protocol.name, "version": plan.protocol.version, "sha256": plan.protocol.sha256},
        "decoding": asdict(plan.decoding),
        "reader": plan.reader.name,
        "reader_note": plan.reader.note,
        "expected": plan.item_set.expected,
        "problems": list(plan.item_set.problems),
        "facts": dict(plan.item_set.facts),
        "images": "files as they are; what the model's processor does to them is in each answer under seen",
    }


def _make_requests(plan: SetPlan, model: Model, log: AnswerLog, progress: Callable[[int], None]) -> Iterator[Request]:
    """What has no answer yet. An image that cannot be read is answered with its error at once."""
    wanted = {item.id for item in plan.item_set.items}
    for item, pixels in plan.item_set.load_pixels():
        if item.id not in wanted:
            continue
        hashes = [hashlib.sha256(data).hexdigest() for data in pixels.images] if isinstance(pixels, Pixels) else []
        for sample in range(plan.decoding.samples):
            request = _make_request(plan, model, item, pixels, hashes, sample)
            if request.key in log.done:
                progress(1)
            elif isinstance(pixels, str):
                log.append(_format_row(Response(request, Answer(error=pixels))))
                progress(1)
            else:
                yield request


def _make_request(
    plan: SetPlan, model: Model, item: Item, pixels: Pixels | str, hashes: Sequence[str], sample: int
) -> Request:
    protocol = plan.protocol
    decoding = {name: value for name, value in asdict(plan.decoding).items() if name != "samples"}
    reference = pixels.reference if isinstance(pixels, Pixels) else None
    key = hash_request(
        set=plan.item_set.name,
        item=item.id,
        images=hashes,
        reference=hashlib.sha256(reference).hexdigest() if reference is not None else None,
        prompt=(protocol.system, item.prompt, protocol.prefix),
        decoding=decoding,
        model=(model.spec, model.revision, model.processor),
        sample=sample,
    )
    return Request(
        key=key,
        item=item.id,
        sample=sample,
        images=pixels.images if isinstance(pixels, Pixels) else (),
        prompt=item.prompt,
        decoding=plan.decoding,
        seed=stream("refine-bench", plan.decoding.seed, item.id, sample).below(2**31),
        system=protocol.system,
        prefix=protocol.prefix,
        reference=reference,
        words=tuple(word for word, _ in protocol.levels),
        options=item.options,
        truth=item.truth,
    )


def _format_row(response: Response) -> dict[str, Any]:
    """A line of the run. Alternatives are kept for the tokens that a reader could use."""
    answer, request = response.answer, response.request
    row: dict[str, Any] = {
        "key": request.key,
        "item": request.item,
        "sample": request.sample,
        "text": answer.text,
        "finish": answer.finish,
        "seconds": round(response.seconds, 4),
    }
    if answer.tokens:
        row["tokens"] = [
            [token.text, [[t, round(p, 5)] for t, p in token.top] if _is_useful(place, token.text) else []]
            for place, token in enumerate(answer.tokens)
        ]
    more: Mapping[str, Any] = {
        "value": answer.value,
        "error": answer.error,
        "logits": dict(answer.logits),
        "usage": dict(response.usage),
        "seen": [list(map(_list_size, pair)) for pair in response.seen],
    }
    return {**row, **{name: value for name, value in more.items() if value not in (None, {}, [])}}


def _is_useful(place: int, text: str) -> bool:
    return place < 3 or any(character.isdigit() for character in text)


def _list_size(size: tuple[int, int] | None) -> list[int] | None:
    return list(size) if size else None
