"""Option-shuffle consistency: every question once for each rotation of its options (as in CircularEval).

A question is answered consistently when every rotation gets the same option; it is right under shuffling when all are
right.
"""

from collections.abc import Iterator
from dataclasses import replace

from refine_bench.prompts.items import Item, ItemSet, Pixels
from refine_bench.prompts.protocols import Protocol, format_prompt

__all__ = ["shuffle_options"]


def shuffle_options(found: ItemSet, protocol: Protocol) -> ItemSet:
    """Return the set with each question in all rotations of its options.

    In the truth, "turn" says by how many places they are rotated, and "of" which question it is.
    """
    turned = {
        item.id: [_rotate_options(item, turn, protocol) for turn in range(len(item.options))] for item in found.items
    }

    def load_pixels() -> Iterator[tuple[Item, Pixels | str]]:
        for item, data in found.load_pixels():
            for other in turned[item.id]:
                yield other, data

    items = tuple(other for item in found.items for other in turned[item.id])
    # A question that is lacking counts once: how many options it has is not known.
    expected = len(items) + max(0, found.expected - len(found.items))
    return replace(found, name=f"{found.name}+shuffled", items=items, load_pixels=load_pixels, expected=expected)


def _rotate_options(item: Item, turn: int, protocol: Protocol) -> Item:
    options = item.options[turn:] + item.options[:turn]
    right = item.truth["answer"]
    truth = {
        **item.truth,
        "options": list(options),
        "answer": None if right is None else (right - turn) % len(options),
        "turn": turn,
        "of": item.id,
    }
    name = item.id if turn == 0 else f"{item.id}@{turn}"
    return Item(name, format_prompt(protocol, str(item.truth["question"]), options), truth, options)
