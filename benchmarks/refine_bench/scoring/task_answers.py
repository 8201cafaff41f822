"""An answer to a question of a data set made by `distortlab`, with the truth of its item."""

from dataclasses import dataclass

from refine_bench.datasets.local import LocalTruth, RegionTruth
from refine_bench.prompts.answers import MISSING

__all__ = ["TaskAnswer"]


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """An answer with the truth of its item. `error`: why none came, `answers.MISSING` where none has come yet."""

    name: str
    text: str
    truth: LocalTruth
    prompt: str
    error: str | None = None
    finish: str = "stop"

    @property
    def region(self) -> RegionTruth | None:
        """The distorted region that was asked about; None in a pristine image."""
        return self.truth["regions"][0] if self.truth["regions"] else None

    @property
    def failure(self) -> str | None:
        """Why there is no text: it has not come, or the model failed; None where there is one."""
        if self.error is None:
            return None
        return MISSING if self.error == MISSING else "runtime_error"
