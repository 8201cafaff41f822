"""Whether a data set may be passed on: some photographers allow copies of their pictures, but no changed ones."""

from collections import Counter

from distortlab.core.errors import UserError
from distortlab.dataset.reader import StoredDataset
from distortlab.references.licenses import forbids_changes

__all__ = ["REMEDY", "check_shareable", "count_licenses", "count_no_derivatives"]

REMEDY = 'references.licenses.deny = ["no-derivatives"] in the recipe leaves them out'


def count_licenses(stored: StoredDataset) -> Counter[str]:
    """Images by the license of their reference."""
    return Counter(row["reference_license"] or "" for row in stored.rows("images", ["reference_license"]))


def count_no_derivatives(licenses: Counter[str]) -> int:
    """Images made from references whose license does not allow changed copies to be passed on."""
    return sum(count for text, count in licenses.items() if forbids_changes(text))


def check_shareable(stored: StoredDataset) -> None:
    """Check that a data set may be passed on.

    Raises
    ------
    UserError
        Where references do not allow changed copies to be passed on; the sentence says how many.
    """
    licenses = count_licenses(stored)
    if fixed := count_no_derivatives(licenses):
        raise UserError(
            f"{fixed:,} of {licenses.total():,} images are made from references whose license does not allow changed "
            f"copies to be passed on (NoDerivatives): {REMEDY}; with permission of the owners, push with "
            "--allow-no-derivatives"
        )
