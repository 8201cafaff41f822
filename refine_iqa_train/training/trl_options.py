"""What TRL offers under keys below `trainer`: the table in docs/training.md, and what the tests try.

Values are those of the papers as far as they give any; the tests train two steps with every row that needs no GPU.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["OPTIONS", "Option", "format_markdown_table"]


@dataclass(frozen=True, slots=True)
class Option:
    """A method with its keys below `trainer`.

    Parameters
    ----------
    name, what
        The method, and what it changes.
    keys
        Keys of TRL's `GRPOConfig` with values.
    source
        An arXiv identifier, or "TRL".
    metric
        A metric that TRL logs only where the method is on, or "".
    published
        Whether it goes together with `rewards.advantages: published` in stage 2, which scales rewards its own way.
    gpu
        Whether it needs a GPU: not tried.
    """

    name: str
    what: str
    keys: Mapping[str, object]
    source: str
    metric: str = ""
    published: bool = True
    gpu: bool = False


OPTIONS = (
    Option(
        "DAPO",
        "loss over all tokens of a batch (TRL's default), a higher upper clip, cut-off answers left out (all of them, "
        "where `max_completion_length` is too short: then nothing is learnt)",
        {"loss_type": "dapo", "epsilon_high": 0.28, "mask_truncated_completions": True},
        "2503.14476",
    ),
    Option(
        "Dr. GRPO",
        "no division by the length of an answer or by the spread of a group",
        {"loss_type": "dr_grpo", "scale_rewards": "none"},
        "2503.20783",
        published=False,
    ),
    Option(
        "GSPO",
        "importance of whole answers; for answers that are used more than once (`steps_per_generation`)",
        {
            "importance_sampling_level": "sequence",
            "loss_type": "grpo",
            "epsilon": 3e-4,
            "epsilon_high": 4e-4,
            "steps_per_generation": 4,
        },
        "2507.18071",
    ),
    Option(
        "CISPO",
        "clips the weight of a token, and never its gradient",
        {"loss_type": "cispo", "epsilon_high": 5.0},
        "2506.13585",
        metric="cispo_clip_ratio",
    ),
    Option(
        "SAPO",
        "a soft gate in place of the clip",
        {"loss_type": "sapo", "sapo_temperature_pos": 1.0, "sapo_temperature_neg": 1.05},
        "2511.20347",
    ),
    Option(
        "LUSPO",
        "GSPO without its preference for short answers",
        {"loss_type": "luspo", "importance_sampling_level": "sequence"},
        "2602.05261",
    ),
    Option(
        "VESPO",
        "a smooth weight for whole answers",
        {"loss_type": "vespo"},
        "2602.10693",
        metric="vespo/phi_seq_mean",
    ),
    Option(
        "two-sided clip",
        "a limit for tokens that became much likelier in an answer worse than its group",
        {"delta": 2.0},
        "2505.07291",
    ),
    Option(
        "scaling by the batch",
        "rewards divided by the spread of the batch, not of their group",
        {"scale_rewards": "batch"},
        "2508.08221",
        published=False,
    ),
    Option(
        "GDPO",
        "each reward normalized by itself, then summed",
        {"multi_objective_aggregation": "normalize_then_sum"},
        "2601.05242",
        published=False,
    ),
    Option(
        "entropy bonus",
        "pays for uncertainty; against a collapse of entropy",
        {"entropy_coef": 1e-3},
        "TRL",
    ),
    Option(
        "adaptive entropy",
        "the bonus only below a target: set it near the entropy of the first steps",
        {"use_adaptive_entropy": True, "entropy_coef": 1e-3, "entropy_target": 0.5, "entropy_coef_delta": 5e-3},
        "2505.22312",
        metric="entropy_coef",
    ),
    Option(
        "80/20 rule",
        "only the fifth of the tokens that are least certain",
        {"top_entropy_quantile": 0.2},
        "2506.01939",
    ),
    Option(
        "KL",
        "a pull towards the model before training; a second copy of the weights (with LoRA none)",
        {"beta": 0.04},
        "2402.03300",
        metric="kl",
    ),
    Option(
        "KL to a moving reference",
        "the same, towards a copy that follows every so many steps",
        {"beta": 0.04, "sync_ref_model": True, "ref_model_mixup_alpha": 0.6, "ref_model_sync_steps": 64},
        "2404.09656",
        metric="kl",
    ),
    Option(
        "two passes over an answer",
        "answers are generated half as often",
        {"num_iterations": 2},
        "2402.03300",
    ),
    Option(
        "vLLM",
        "answers by vLLM on the GPUs that train; it sleeps, its memory given back, while they do",
        {
            "use_vllm": True,
            "vllm_mode": "colocate",
            "vllm_enable_sleep_mode": True,
            "vllm_gpu_memory_utilization": 0.3,
        },
        "TRL",
        gpu=True,
    ),
    Option(
        "vLLM server",
        "answers by `trl vllm-serve --model ...` on other GPUs",
        {"use_vllm": True, "vllm_mode": "server", "vllm_server_base_url": "http://host:8000"},
        "TRL",
        gpu=True,
    ),
)


def format_markdown_table() -> str:
    """Format the options as a table of Markdown."""
    rows = ["| method | keys below `trainer` | what it does | source | tried |", "|---|---|---|---|---|"]
    return "\n".join([*rows, *map(_format_row, OPTIONS)])


def _format_row(option: Option) -> str:
    keys = ", ".join(f"`{key}: {_format_yaml(value)}`" for key, value in option.keys.items())
    source = option.source if option.source == "TRL" else f"arXiv {option.source}"
    plain = "" if option.published else "; in stage 2 with `rewards.advantages: plain`"
    return (
        f"| {option.name} | {keys} | {option.what}{plain} | {source} | {'no: needs a GPU' if option.gpu else 'yes'} |"
    )


def _format_yaml(value: object) -> str:
    """A value as YAML 1.2 has it: with the point without which YAML 1.1 reads 3e-4 as text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value < 1e-2:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    return str(value)
