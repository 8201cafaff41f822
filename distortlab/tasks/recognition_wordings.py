"""How recognition is asked: six wordings about one distorted region, and six about an image that is distorted as a
whole; each with the reference as the first image as well, and each where it may be that nothing was distorted.
"""

from collections.abc import Sequence

__all__ = ["ALONE", "NONE", "OR_NONE", "PAIRED", "WHOLE", "WHOLE_PAIRED", "WORDINGS", "select_wordings"]

ALONE = (
    "One region of this image has been distorted; everything else is untouched. Which type of "
    "distortion is it, and how strong is it?\n\n"
    "Types: {types}.\n"
    "Severity levels, from weakest to strongest: {levels}.\n\n"
    "Answer with one type and one severity level, separated by a comma: Type, Severity.",
    "A part of the image was damaged on purpose with a single kind of distortion. Look for the part "
    "that does not fit its surroundings and say what was done to it.\n\n"
    "The kind is one of these:\n"
    "{described}\n\n"
    "Its severity is one of these, in rising order: {levels}.\n\n"
    "Give the kind and the severity, separated by a comma, in the form Type, Severity.",
    "Inspect the quality of this picture. Exactly one area of it is degraded. Choose the type of "
    "degradation from: {types}. Choose its severity from, mildest first: {levels}. Write your choice "
    "as Type, Severity, with a comma between the two and no other words.",
    "Somewhere in this image, one region looks worse than the rest because a distortion was applied "
    "to it.\n\n"
    "Possible distortions:\n"
    "{listed}\n\n"
    "Possible severities, weakest first:\n"
    "{listed_levels}\n\n"
    "Name the distortion and its severity, in the form Type, Severity.",
    "You are checking an image for a local fault. The fault is one of {types}, and its strength, "
    "from lowest to highest, is one of {levels}. Which fault is present, and at which strength? "
    "Reply with the two terms in this order, separated by a comma: Type, Severity.",
    "Compare the regions of this image with each other: one of them was altered by a distortion. "
    "Decide between the following types.\n\n"
    "{described}\n\n"
    "Then rate how far it goes on this scale, from least to most: {levels}.\n\n"
    "The answer has exactly two parts, the type and the level, written as Type, Severity.",
)
"""Six ways to ask about one image."""

PAIRED = (
    "The first image is the original. The second image is the same picture with one region "
    "distorted. Which type of distortion is it, and how strong is it?\n\n"
    "Types: {types}.\n"
    "Severity levels, from weakest to strongest: {levels}.\n\n"
    "Answer with one type and one severity level, separated by a comma: Type, Severity.",
    "Two images are given: first a clean reference, then a copy in which one part was damaged on "
    "purpose with a single kind of distortion. Find the part that changed and say what was done to it.\n\n"
    "The kind is one of these:\n"
    "{described}\n\n"
    "Its severity is one of these, in rising order: {levels}.\n\n"
    "Give the kind and the severity, separated by a comma, in the form Type, Severity.",
    "Compare the second image with the first one, which is the undistorted reference. Exactly one "
    "area of the second image is degraded. Choose the type of degradation from: {types}. Choose its "
    "severity from, mildest first: {levels}. Write your choice as Type, Severity, with a comma "
    "between the two and no other words.",
    "Image 1 is a reference of full quality. Image 2 shows the same scene, but a distortion was "
    "applied to one of its regions.\n\n"
    "Possible distortions:\n"
    "{listed}\n\n"
    "Possible severities, weakest first:\n"
    "{listed_levels}\n\n"
    "Name the distortion in image 2 and its severity, in the form Type, Severity.",
    "You are checking a copy (second image) against its original (first image). The copy has one "
    "local fault: one of {types}. Its strength, from lowest to highest, is one of {levels}. Which "
    "fault does the copy have, and at which strength? Reply with the two terms in this order, "
    "separated by a comma: Type, Severity.",
    "The two images agree except in one region, which was altered by a distortion in the second. Use "
    "the first image as the reference and decide between the following types.\n\n"
    "{described}\n\n"
    "Then rate how far it goes on this scale, from least to most: {levels}.\n\n"
    "The answer has exactly two parts, the type and the level, written as Type, Severity.",
)
"""The same six with the reference as the first image and the distorted one as the second."""

