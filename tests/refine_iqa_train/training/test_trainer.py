"""What the trainer leans on in TRL and transformers: when one of these moves, this is where it shows."""

import ast
import inspect
from pathlib import Path

import trl
from trl import GRPOConfig, GRPOTrainer
from trl.generation.vllm_generation import VLLMGeneration

import refine_iqa_train
from refine_iqa_train.training.trainer import RefineTrainer

PACKAGE = Path(refine_iqa_train.__file__).parent


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


def test_qwen_processors_take_their_parts_from_the_signature() -> None:
    from transformers.processing_utils import ProcessorMixin

    from refine_iqa_train.models.processors import make_image_only_class

    assert ProcessorMixin.__init__ is not make_image_only_class("qwen3_vl").__init__
    assert parameters(make_image_only_class("qwen3_vl").__init__)[1:] == [
        "image_processor",
        "tokenizer",
        "chat_template",
    ]


def test_of_the_harness_only_the_rated_sets_are_known() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            harness = {name for name in names if name.split(".")[0] == "refine_bench"}
            assert harness <= {"refine_bench.datasets"}, path
