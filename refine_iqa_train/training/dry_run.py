"""Everything of a run but the training: data, one batch, rewards, token counts, an estimate of memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import TypedDict

from distortlab.core.errors import UserError, describe_unknown
from refine_iqa_train.config.controls import list_controls
from refine_iqa_train.config.schema import Config
from refine_iqa_train.models.chat import format_true_completion
from refine_iqa_train.models.memory import MemoryEstimate, Workload, estimate_memory, measure_model_shape
from refine_iqa_train.models.processors import load_model_config
from refine_iqa_train.models.rows import TrainingRow
from refine_iqa_train.rewards.task_rewards import format_reward, make_scorers
from refine_iqa_train.training.prepare import PreparedRun, prepare

__all__ = ["Findings", "dry_run", "estimate_run_memory", "format_findings", "resolve_stage"]

STAGES = ("sft", "stage1", "stage2")
SAMPLE_SIZE = 64
"""Questions whose tokens are counted."""


def resolve_stage(given: str, source: str, config: Config) -> str:
    """Find the stage that is meant: as given, as the name of the file says, or as the data say. Raises `UserError`."""
    if given:
        if given not in STAGES:
            raise UserError(describe_unknown("stage", given, STAGES))
        return given
    name = Path(source).stem
    named = [stage for stage in STAGES if stage in name]
    return named[0] if len(named) == 1 else ("stage2" if config.data.rated else "stage1")


class TokenCounts(TypedDict):
    """Of the prompts, images counted as the model sees them."""

    least: int
    mean: int
    most: int


class MemoryFindings(TypedDict, total=False):
    """An estimate in GiB; `fits` and `gpu_gib` where the memory of a GPU was given."""

    memory_gib_computed: Mapping[str, float]
    fits: bool
    gpu_gib: float


class Findings(MemoryFindings):
    """What a run would do; `rewards_of_the_truth` by task, 1 where all is well."""

    stage: str
    model: str
    family: str
    questions: Mapping[str, int]
    validation: int | None
    prompt_tokens: TokenCounts
    image_policy: Mapping[str, object]
    rewards_of_the_truth: Mapping[str, float]
    example: Mapping[str, str]
    question: str
    notes: Sequence[str]


def dry_run(config: Config, stage: str, gpu_gib: float | None = None) -> Findings:
    """Prepare a run and say what it would do, without loading the weights of the model.

    Parameters
    ----------
    config
        The run's.
    stage
        "sft", "stage1" or "stage2".
    gpu_gib
        Memory of a GPU; None: nothing is said about whether the run fits.

    Raises
    ------
    UserError
        As the run itself would, and where the true answers are not paid in full.
    """
    run = prepare(config, stage)
    rows = list(_sample_rows(run))
    tokens = [_count_tokens(run, row) for row in rows]
    first = rows[0]
    return {
        "stage": stage,
        "model": config.model,
        "family": run.family.model_type,
        "questions": dict(run.data.counts),
        "validation": None if run.data.validation is None else len(run.data.validation),
        "prompt_tokens": {"least": min(tokens), "mean": round(fmean(tokens)), "most": max(tokens)},
        "image_policy": asdict(run.policy),
        "rewards_of_the_truth": _reward_truths(run, rows),
        "example": {"sample_id": first["sample_id"], "task": first["task"], "solution": first["solution"]},
        "question": str(first["prompt"][-1]["content"]),
        "notes": [*(f"a CONTROL: {control}" for control in list_controls(config)), *run.notes],
        **_estimate_memory(run, max(tokens), gpu_gib),
    }


def _sample_rows(run: PreparedRun) -> Iterable[TrainingRow]:
    data = run.data.train
    if run.data.files is None:
        return list(data.take(SAMPLE_SIZE))
    step = max(1, len(data) // SAMPLE_SIZE)
    return (data[place] for place in range(0, len(data), step))


def _count_tokens(run: PreparedRun, row: TrainingRow) -> int:
    from trl.data_utils import prepare_multimodal_messages

    chat = prepare_multimodal_messages(row["prompt"], images=row["images"])
    encoded = run.processor.apply_chat_template([chat], add_generation_prompt=True, tokenize=True, return_dict=True)
    return len(encoded["input_ids"][0])


def _reward_truths(run: PreparedRun, rows: Iterable[TrainingRow]) -> dict[str, float]:
    """What the true answers are paid, by task: 1, or something is wrong with data or rewards."""
    rewards: dict[str, list[float]] = {}
    tasks = make_scorers(run.config.rewards)
    for row in rows:
        completion = format_true_completion(row["task"], row["solution"])
        rewards.setdefault(row["task"], []).append(tasks[row["task"]](completion, row["solution"]).reward)
        rewards.setdefault("format", []).append(format_reward([completion], [row["task"]])[0] or 0.0)
    low = {task: min(values) for task, values in rewards.items() if min(values) < 1}
    if low:
        raise UserError(f"the true answers of {', '.join(low)} are not paid in full: {low}; is the data set damaged?")
    return {task: fmean(values) for task, values in sorted(rewards.items())}


def _estimate_memory(run: PreparedRun, prompt: int, gpu_gib: float | None) -> MemoryFindings:
    memory = _compute_memory(run, prompt)
    if gpu_gib is None:
        return {"memory_gib_computed": memory.as_dict()}
    return {"memory_gib_computed": memory.as_dict(), "fits": memory.total <= gpu_gib, "gpu_gib": gpu_gib}


def estimate_run_memory(run: PreparedRun) -> Mapping[str, float]:
    """Estimate what a prepared run needs on each GPU without sharding, in GiB: parts, and "total"."""
    return _compute_memory(run, max(_count_tokens(run, row) for row in _sample_rows(run))).as_dict()


def _compute_memory(run: PreparedRun, prompt: int) -> MemoryEstimate:
    config, arguments = run.config, run.arguments
    rows = arguments.per_device_train_batch_size
    generated = run.stage != "sft"
    load = Workload(
        rows=rows,
        rollouts=rows * arguments.steps_per_generation if generated and not arguments.use_vllm else 0,
        prompt=prompt,
        completion=arguments.max_completion_length if generated else 256,
        lora=config.lora.r if config.lora else None,
        four_bit=bool(config.lora and config.lora.four_bit),
        checkpointing=bool(arguments.gradient_checkpointing),
        reference=generated and arguments.beta != 0,
        frozen_vision=config.frozen_vision,
        trained=run.trained,
    )
    return estimate_memory(measure_model_shape(load_model_config(config.model, config.revision)), load)


def format_findings(findings: Findings) -> str:
    """Format the findings as text."""
    tokens, memory = findings["prompt_tokens"], findings["memory_gib_computed"]
    counts = ", ".join(f"{task} {n:,}" for task, n in sorted(findings["questions"].items())) or "a stream, not counted"
    lines = [
        f"{findings['stage']}: {findings['model']} ({findings['family']})",
        f"questions: {counts}",
        f"held out: {findings['validation'] if findings['validation'] is not None else 'none'}",
        f"prompt tokens: {tokens['least']:,} to {tokens['most']:,}, mean {tokens['mean']:,}",
        "true answers are paid: " + ", ".join(f"{task} {v:g}" for task, v in findings["rewards_of_the_truth"].items()),
        f"memory of one GPU without sharding (computed, GiB): {memory['total']:.1f} = "
        + ", ".join(f"{name} {value:.1f}" for name, value in memory.items() if name != "total")
        + " (the larger of the last two), and what the allocator keeps",
    ]
    if "fits" in findings:
        verdict = "should fit" if findings["fits"] else "will not fit"
        lines.append(
            f"{verdict} on a GPU of {findings['gpu_gib']:g} GiB; sharding, adapters and smaller batches take less"
        )
    lines += [f"note: {note}" for note in findings["notes"]]
    example = findings["example"]
    lines += [
        "",
        f"for example {example['sample_id']} ({example['task']}):",
        findings["question"],
        f"-> {example['solution']}",
    ]
    return "\n".join(lines)
