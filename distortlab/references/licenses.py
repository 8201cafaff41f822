"""Licences of references: what the Hub calls them, and what a data set made from several of them may say of itself.

A distorted image is an adaptation of its reference and stays under the reference's licence; the data set as a whole is
under all of them at once. One that the Hub has a name for is named. Several, or one that it does not know, are `other`:
to name the mildest would promise too much, and to name all would read as a choice.
"""

import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

__all__ = [
    "KINDS",
    "find_fault",
    "find_strictest",
    "forbids_changes",
    "front_matter",
    "hub_name",
    "is_allowed",
    "summarize_terms",
]

_HUB_NAMES = frozenset(
    f"cc-{name}"
    for name in (
        *("by-2.0", "by-2.5", "by-3.0", "by-4.0", "by-sa-3.0", "by-sa-4.0", "by-nd-4.0"),
        *("by-nc-2.0", "by-nc-3.0", "by-nc-4.0", "by-nc-sa-2.0", "by-nc-sa-3.0", "by-nc-sa-4.0"),
        *("by-nc-nd-3.0", "by-nc-nd-4.0"),
    )
) | {"cc0-1.0", "mit", "apache-2.0", "odbl", "odc-by", "pddl", "unlicense", "wtfpl"}
_ADDRESS = re.compile(r"https?://\S+?(?=[)\s,;]|$)")


def hub_name(text: str) -> str | None:
    """The Hub's name of a licence written as a name of it or with an address of Creative Commons, or None."""
    plain = text.strip().lower()
    if plain in _HUB_NAMES:
        return plain
    found = _creative_commons(text)
    return found if found in _HUB_NAMES else None


def _creative_commons(text: str) -> str | None:
    """The name that goes with the first address of Creative Commons in a text: `cc-by-nd-2.0`."""
    for address in _ADDRESS.findall(text):
        parts = urlsplit(address)
        folders = [part for part in parts.path.lower().split("/") if part]
        if parts.hostname not in ("creativecommons.org", "www.creativecommons.org") or len(folders) < 3:
            continue
        kind, name, version = folders[:3]
        return f"cc-{name}-{version}" if kind == "licenses" else f"cc0-{version}" if name == "zero" else None
    return None


def forbids_changes(text: str) -> bool:
    """Whether a licence is one of Creative Commons without derivatives: a distorted image is a derivative."""
    return bool(re.search(r"\bno[ _-]?deriv|\bby([ _-]nc)?[ _-]nd\b", text, re.IGNORECASE))


def _forbids_sale(text: str) -> bool:
    return bool(re.search(r"\bnon[ _-]?commercial|\bby[ _-]nc\b", text, re.IGNORECASE))


def _asks_same_license(text: str) -> bool:
    return bool(re.search(r"\bshare[ _-]?alike|\bby([ _-]nc)?[ _-]sa\b", text, re.IGNORECASE))


def _asks_credit(text: str) -> bool:
    return bool(re.search(r"\battribution\b|\bcc[ _-]by\b|/licenses/by\b|^by\b", text, re.IGNORECASE))


def _is_public(text: str) -> bool:
    return bool(re.search(r"\bpublic domain\b|\bcc0\b|/zero/|\bpddl\b|no known copyright", text, re.IGNORECASE))


_TERMS: Mapping[str, Callable[[str], bool]] = {
    "no changed copies": forbids_changes,
    "no commercial use": _forbids_sale,
    "changed copies under the same license": _asks_same_license,
    "credit": _asks_credit,
}
"""What a license may ask for, the strictest first."""


def summarize_terms(counts: Mapping[str, int]) -> str:
    """Say in a sentence or two what licenses ask for together, and which is the strictest.

    Parameters
    ----------
    counts
        Images by the license of their reference.

    Returns
    -------
    str
        How many images each term holds for, and how many have terms that are not recognized; "" of no license.
    """
    shares = {term: sum(count for text, count in counts.items() if asks(text)) for term, asks in _TERMS.items()}
    parts = [f"{term} ({_count_images(count)})" for term, count in shares.items() if count]
    strictest = find_strictest(counts)
    sentences = [f"Taken together they ask for: {', '.join(parts)}."] if parts else []
    if strictest is not None:
        sentences.append(f"The strictest is {strictest} ({_count_images(counts[strictest])}).")
    if strange := sum(count for text, count in counts.items() if not _is_public(text) and not any(_list_terms(text))):
        sentences.append(f"The terms of {_count_images(strange)} are none of these: read them.")
    return " ".join(sentences)


