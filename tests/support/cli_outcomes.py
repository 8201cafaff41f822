"""What an outcome of the command line must look like where it refuses something."""

from dataset_samples import assert_one_sentence
from in_process import Outcome

TINY = ("--n", 6, "--workers", 1)
"""Options of `generate` for a data set of six images."""


def assert_refused(outcome: Outcome, *words: str, code: int = 2) -> None:
    """One sentence that holds the words, the right exit code, and nothing on stdout."""
    assert outcome.code == code, outcome
    sentence = assert_one_sentence(outcome.err)
    assert all(word in sentence for word in words), sentence
    assert "Traceback" not in outcome.out


def assert_misused(outcome: Outcome, *words: str) -> None:
    """The parser of the command line refused it: exit code 2, the words somewhere, no traceback."""
    assert outcome.code == 2, outcome
    assert all(word in outcome.err for word in words), outcome.err
    assert "Traceback" not in outcome.err
