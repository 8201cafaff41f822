"""`GRPOTrainer` with the advantages of Refine-IQA, validation by task, and pages of samples.

Two methods are overridden, and both call the original: `_calculate_rewards`, which sees the rows with their
completions, and `_generate_and_score_completions`, which returns the advantages. Nothing of TRL is copied;
`tests/refine_iqa_train/training/test_trainer.py` fails when TRL moves them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from trl import GRPOTrainer

from refine_iqa_train.config.schema import Config
from refine_iqa_train.monitoring.held_out import HeldOutScores, score_answer
from refine_iqa_train.monitoring.samples_page import make_card, write_page
from refine_iqa_train.rewards.advantages import published_advantages
from refine_iqa_train.rewards.direct_scores import DirectScorer
from refine_iqa_train.rewards.task_rewards import get_text, is_fully_correct
from refine_iqa_train.rewards.teacher_forcing import has_digit_tokens

__all__ = ["RefineTrainer", "is_page_due"]


class RefineTrainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer; `config` is the run's. Rewards with a method `bind` are given the trainer."""

    _tag_names = ("trl", "grpo", "refine-iqa")
    _name = "Refine-IQA"

    def __init__(self, *, config: Config, **arguments: Any) -> None:
        self.config = config
        self._shown: int | None = None  # step of the latest page of samples
        super().__init__(**arguments)
        for reward in self.reward_funcs:
            if hasattr(reward, "bind"):
                reward.bind(self)
        self._direct = DirectScorer(self, config.rewards.micro_batch) if has_direct_scores(config, self) else None

    # --- the two seams ----------------------------------------------------------------------------------------------

    def _calculate_rewards(
        self, inputs: list[dict[str, Any]], prompts: list[Any], completions: list[Any], completion_ids_list: list[Any]
    ) -> Tensor:
        rewards: Tensor = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        self._rewards = rewards  # (B of all processes, functions)
        self._rated, self._right = self._gates(inputs, completions)
        if self.model.training:
            for name, n in zip(self.reward_func_names, (~rewards.isnan()).sum(0).tolist(), strict=True):
                self._metrics["train"][f"rewards/{name}/n"].append(float(n))
        else:
            self._validate(inputs, completions, self._direct.score(inputs, prompts) if self._direct else None)
        self._texts = [get_text(completion) for completion in completions]
        return rewards

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        with nullcontext() if self.model.training else self._held_out_manner():
            output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self.model.training:
            if self.config.rewards.advantages == "published":
                self._shape(output, len(inputs))
            self._show(inputs, output["advantages"])
        return output

    @contextmanager
    def _held_out_manner(self) -> Iterator[None]:
        """Held-out questions are answered greedily, or at their own temperature."""
        temperature = self.config.validation.temperature
        owner: Any = self.vllm_generation if self.use_vllm else self
        changes: dict[str, Any] = {"temperature": temperature}
        if not self.use_vllm:
            sampled = {"do_sample": True, "temperature": temperature}
            greedy = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None, "min_p": None}
            how = sampled if temperature else greedy
            # TRL puts the second in place of the model's own settings while it generates with the first
            generation, kwargs = deepcopy(self.generation_config), {**self.generation_kwargs, **how}
            generation.update(**how)
            changes = {"generation_config": generation, "generation_kwargs": kwargs}
        kept = {name: getattr(owner, name) for name in changes}
        try:
            vars(owner).update(changes)
            yield
        finally:
            vars(owner).update(kept)

    # --- advantages -------------------------------------------------------------------------------------------------

    def _gates(self, inputs: Sequence[dict[str, Any]], completions: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """(row is about quality, row is fully right), of all processes, (B,) bool each."""
        threshold = self.config.rewards.quality.threshold
        rated = [row["task"] == "quality" for row in inputs]
        right = [
            asked and is_fully_correct(get_text(completion), row["solution"], threshold)
            for asked, row, completion in zip(rated, inputs, completions, strict=True)
        ]
        both = torch.tensor([rated, right], device=self.accelerator.device).T.contiguous()
        everywhere: Tensor = self.accelerator.gather(both)
        return everywhere[:, 0], everywhere[:, 1]

    def _shape(self, output: dict[str, Any], count: int) -> None:
        """Put the published advantages in place of TRL's, for groups about quality."""
        rewards = (self._rewards * self.reward_weights.to(self._rewards.device)).nansum(1)
        shaped = published_advantages(rewards, self._right, self.num_generations)
        logged = self._logs["advantages"]
        latest = [logged.pop() for _ in range(len(rewards))][::-1]
        plain = torch.tensor(latest, device=rewards.device, dtype=rewards.dtype)
        advantages = torch.where(self._rated, shaped, plain)
        logged.extend(advantages.tolist())
        start = self.accelerator.process_index * count
        output["advantages"] = advantages[start : start + count].to(output["advantages"].dtype)
        if self._rated.any():
            groups = self._right[self._rated].view(-1, self.num_generations)
            self._metrics["train"]["groups_with_right"].append(groups.any(1).float().mean().item())

    # --- watching ---------------------------------------------------------------------------------------------------

    def _validate(
        self,
        inputs: Sequence[dict[str, Any]],
        completions: Sequence[Any],
        direct: Mapping[str, float | None] | None,
    ) -> None:
        """Metrics of all answers so far; the last batch leaves those of the whole validation."""
        from accelerate.utils import gather_object

        metrics = self._metrics["eval"]
        if "held_out/n" not in metrics:
            self._held_out = HeldOutScores(generations=self.num_generations_eval, direct=direct is not None)
        scores = direct or {}
        rows = [
            score_answer(
                row["sample_id"], row["task"], get_text(completion), row["solution"], scores.get(row["sample_id"])
            )
            for row, completion in zip(inputs, completions, strict=True)
        ]
        self._held_out.add(gather_object(rows))
        for name, value in self._held_out.compute_metrics().items():
            metrics[name] = [value]

    def _show(self, inputs: Sequence[dict[str, Any]], advantages: Tensor) -> None:
        """A page with the questions of this step, where one is due."""
        rules, step = self.config.watch, self.state.global_step
        if not self.accelerator.is_main_process or not is_page_due(step, self._shown, rules.samples_every):
            return
        self._shown = step
        rewards = self._rewards[: len(inputs)].tolist()  # the main process has the first rows
        questions: dict[str, tuple[dict[str, Any], list[tuple[str, dict[str, float], float]]]] = {}
        for row, text, values, advantage in zip(inputs, self._texts, rewards, advantages.tolist(), strict=True):
            named = dict(zip(self.reward_func_names, values, strict=True))
            questions.setdefault(row["sample_id"], (row, []))[1].append((text, named, advantage))
        cards = [make_card(row, rollouts) for row, rollouts in list(questions.values())[: rules.samples]]
        write_page(Path(self.args.output_dir) / "samples", step, cards)


def has_direct_scores(config: Config, trainer: Any) -> bool:
    """Whether held-out images are also scored without thinking: the same on all processes."""
    wanted = config.validation.direct and config.validation.every > 0 and config.data.rated is not None
    return wanted and has_digit_tokens(trainer.processing_class.tokenizer)


def is_page_due(step: int, latest: int | None, every: int) -> bool:
    """Whether a page is due at a step in which answers were generated; `latest` is the step of the latest page.

    Answers are not generated in every step: a page that falls due between two generations is written at the second.
    """
    return every > 0 and (latest is None or step // every > latest // every)
