"""What the trainer leans on in TRL and transformers: when one of these moves, this is where it shows."""

import inspect

import trl
from hypothesis import given
from hypothesis import strategies as st
from trl import GRPOConfig, GRPOTrainer
from trl.generation.vllm_generation import VLLMGeneration

from refine_iqa_train.config.exploration import ENTROPY_KEYS
from refine_iqa_train.training.trainer import RefineTrainer, is_page_due


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_the_release_is_one_that_is_allowed() -> None:
    major, minor = map(int, trl.__version__.split(".")[:2])
    assert major == 1
    assert minor >= 16


def test_the_two_methods_have_their_signatures() -> None:
    assert parameters(GRPOTrainer._generate_and_score_completions) == ["self", "inputs"]
    assert parameters(GRPOTrainer._calculate_rewards) == [
        "self",
        "inputs",
        "prompts",
        "completions",
        "completion_ids_list",
    ]
    for name in ("_generate_and_score_completions", "_calculate_rewards"):
        assert parameters(getattr(RefineTrainer, name)) == parameters(getattr(GRPOTrainer, name))


def test_nothing_else_of_the_trainer_is_overridden() -> None:
    public = {name for name in vars(RefineTrainer) if not name.startswith("__") and callable(vars(RefineTrainer)[name])}
    ours = {name for name in public if hasattr(GRPOTrainer, name)}
    assert ours == {"_calculate_rewards", "_generate_and_score_completions"}


def test_what_is_read_from_the_trainer_is_still_there() -> None:
    source = inspect.getsource(GRPOTrainer)
    for name in ("_metrics", "_logs", "reward_weights", "num_generations_eval", "reward_func_names"):
        assert f"self.{name}" in source
    for key in ("completion_ids=", "log_metric", '"advantages": advantages'):
        assert key in source
    assert 'self._logs["advantages"].extend(' in source
    for key in ("generation_config=self.generation_config", "generation_kwargs=self.generation_kwargs"):
        assert key in source
    assert "temperature = self.temperature" in inspect.getsource(VLLMGeneration.generate)
    for key in ("num_generations_eval", "steps_per_generation", "reward_weights", "scale_rewards"):
        assert key in GRPOConfig.__dataclass_fields__


@given(every=st.integers(1, 40), apart=st.integers(1, 40), begin=st.integers(0, 100))
def test_a_page_falls_due_once_in_every_interval(every: int, apart: int, begin: int) -> None:
    """Answers are generated every so many steps, from a step on: the first is shown, and one for each time due."""
    shown: list[int] = []
    generations = range(begin, begin + 400, apart)
    for step in generations:
        if is_page_due(step, shown[-1] if shown else None, every):
            shown.append(step)
        assert not is_page_due(step, None, 0)
    firsts = {step // every: step for step in reversed(generations)}
    assert shown == sorted(firsts.values())


def test_the_entropy_that_a_target_is_a_share_of_is_still_there() -> None:
    source = inspect.getsource(GRPOTrainer)
    for key in ("self._last_world_entropy = world_entropy", "self._last_world_entropy <= self.args.entropy_target"):
        assert key in source
    assert set(ENTROPY_KEYS) <= set(GRPOConfig.__dataclass_fields__)
