"""The words of the questions: what the twelve families and the five severities are called.

Tables only. A word stands in one table and means one thing; `recognition` reads answers with these alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["DIFFICULTIES", "FAMILIES", "LEVELS", "PHRASES", "TERMS", "Term", "get_phrase"]


@dataclass(frozen=True, slots=True)
class Term:
    """A family: its key, the phrase used in prompts and answers, what it looks like, the single words for it.

    The words are inflections and synonyms that could mean no other family. Families that are a quality and a
    direction ("contrast weakening") are put together from `QUALITIES` and `DIRECTIONS` too.
    """

    family: str
    phrase: str
    looks: str
    words: str = ""


TERMS = (
    Term("blur", "Blur", "edges and fine detail are smeared", "blur blurs blurred blurry blurring blurriness"),
    Term("noise", "Noise", "random grain or specks are added", "noise noises noisy noised noisiness"),
    Term(
        "compression",
        "Compression",
        "blocks, halos or smears are left by lossy coding",
        "compression compress compressed compressing jpeg",
    ),
    Term(
        "brighten",
        "Brightening",
        "the tones are lighter than they should be",
        "brighten brightened brightening",
    ),
    Term("darken", "Darkening", "the tones are darker than they should be", "darken darkened darkening"),
    Term("contrast_strengthen", "Contrast strengthening", "light and dark tones are pushed apart"),
    Term("contrast_weaken", "Contrast weakening", "light and dark tones are pulled together"),
    Term(
        "saturate_strengthen",
        "Saturation strengthening",
        "the colors are too vivid",
        "oversaturate oversaturated oversaturation",
    ),
    Term(
        "saturate_weaken",
        "Saturation weakening",
        "the colors are faded towards gray",
        "desaturate desaturated desaturation undersaturated undersaturation",
    ),
    Term(
        "oversharpen",
        "Over-sharpening",
        "edges are exaggerated and have halos",
        "oversharpen oversharpened oversharpening sharpen sharpened sharpening",
    ),
    Term(
        "pixelate",
        "Pixelation",
        "detail is replaced by square blocks of one color",
        "pixelate pixelated pixelating pixelation pixelization pixelisation pixellated pixellation",
    ),
    Term(
        "quantization",
        "Quantization",
        "smooth shades break into a few flat steps",
        "quantization quantisation quantize quantise quantized quantised quantizing quantising "
        "posterization posterisation posterize posterise posterized posterised",
    ),
)
"""The twelve families, in the order of the paper."""

FAMILIES = tuple(term.family for term in TERMS)
PHRASES = {term.family: term.phrase for term in TERMS}
LOOKS = {term.family: term.looks for term in TERMS}

LEVELS = ("Slight", "Moderate", "Obvious", "Severe", "Extreme")
"""Severities 1 to 5."""

DIFFICULTIES = ("easy", "medium", "hard")
"""How hard it is for a person to tell the family of a distortion: the words of the column `difficulty`."""

QUALITIES = {
    "contrast": "contrast",
    "saturation": "saturate saturated saturates saturating saturation",
    "brightness": "brightness",
}
DIRECTIONS = {
    "up": "strengthen strengthened strengthening strengthens increase increased increases increasing "
    "boost boosted boosting enhance enhanced enhancement enhancing high higher raised",
    "down": "weaken weakened weakening weakens decrease decreased decreases decreasing "
    "reduce reduced reduces reducing reduction low lower lowered lowering",
}
PAIRS = {
    ("contrast", "up"): "contrast_strengthen",
    ("contrast", "down"): "contrast_weaken",
    ("saturation", "up"): "saturate_strengthen",
    ("saturation", "down"): "saturate_weaken",
    ("brightness", "up"): "brighten",
    ("brightness", "down"): "darken",
}
"""A quality without a direction could be either family, so it names none."""

_FILLERS = (
    "a an and artefact artefacts artifact artifacts color colors colour colours degree distorted distortion "
    "distortions effect gaussian image in is it level motion of picture region severity the type with"
)
FILLERS = frozenset(_FILLERS.split())
"""Words that change nothing. No negation, no "or": an answer with one of those is not read."""


def _index_words(entries: Iterable[tuple[str, str]]) -> dict[str, str]:
    """From (meaning, "its words") to word -> meaning."""
    return {word: meaning for meaning, words in entries for word in words.split()}


FAMILY_WORDS = _index_words((term.family, term.words) for term in TERMS)
QUALITY_WORDS = _index_words(QUALITIES.items())
DIRECTION_WORDS = _index_words(DIRECTIONS.items())
LEVEL_WORDS = {
    word: severity for severity, level in enumerate(LEVELS, 1) for word in (level.lower(), f"{level.lower()}ly")
}
KNOWN_WORDS = FILLERS.union(FAMILY_WORDS, QUALITY_WORDS, DIRECTION_WORDS, LEVEL_WORDS)


def get_phrase(family: str) -> str:
    """What a family is called in prompts and answers: `contrast_weaken` -> "Contrast weakening"."""
    if family not in PHRASES:
        raise ValueError(f"no family called {family!r}; known: {', '.join(FAMILIES)}")
    return PHRASES[family]
