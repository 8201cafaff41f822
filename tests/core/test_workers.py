"""How a process of ours is set up."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("chosen", "found"), [(None, "system"), ("mimalloc", "mimalloc")])
def test_arrow_takes_memory_as_the_process_does_unless_somebody_chose_otherwise(chosen: str | None, found: str) -> None:
    program = (
        "from distortlab.core.workers import choose_arrow_pool; choose_arrow_pool(); "
        "import pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    )
    own = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    variables = own if chosen is None else {**own, "ARROW_DEFAULT_MEMORY_POOL": chosen}
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [found]
