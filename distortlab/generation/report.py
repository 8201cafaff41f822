"""The account of a build: what came out, what was left out, and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Account"]


@dataclass(frozen=True, slots=True)
class Account:
    """What a run came to. `out`: a folder or a URL. `finished` is False for a part, or a run that must go on."""

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
    """The first of the references that could not be used, with the reasons."""

    @property
    def quarantine(self) -> str:
        """Where the references that could not be used are listed, with the reasons."""
        return f"{self.out}/_distortlab/quarantine"

    @property
    def trouble(self) -> str | None:
        """Why the run must not pass for a success, or None: more failures of a kind than allowed."""
        return next((said for too_many, said in self._failed if too_many), None)

    @property
    def warnings(self) -> list[str]:
        """What failed and is allowed to, a sentence each."""
        return [said for too_many, said in self._failed if not too_many]

    @property
    def _failed(self) -> Iterator[tuple[bool, str]]:
        """(whether it is more than allowed, the sentence) of each kind of failure that there is."""
        for failed, of, what, see in (
            (self.unfilled, self.wanted, "images could not be made: every allowed draw was rejected", _RULES),
            (self.failures, self.opened, "references could not be used", f"see {self.quarantine}"),
        ):
            too_many = failed > self.max_failures * max(of, 1)
            than = "more than" if too_many else "no more than"
            allowed = f"{than} the allowed {100 * self.max_failures:g} % (--max-failures)"
            if failed:
                yield too_many, f"{failed:,} of {of:,} {what}, {allowed}; {see}"


_RULES = "see the draws rejected, and the rules [regions], [visibility] and [references] of the recipe"
