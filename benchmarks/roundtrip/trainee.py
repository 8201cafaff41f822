"""Two steps of GRPO on a data set that is streamed from the Hub, with a vision-language model made on the spot.

python benchmarks/roundtrip/trainee.py user/name          HF_ENDPOINT and HF_TOKEN say where

Run in a process of its own, as somebody else would: all that it knows is the name of the data set. The model has
random weights and learns nothing; that prompts, images and rewards fit together is what is tried.
"""

import json
import sys
import tempfile
import time
import warnings
from typing import Any

from distortlab import tasks

STEPS, ANSWERS = 2, 4


def reward(completions: list[Any], task: list[str], solution: list[str], **columns: Any) -> list[float]:
    """What the tasks say of the answers."""
    texts = [completion[0]["content"] for completion in completions]
    return [tasks.score(*each).reward for each in zip(task, texts, solution, strict=True)]


def main() -> None:
    """Stream, train, and print what happened as JSON."""
    import torch
    import transformers
    from datasets import load_dataset
    from trl import GRPOConfig, GRPOTrainer

    from refine_iqa_train.training.tiny_model import save_tiny_model

    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    start = time.monotonic()
    data = load_dataset(sys.argv[1], "rft", split="train", streaming=True)
    first = list(data.take(16))
    streamed = time.monotonic() - start
    with tempfile.TemporaryDirectory() as folder:
        save_tiny_model(folder, "llava")
        config = GRPOConfig(
            output_dir=folder,
            per_device_train_batch_size=2 * ANSWERS,
            num_generations=ANSWERS,
            max_completion_length=32,
            max_steps=STEPS,
            logging_steps=1,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = GRPOTrainer(model=folder, reward_funcs=reward, args=config, train_dataset=data)
        trainer.train()
    logs = [log for log in trainer.state.log_history if "reward" in log]
    print(
        json.dumps(
            {
                "tasks": sorted({row["task"] for row in first}),
                "seconds_to_16_rows": round(streamed, 1),
                "steps": trainer.state.global_step,
                "losses": [log.get("loss") for log in logs],
                "rewards": [log["reward"] for log in logs],
            }
        )
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
