"""What is trained, and how long: every number of the experiment. They were chosen on the pool `choose`."""

from typing import Any

from windows import Mixture, list_variants

SEEDS = (0, 1, 2)
"""Of weights, order and sampling. The eye has one seed, 0, for all of them."""
TOKENS = 32
"""Of a completion, at most; the whole form takes 26 to 30."""
HELD = 512
"""Held-out windows for each seed, others for each."""
PROBED = 4000
"""Windows, with labels, that the linear probe is fitted on."""
EYE_STEPS = 600

SEEN = Mixture(list_variants(), (2, 3, 4, 5))
"""What the eye sees: all twelve families."""
FOUR = Mixture(
    {
        "noise": ("noise.gaussian_rgb",),
        "blur": ("blur.gaussian",),
        "quantization": ("quantization.uniform",),
        "saturate_weaken": ("saturate_weaken.ycbcr",),
    },
    (4,),
)
"""What is asked about: four families at one severity, so that the family is what there is to learn."""

_QUIET = {"save_strategy": "no", "disable_tqdm": True}
COLD: dict[str, Any] = {
    "max_steps": 200,
    "per_device_train_batch_size": 32,
    "learning_rate": 2e-3,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 5,
    "logging_steps": 10,
    **_QUIET,
}
"""The cold start: 144 windows, each shown 44 times with the solution of another one, until the model knows them by
heart. So it begins to look: after 4,160 windows that came once each it ignored pictures, and GRPO began late."""
GRPO: dict[str, Any] = {
    "max_steps": 40,
    "per_device_train_batch_size": 256,  # rollouts: 32 questions
    "num_generations": 8,
    "max_completion_length": TOKENS,
    "learning_rate": 5e-4,
    "lr_scheduler_type": "constant_with_warmup",
    "warmup_steps": 2,
    "beta": 0.1,
    "loss_type": "grpo",
    "logging_steps": 1,
    **_QUIET,
}
SUPERVISED: dict[str, Any] = {
    **COLD,
    "max_steps": GRPO["max_steps"],
    "learning_rate": GRPO["learning_rate"],
    "logging_steps": 1,
}
"""As many steps, as many questions in each, with the true answers."""
