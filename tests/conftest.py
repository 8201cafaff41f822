"""What all tests share: photographs, masks, and examples without a time limit."""

import os

# Before anything imports a client of the Hub: no test asks the real one.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
from hypothesis import settings
from samples import Pixels, blob, small_photograph, thin, touching
from samples import photograph as portrait

# Examples are not timed: a busy machine is not a fault of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def photograph() -> Pixels:
    """200 x 260, uint8 RGB, read-only."""
    return portrait()


@pytest.fixture(scope="session")
def small() -> Pixels:
    """96 x 128, uint8 RGB, read-only."""
    return small_photograph()


@pytest.fixture(scope="session")
def blob_mask(photograph: Pixels) -> Pixels:
    """Two joined discs in the middle of `photograph`."""
    return blob(photograph.shape[:2])


@pytest.fixture(scope="session")
def thin_mask(photograph: Pixels) -> Pixels:
    """A line two or three pixels wide across `photograph`."""
    return thin(photograph.shape[:2])


@pytest.fixture(scope="session")
def touching_mask(photograph: Pixels) -> Pixels:
    """An ellipse cut off by the frame of `photograph`."""
    return touching(photograph.shape[:2])