def _count_images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def find_strictest(texts: Collection[str]) -> str | None:
    """Return the license that asks for most, by its first term; None where none asks for anything that is known."""
    strictest = max(texts, key=_list_terms, default="")
    return strictest if any(_list_terms(strictest)) else None


def _list_terms(text: str) -> tuple[bool, ...]:
    return tuple(asks(text) for asks in _TERMS.values())


# --- chosen by name -------------------------------------------------------------------------------------------------

KINDS: Mapping[str, Callable[[str], bool]] = {"no-derivatives": forbids_changes, "non-commercial": _forbids_sale}
"""Names that stand for every licence of a kind, whether the references have one or not."""
_SPELLINGS = {"noderivatives": "no-derivatives", "noderivs": "no-derivatives", "noncommercial": "non-commercial"}
"""Letters alone: "NoDerivs" is what the licences themselves say."""


def is_allowed(text: str, allow: Collection[str], deny: Collection[str]) -> bool:
    """Whether references under a licence may be used: named in `allow`, unless that is empty, and not in `deny`."""
    if any(_is_called(text, name) for name in deny):
        return False
    return not allow or any(_is_called(text, name) for name in allow)


def find_fault(allow: Collection[str], deny: Collection[str], known: Mapping[str, int]) -> str | None:
    """What is wrong with a choice of licences.

    Parameters
    ----------
    allow, deny
        Names as in a recipe: kinds, or names of licences.
    known
        Number of references by the text of their licence.

    Returns
    -------
    str or None
        A sentence about a name that is neither a kind nor that of any known licence, or about a choice that leaves no
        reference; None where all is well.
    """
    has = "; ".join(f"{_short(text)!r} ({count:,})" for text, count in sorted(known.items(), key=lambda item: -item[1]))
    for key, names in (("allow", allow), ("deny", deny)):
        for name in names:
            if _kind(name) is None and not any(_is_called(text, name) for text in known):
                kinds = " and ".join(repr(kind) for kind in KINDS)
                return (
                    f"references.licenses.{key}: no license called {name!r} among the references; they have: {has}; "
                    f"{kinds} stand for all of a kind"
                )
    if known and not any(is_allowed(text, allow, deny) for text in known):
        return f"references.licenses leaves none of the references: they have {has}"
    return None


def _is_called(text: str, name: str) -> bool:
    """Whether a name means a licence: a kind, its whole text, that without an address, or its short name with Creative
    Commons, with or without a version. Case does not matter.
    """
    if kind := _kind(name):
        return KINDS[kind](text)
    short = _creative_commons(text) or hub_name(text) or ""
    names = {text, _short(text), short, short.rpartition("-")[0], short.rpartition("-")[0].removeprefix("cc-")}
    return _plain(name) in {_plain(one) for one in names if one}


def _kind(name: str) -> str | None:
    return _SPELLINGS.get("".join(filter(str.isalpha, name.casefold())))


def _short(text: str) -> str:
    """A licence without the address behind its name; the start of a long sentence."""
    plain = re.sub(r"\s*\(https?://[^)]*\)\s*$", "", text.strip()) or text.strip()
    return plain if len(plain) <= 80 else f"{plain[:77]}..."


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def front_matter(counts: Mapping[str, int]) -> str:
    """The licence in the YAML of a card. `counts`: images by the licence of their reference."""
    names = {hub_name(text) for text in counts}
    if len(names) == 1 and None not in names:
        return f"license: {names.pop()}\n"
    return f"license: other\nlicense_name: {'mixed-see-card' if len(counts) > 1 else 'see-card'}\n"
