"""`GRPOTrainer` with the advantages of Refine-IQA, validation by task, and pages of samples.

Two methods are overridden, and both call the original: `_calculate_rewards`, which sees the rows with their
completions, and `_generate_and_score_completions`, which returns the advantages. Nothing of TRL is copied;
`tests/refine_iqa_train/training/test_trainer.py` fails when TRL moves them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from trl import GRPOTrainer

from refine_iqa_train.config.schema import Config
from refine_iqa_train.models.protocols import PolicyTrainer
from refine_iqa_train.models.rows import Chat, Completion, TrainingRow
from refine_iqa_train.monitoring.held_out import HeldOutScores, score_answer
from refine_iqa_train.monitoring.samples_page import make_card, write_page
from refine_iqa_train.rewards.advantages import published_advantages
from refine_iqa_train.rewards.direct_scores import DirectScorer
from refine_iqa_train.rewards.grades import list_grades
from refine_iqa_train.rewards.shuffling import draw_reward_order
from refine_iqa_train.rewards.task_rewards import get_text, is_fully_correct
from refine_iqa_train.rewards.teacher_forcing import has_digit_tokens
from refine_iqa_train.training.reward_sampler import RewardSampler

__all__ = ["RefineTrainer", "Rollouts", "is_page_due"]


@dataclass(frozen=True, slots=True)
class Rollouts:
    """What one generation of training came to; B rollouts of all processes, b of this one.

    Parameters
    ----------
    rewards
        (B, functions) float, NaN where a function does not reward the row.
    is_rated
        (B,) bool: the question is about quality.
    is_correct
        (B,) bool: the answer about quality is fully correct, the published gate.
    texts
        The b completions of this process.
    """

    rewards: Tensor
    is_rated: Tensor
    is_correct: Tensor
    texts: Sequence[str]


class RefineTrainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer; `config` is the run's, `sampler` chooses the families of images made fresh by the rewards of the
    answers. Rewards with a method `bind` are given the trainer.
    """

    _tag_names = ("trl", "grpo", "refine-iqa")
    _name = "Refine-IQA"

    def __init__(self, *, config: Config, sampler: RewardSampler | None = None, **arguments: Any) -> None:
        self.config, self._sampler = config, sampler
        self._rollouts: Rollouts | None = None  # from the inner method to the outer one, and nowhere else
        self._held_out = HeldOutScores()
        self._latest_page: int | None = None  # its step
        self._generations = (-1, 0)  # a step, and how often answers were generated in it so far
        super().__init__(**arguments)
        for reward in self.reward_funcs:
            if hasattr(reward, "bind"):
                reward.bind(self)
        self._direct = DirectScorer(self, config.rewards.micro_batch) if has_direct_scores(config, self) else None

    # --- the two seams ----------------------------------------------------------------------------------------------

    def _calculate_rewards(
        self,
        inputs: list[TrainingRow],
        prompts: list[Chat],
        completions: list[Completion],
        completion_ids_list: list[list[int]],
    ) -> Tensor:
        rewards: Tensor = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        texts = [get_text(completion) for completion in completions]
        if self.model.training:
            is_rated, is_correct = self._find_correct(inputs, texts)
            if self.config.rewards.shuffle != "none":
                order = self._draw_reward_order(rewards)
                rewards, is_rated, is_correct = rewards[order], is_rated[order], is_correct[order]
            self._rollouts = Rollouts(rewards, is_rated, is_correct, texts)
            if self.config.exploration is not None and self.args.entropy_target:  # 0 before the first step
                self._metrics["train"]["entropy_target"].append(self.args.entropy_target)
            for name, n in zip(self.reward_func_names, (~rewards.isnan()).sum(0).tolist(), strict=True):
                self._metrics["train"][f"rewards/{name}/n"].append(float(n))
            if self._sampler is not None:
                self._update_sampler(self._sampler, inputs, texts, rewards)
        else:
            self._validate(inputs, completions, self._direct.score(inputs, prompts) if self._direct else None)
        return rewards

    def _generate_and_score_completions(self, inputs: list[TrainingRow]) -> dict[str, Any]:
        output: dict[str, Any]
        if not self.model.training:
            with self._validation_sampling():
                output = super()._generate_and_score_completions(inputs)
            return output
        output = super()._generate_and_score_completions(inputs)
        rollouts, self._rollouts = self._rollouts, None
        assert rollouts is not None, "TRL calculates rewards while it scores completions"
        if self.config.rewards.advantages == "published":
            output["advantages"] = self._publish_advantages(output["advantages"], rollouts)
        self._write_samples(inputs, rollouts, output["advantages"])
        return output

    @contextmanager
    def _validation_sampling(self) -> Iterator[None]:
        """Held-out questions are answered greedily, or at their own temperature."""
        temperature = self.config.validation.temperature
        owner: object = self.vllm_generation if self.use_vllm else self
        changes: dict[str, object] = {"temperature": temperature}
        if not self.use_vllm:
            sampled = {"do_sample": True, "temperature": temperature}
            greedy = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None, "min_p": None}
            keys = sampled if temperature else greedy
            # TRL puts the second in place of the model's own settings while it generates with the first
            generation, kwargs = deepcopy(self.generation_config), {**self.generation_kwargs, **keys}
            generation.update(**keys)
            changes = {"generation_config": generation, "generation_kwargs": kwargs}
        originals = {name: getattr(owner, name) for name in changes}
        try:
            vars(owner).update(changes)
            yield
        finally:
            vars(owner).update(originals)

    def _draw_reward_order(self, rewards: Tensor) -> Tensor:
        """Whose rewards each answer gets in a control, (B,) int: the same on every process, and in a run that goes on.

        `rewards`: (B, functions), of all processes.
        """
        within, (step, number), now = self.config.rewards.shuffle, self._generations, self.state.global_step
        assert within != "none"
        self._generations = (now, number + 1 if now == step else 0)
        address = (self.config.seed, "shuffled rewards", *self._generations)
        return draw_reward_order(rewards, self.num_generations, within, address).to(rewards.device)

    # --- what is made next ------------------------------------------------------------------------------------------

    def _update_sampler(
        self, sampler: RewardSampler, inputs: Sequence[TrainingRow], texts: Sequence[str], rewards: Tensor
    ) -> None:
        """Take the rewards of all processes into the sampler, and log by which shares these items were drawn."""
        from accelerate.utils import gather_object

        start = self.accelerator.process_index * len(inputs)
        own = rewards[start : start + len(inputs)].tolist()
        by_name = (dict(zip(self.reward_func_names, values, strict=True)) for values in own)
        rules = self.config.rewards
        grades = [
            grade
            for row, text, values in zip(inputs, texts, by_name, strict=True)
            for grade in list_grades(row, text, values, rules)
        ]
        generation = inputs[0]["item"] // (self.args.generation_batch_size // self.num_generations)
        sampler.update(generation, gather_object(grades))
        for name, share in sampler.list_shares(generation).items():
            self._metrics["train"][f"sampler/{name}"].append(share)

    # --- advantages -------------------------------------------------------------------------------------------------

    def _find_correct(self, inputs: Sequence[TrainingRow], texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """(question is about quality, answer is fully correct), of all processes, (B,) bool each."""
        threshold = self.config.rewards.quality.threshold
        rated = [row["task"] == "quality" for row in inputs]
        correct = [
            is_rated and is_fully_correct(text, row["solution"], threshold)
            for is_rated, row, text in zip(rated, inputs, texts, strict=True)
        ]
        both = torch.tensor([rated, correct], device=self.accelerator.device).T.contiguous()
        gathered: Tensor = self.accelerator.gather(both)
        return gathered[:, 0], gathered[:, 1]

    def _publish_advantages(self, plain: Tensor, rollouts: Rollouts) -> Tensor:
        """The published advantages in place of TRL's for groups about quality, in TRL's log too.

        `plain` and the result: (b,), the rollouts of this process.
        """
        rewards = (rollouts.rewards * self.reward_weights.to(rollouts.rewards.device)).nansum(1)
        published = published_advantages(rewards, rollouts.is_correct, self.num_generations)
        logged = self._logs["advantages"]
        latest = [logged.pop() for _ in range(len(rewards))][::-1]
        everywhere = torch.tensor(latest, device=rewards.device, dtype=rewards.dtype)
        advantages = torch.where(rollouts.is_rated, published, everywhere)
        logged.extend(advantages.tolist())
        if rollouts.is_rated.any():
            groups = rollouts.is_correct[rollouts.is_rated].view(-1, self.num_generations)
            self._metrics["train"]["groups_with_right"].append(groups.any(1).float().mean().item())
        count = len(rollouts.texts)
        start = self.accelerator.process_index * count
        return advantages[start : start + count].to(plain.dtype)

    # --- monitoring -------------------------------------------------------------------------------------------------

    def _validate(
        self,
        inputs: Sequence[TrainingRow],
        completions: Sequence[Completion],
        direct: Mapping[str, float | None] | None,
    ) -> None:
        """Metrics of all answers so far; the last batch leaves those of the whole validation."""
        from accelerate.utils import gather_object

        metrics = self._metrics["eval"]
        if "held_out/n" not in metrics:
            self._held_out = HeldOutScores(generations=self.num_generations_eval, direct=direct is not None)
        scores = direct or {}
        answers = [
            score_answer(row["sample_id"], row["task"], get_text(text), row["solution"], scores.get(row["sample_id"]))
            for row, text in zip(inputs, completions, strict=True)
        ]
        self._held_out.add(gather_object(answers))
        for name, value in self._held_out.compute_metrics().items():
            metrics[name] = [value]

    def _write_samples(self, inputs: Sequence[TrainingRow], rollouts: Rollouts, advantages: Tensor) -> None:
        """A page with the questions of this step, where one is due."""
        rules, step = self.config.watch, self.state.global_step
        if not self.accelerator.is_main_process or not is_page_due(step, self._latest_page, rules.samples_every):
            return
        self._latest_page = step
        rewards = rollouts.rewards[: len(inputs)].tolist()  # the main process has the first rows
        questions: dict[str, tuple[TrainingRow, list[tuple[str, dict[str, float], float]]]] = {}
        for row, text, values, advantage in zip(inputs, rollouts.texts, rewards, advantages.tolist(), strict=True):
            by_name = dict(zip(self.reward_func_names, values, strict=True))
            questions.setdefault(row["sample_id"], (row, []))[1].append((text, by_name, advantage))
        cards = [make_card(row, answers) for row, answers in list(questions.values())[: rules.samples]]
        write_page(Path(self.args.output_dir) / "samples", step, cards)


def has_direct_scores(config: Config, trainer: PolicyTrainer) -> bool:
    """Whether held-out images are also scored without thinking: the same on all processes."""
    is_asked_for = config.validation.direct and config.validation.every > 0 and config.data.rated is not None
    return is_asked_for and has_digit_tokens(trainer.processing_class.tokenizer)


def is_page_due(step: int, latest: int | None, every: int) -> bool:
    """Whether a page is due at a step in which answers were generated; `latest` is the step of the latest page.

    Answers are not generated in every step: a page that falls due between two generations is written at the second.
    """
    return every > 0 and (latest is None or step // every > latest // every)