WHOLE = (
    "The whole of this image has been distorted in the same way. Which type of distortion is it, and how "
    "strong is it?\n\n"
    "Types: {types}.\n"
    "Severity levels, from weakest to strongest: {levels}.\n\n"
    "Answer with one type and one severity level, separated by a comma: Type, Severity.",
    "This image was damaged on purpose with a single kind of distortion, from edge to edge. Say what was done "
    "to it.\n\n"
    "The kind is one of these:\n"
    "{described}\n\n"
    "Its severity is one of these, in rising order: {levels}.\n\n"
    "Give the kind and the severity, separated by a comma, in the form Type, Severity.",
    "Inspect the quality of this picture. It is degraded everywhere, in one way. Choose the type of degradation from: "
    "{types}. Choose its severity from, mildest first: {levels}. Write your choice as Type, Severity, with a comma "
    "between the two and no other words.",
    "This image looks worse than it once did because a distortion was applied to all of it.\n\n"
    "Possible distortions:\n"
    "{listed}\n\n"
    "Possible severities, weakest first:\n"
    "{listed_levels}\n\n"
    "Name the distortion and its severity, in the form Type, Severity.",
    "You are checking an image for a fault of the whole frame. The fault is one of {types}, and its strength, "
    "from lowest "
    "to highest, is one of {levels}. Which fault is present, and at which strength? Reply with the two terms in this "
    "order, separated by a comma: Type, Severity.",
    "Look at the image as a whole: it was altered by a distortion. Decide between the following types.\n\n"
    "{described}\n\n"
    "Then rate how far it goes on this scale, from least to most: {levels}.\n\n"
    "The answer has exactly two parts, the type and the level, written as Type, Severity.",
)
"""The same six about an image that is distorted as a whole."""

WHOLE_PAIRED = (
    "The first image is the original. The second image is the same picture, and the whole of it has been "
    "distorted in the "
    "same way. Which type of distortion is it, and how strong is it?\n\n"
    "Types: {types}.\n"
    "Severity levels, from weakest to strongest: {levels}.\n\n"
    "Answer with one type and one severity level, separated by a comma: Type, Severity.",
    "Two images are given: first a clean reference, then a copy that was damaged on purpose with a single kind of "
    "distortion, from edge to edge. Say what was done to it.\n\n"
    "The kind is one of these:\n"
    "{described}\n\n"
    "Its severity is one of these, in rising order: {levels}.\n\n"
    "Give the kind and the severity, separated by a comma, in the form Type, Severity.",
    "Compare the second image with the first one, which is the undistorted reference. The second image is degraded "
    "everywhere, in one way. Choose the type of degradation from: {types}. Choose its severity from, mildest first: "
    "{levels}. Write your choice as Type, Severity, with a comma between the two and no other words.",
    "Image 1 is a reference of full quality. Image 2 shows the same scene, but a distortion was applied to "
    "all of it.\n\n"
    "Possible distortions:\n"
    "{listed}\n\n"
    "Possible severities, weakest first:\n"
    "{listed_levels}\n\n"
    "Name the distortion in image 2 and its severity, in the form Type, Severity.",
    "You are checking a copy (second image) against its original (first image). The copy has one fault in the whole "
    "frame: one of {types}. Its strength, from lowest to highest, is one of {levels}. Which fault does the "
    "copy have, and "
    "at which strength? Reply with the two terms in this order, separated by a comma: Type, Severity.",
    "The two images show the same scene, and all of the second one was altered by a distortion. Use the first image as "
    "the reference and decide between the following types.\n\n"
    "{described}\n\n"
    "Then rate how far it goes on this scale, from least to most: {levels}.\n\n"
    "The answer has exactly two parts, the type and the level, written as Type, Severity.",
)
"""And with the reference as the first image."""

