"""Two steps of GRPO on a data set that is streamed from the Hub, with a vision-language model made on the spot.

python benchmarks/roundtrip/trainee.py user/name          HF_ENDPOINT and HF_TOKEN say where

Run in a process of its own, as somebody else would: all that it knows is the name of the data set. The model has 0.2
million random weights and learns nothing; that prompts, images and rewards fit together is what is tried.
"""

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from distortlab import tasks

STEPS, ANSWERS = 2, 4
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{{ '<image>' if c['type'] == 'image' else c['text'] }}{% endfor %}{% endif %}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tokenizer_of(texts: Iterable[str]) -> Any:
    """A byte-level tokenizer learned from some prompts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>"]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=700, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=special[1:],
        padding_side="left",
        chat_template=TEMPLATE,
    )


def save_model(folder: Path, texts: Iterable[str]) -> None:
    """A LLaVA: CLIP with two layers, Qwen2 with two layers, 64 patches for an image."""
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        Qwen2Config,
    )

    tokenizer = tokenizer_of(texts)
    small = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    image = tokenizer.convert_tokens_to_ids("<image>")
    ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    text = Qwen2Config(vocab_size=len(tokenizer), num_key_value_heads=4, **small, **ends)
    config = LlavaConfig(
        text_config=text,
        vision_config=CLIPVisionConfig(image_size=64, patch_size=8, **small),
        image_token_index=image,
        image_token_id=image,
        vision_feature_layer=-1,
    )
    model = LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False),
        tokenizer=tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        image_token="<image>",
        num_additional_image_tokens=1,
    ).save_pretrained(folder)


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

    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    start = time.monotonic()
    data = load_dataset(sys.argv[1], "rft", split="train", streaming=True)
    first = list(data.take(16))
    streamed = time.monotonic() - start
    with tempfile.TemporaryDirectory() as folder:
        save_model(Path(folder), [row["prompt"][0]["content"] for row in first])
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
