"""The account of a build: what came out, what was left out, and why."""

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

    @property
    def quarantine(self) -> str:
        """Where the references that could not be used are listed, with the reasons."""
        return f"{self.out}/_distortlab/quarantine"

    @property
    def trouble(self) -> str | None:
        """Why the run must not pass for a success, or None."""
        if self.unfilled:
            return (
                f"{self.unfilled} of {self.wanted} images could not be made: every allowed draw was rejected; see the "
                "reasons above, and the rules [regions], [visibility] and [references] of the recipe"
            )
        if self.failures > self.max_failures * max(self.opened, 1):
            return (
                f"{self.failures} of {self.opened} references could not be used, more than the allowed "
                f"{100 * self.max_failures:g} % (--max-failures); see {self.quarantine}"
            )
        return None