WORDINGS = len(ALONE)
"""How many wordings there are of each kind."""

NONE = "None"
"""The answer where nothing was distorted. It is offered in all questions of a data set that asks about such images."""
OR_NONE = "It may also be that nothing was distorted: then answer with the one word None."

_HEDGES = (
    (
        "One region of this image has been distorted; everything",
        "One region of this image may be distorted; everything",
    ),
    ("A part of the image was damaged", "A part of the image may have been damaged"),
    ("Look for the part that does not fit", "Look for a part that does not fit"),
    ("Exactly one area of it is degraded", "At most one area of it is degraded"),
    ("one region looks worse than the rest because", "one region may look worse than the rest because"),
    ("The fault is one of {types}", "The fault, if there is one, is one of {types}"),
    ("Which fault is present, and", "Which fault is present, if any, and"),
    ("one of them was altered by", "one of them may have been altered by"),
    ("the same picture with one region distorted", "the same picture, perhaps with one region distorted"),
    ("then a copy in which one part was damaged", "then a copy in which one part may have been damaged"),
    ("Find the part that changed", "Find a part that changed"),
    ("Exactly one area of the second image is", "At most one area of the second image is"),
    ("but a distortion was applied to one", "but a distortion may have been applied to one"),
    ("The copy has one local fault: one", "The copy has at most one local fault: one"),
    ("Which fault does the copy have, and", "Which fault does the copy have, if any, and"),
    ("agree except in one region, which was altered", "agree except perhaps in one region, which was altered"),
)
"""What a wording says where it may be that nothing was distorted, in place of what it says else."""

_WHOLE_HEDGES = (
    ("The whole of this image has been distorted", "The whole of this image may have been distorted"),
    ("This image was damaged on", "This image may have been damaged on"),
    ("It is degraded everywhere", "It may be degraded everywhere"),
    ("looks worse than it once did because", "may look worse than it once did because"),
    ("The fault is one of {types}", "The fault, if there is one, is one of {types}"),
    ("Which fault is present, and", "Which fault is present, if any, and"),
    ("it was altered by", "it may have been altered by"),
    ("the whole of it has been distorted", "the whole of it may have been distorted"),
    ("then a copy that was damaged", "then a copy that may have been damaged"),
    ("The second image is degraded everywhere", "The second image may be degraded everywhere"),
    ("but a distortion was applied to all", "but a distortion may have been applied to all"),
    ("The copy has one fault in", "The copy has at most one fault in"),
    ("Which fault does the copy have, and", "Which fault does the copy have, if any, and"),
    ("and all of the second one was altered", "and all of the second one may have been altered"),
)


def _hedge(wordings: Sequence[str], hedges: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    out = []
    for text in wordings:
        for sure, hedged in hedges:
            text = text.replace(sure, hedged)
        out.append(f"{text} {OR_NONE}")
    return tuple(out)


# (whole frame, with the reference, may be none) -> wordings
_TABLE = {
    (False, False, False): ALONE,
    (False, True, False): PAIRED,
    (False, False, True): _hedge(ALONE, _HEDGES),
    (False, True, True): _hedge(PAIRED, _HEDGES),
    (True, False, False): WHOLE,
    (True, True, False): WHOLE_PAIRED,
    (True, False, True): _hedge(WHOLE, _WHOLE_HEDGES),
    (True, True, True): _hedge(WHOLE_PAIRED, _WHOLE_HEDGES),
}


def select_wordings(with_reference: bool, is_whole: bool, may_be_none: bool) -> tuple[str, ...]:
    """The wordings of one kind, with fields for the types and the levels.

    Parameters
    ----------
    with_reference
        Whether the clean image is shown first.
    is_whole
        Whether the image is distorted as a whole, and not in one region.
    may_be_none
        Whether it is left open that anything was distorted.
    """
    return _TABLE[is_whole, with_reference, may_be_none]
