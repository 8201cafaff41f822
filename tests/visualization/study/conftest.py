"""A data set for studies, and the page of one."""

from pathlib import Path

import pytest
from study_samples import make_study_data

from distortlab.analysis.study.stimuli import Stimuli, read_stimuli
from distortlab.dataset.reader import open_data
from distortlab.visualization.study import StudySummary, write_study


@pytest.fixture(scope="session")
def study_data(usual: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty images of six references: every family at every severity, V from 0.4 to 12."""
    return make_study_data(usual, tmp_path_factory.mktemp("study") / "people")


@pytest.fixture(scope="session")
def stimuli(study_data: Path) -> Stimuli:
    return read_stimuli(open_data(study_data))


@pytest.fixture(scope="session")
def written(study_data: Path) -> StudySummary:
    return write_study(study_data, study_data.parent / "study.html", trials=80, orders=12, blank=0.0)
