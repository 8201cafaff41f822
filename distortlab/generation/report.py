"""The account of a build: what came out, what was left out, and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from distortlab.generation.draw_counts import NO_PLACE, NOT_NATURAL, REPEATED

__all__ = ["Account"]


@dataclass(frozen=True, slots=True)
class Account:
    """What a run made, what it left out, and whether that is more than allowed.

    Parameters
    ----------
    out
        The folder, or the URL.
    finished
        False for a part of a data set, which lacks its card and manifest.
    wanted
        Images that were planned.
    images, samples
        Distorted images and questions that were made.
    bytes
        Size of the tables with images.
    unfilled
        Images that could not be made: every allowed draw was rejected, or no reference could be used.
    opened, failures
        References that were opened, and those of them that could not be used.
    max_failures
        The share of images, and of references, that may fail.
    splits
        Images by split.
    counts
        Tables of counts by name: `variants`, `severities`, `tasks`, `rejected`, `screened`, ...
    quarantined
        The first of the references that could not be used, with the reasons.
    """

    out: Path | str
    finished: bool
    wanted: int
    images: int = 0
    samples: int = 0
    bytes: int = 0
    unfilled: int = 0
    opened: int = 0
    failures: int = 0
    max_failures: float = 0.01
    splits: dict[str, int] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    quarantined: list[dict[str, str]] = field(default_factory=list)

    @property
    def quarantine(self) -> str:
        """Where the references that could not be used are listed, with the reasons."""
        return f"{self.out}/_distortlab/quarantine"

    @property
    def trouble(self) -> str | None:
        """Why the run must not pass for a success, or None: more failures of a kind than allowed."""
        return next((sentence for too_many, sentence in self._failures if too_many), None)

    @property
    def warnings(self) -> list[str]:
        """What failed and is allowed to, a sentence each."""
        return [sentence for too_many, sentence in self._failures if not too_many]

    @property
    def _failures(self) -> Iterator[tuple[bool, str]]:
        """(whether it is more than allowed, the sentence) of each kind of failure that there is."""
        for count, of, what, see in (
            (self.unfilled, self.wanted, f"images could not be made: {self._cause}", self._advice),
            (self.failures, self.opened, "references could not be used", f"see {self.quarantine}"),
        ):
            too_many = count > self.max_failures * max(of, 1)
            than = "more than" if too_many else "no more than"
            allowed = f"{than} the allowed {100 * self.max_failures:g} % (--max-failures)"
            if count:
                yield too_many, f"{count:,} of {of:,} {what}, {allowed}; {see}"

    @property
    def _cause(self) -> str:
        return "every allowed draw was rejected" if self.counts.get("rejected") else "no reference could be used"

    @property
    def _advice(self) -> str:
        rejected = self.counts.get("rejected", {})
        if not rejected:
            return _UNUSABLE
        if 3 * rejected.get(NOT_NATURAL, 0) > sum(rejected.values()):
            return _NOT_NATURAL
        if 3 * rejected.get(NO_PLACE, 0) > sum(rejected.values()):
            return _TOO_CLOSE
        return _TOO_FEW if 3 * rejected.get(REPEATED, 0) > sum(rejected.values()) else _RULES


_UNUSABLE = "take other references, or loosen [references] and [regions] of the recipe"
_TOO_FEW = (
    "most often for being the same picture again: these references are few for so many images; take more, or let an "
    "image look further with larger images_per_shard and visibility.regions_per_reference in the recipe"
)
_NOT_NATURAL = (
    "most often because too few of these photographs are blurred in parts or dark as they were taken; ask for a "
    "smaller controls.natural in the recipe, take more references or larger images_per_shard, or name some in "
    "controls.references"
)
_TOO_CLOSE = (
    "most often because these references have too few regions that are disjoint; ask for fewer in composition.regions "
    "of the recipe, or allow composition.overlap"
)
_RULES = "see the draws rejected, and the rules [regions], [visibility] and [references] of the recipe"
