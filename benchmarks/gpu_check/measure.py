"""One run of the trainer, measured: python measure.py CONFIG STAGE OUT.json. A process of its own for each."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from transformers import TrainerCallback

WARM_UP = 1
"""Steps that are not counted: the first one fills caches and makes the moments of the optimizer."""


class Clock(TrainerCallback):  # type: ignore[misc]
    """Seconds of steps, and of the generation inside of each."""

    def __init__(self, synchronize: Callable[[], None]) -> None:
        self.steps: list[float] = []
        self.generations: list[float] = []
        self._synchronize = synchronize

    def _now(self) -> float:
        self._synchronize()
        return time.perf_counter()

    def on_step_begin(self, *_: object, **__: object) -> None:
        """The batch is there; answers are generated inside of the step."""
        self.generations.append(0.0)
        self._began = self._now()

    def on_step_end(self, *_: object, **__: object) -> None:
        """The weights are new."""
        self.steps.append(self._now() - self._began)

    def wrap(self, generate: Callable[..., Any]) -> Callable[..., Any]:
        """Count what a function takes as generation."""

        def run(*values: Any, **keys: Any) -> Any:
            began = self._now()
            found = generate(*values, **keys)
            self.generations[-1] += self._now() - began
            return found

        return run


def measure(config_file: str, stage: str) -> dict[str, Any]:
    import torch

    from distortlab.core.errors import UserError
    from refine_iqa_train.config.loading import load_config
    from refine_iqa_train.training.dry_run import estimate_run_memory
    from refine_iqa_train.training.prepare import prepare
    from refine_iqa_train.training.train import make_trainer

    gpu = torch.cuda.is_available()
    try:
        run = prepare(load_config(config_file), stage)
        computed = estimate_run_memory(run)
        clock = Clock(torch.cuda.synchronize if gpu else lambda: None)
        trainer = make_trainer(run)
        trainer.add_callback(clock)
        trainer._generate = clock.wrap(trainer._generate)
        trainer.train()
    except UserError as error:
        return {"status": "refused", "why": str(error)}
    except torch.cuda.OutOfMemoryError as error:
        return {"status": "out of memory", "why": str(error).splitlines()[0][:200]}
    steps, generations = clock.steps[WARM_UP:] or clock.steps, clock.generations[WARM_UP:] or clock.generations
    return {
        "status": "measured",
        "step_seconds": [round(seconds, 4) for seconds in clock.steps],
        "seconds": median(steps),
        "generation_share": sum(generations) / sum(steps),
        "peak_gib": read_peak() / 2**30,
        "computed_gib": computed["total"],
        "computed": dict(computed),
    }


def read_peak() -> float:
    """Bytes: of the GPU what PyTorch reserved at most, on a CPU the largest resident set of the process."""
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_reserved())
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


if __name__ == "__main__":
    found = measure(*sys.argv[1:3])
    if os.environ.get("RANK", "0") == "0":
        Path(sys.argv[3]).write_text(json.dumps(found))
