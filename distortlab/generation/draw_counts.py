"""The counts of what a shard could not use: draws that were rejected, references that were left out."""

from collections import Counter
from dataclasses import dataclass, field

from distortlab.severity.visibility_curve import Basis

__all__ = ["NOT_NATURAL", "NO_PLACE", "REPEATED", "DrawCounts"]

REPEATED = "the same picture again"
"""Why a draw is rejected whose picture is in the shard already."""
NOT_NATURAL = "no photograph within reach is blurred in parts, dark or moved as it was taken"
"""Why there is no natural control."""
NO_PLACE = "too few disjoint regions"
"""Why a reference is passed over that has less than an image is to have."""

_NOTES: dict[Basis, str] = {
    "clamped": "drawn with statistics moved to the edge of those fitted",
    "undefined": "drawn with the ladder, for undefined statistics",
}


@dataclass(slots=True)
class DrawCounts:
    """Rejected draws, screened references and skipped annotations of a shard, each by reason.

    `settings` counts what was rendered, and at which try draws were accepted; and the draws whose statistics were moved
    to the edge of those that predictions were fitted on, or are undefined, so that the ladder had to do. `opened`
    counts the references that were opened; `failures` has those that could not be used, with the reason.
    """

    rejected: Counter[str] = field(default_factory=Counter)
    settings: Counter[str] = field(default_factory=Counter)
    screened: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)

    def count_setting(self, tries: int, basis: Basis, is_accepted: bool = False) -> None:
        """Count a draw that took `tries` renders, the first with a setting taken from `basis`."""
        self.settings["rendered"] += tries
        self.settings["draws rendered"] += tries > 0
        if is_accepted:
            self.settings[f"accepted at try {tries}"] += 1
        if basis in _NOTES:
            self.settings[_NOTES[basis]] += 1
