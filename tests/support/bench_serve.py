"""`transformers serve` with a tiny model that has learnt one answer, in a process of its own on a free port."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from PIL import Image as Pillow

from refine_bench.prompts.protocols import find_protocol
from refine_iqa_train.training.tiny_model import save_tiny_model

__all__ = ["ANSWER", "make_taught_model", "serve_model"]

ANSWER = "<answer>Score:3.44</answer>"
STEPS = 40
PATIENCE_S = 90


def make_taught_model(folder: Path) -> None:
    """A tiny LLaVA that says `ANSWER` to the prompt of refine-iqa-no-think, whatever the picture."""
    import torch
    import transformers

    save_tiny_model(folder, "llava")
    processor = transformers.LlavaProcessor.from_pretrained(folder)
    model = transformers.LlavaForConditionalGeneration.from_pretrained(folder)
    prompt = find_protocol("refine-iqa-no-think").prompt
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": prompt}]}]
    asked = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    picture = Pillow.fromarray(np.full((24, 32, 3), 120, np.uint8))
    inputs = processor(text=[asked + ANSWER + processor.tokenizer.eos_token], images=[[picture]], return_tensors="pt")
    length = len(processor.tokenizer(ANSWER + processor.tokenizer.eos_token)["input_ids"])
    labels = inputs["input_ids"].clone()
    labels[:, :-length] = -100
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(STEPS):
        loss = model(**inputs, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)


@contextmanager
def serve_model(folder: Path, log: Path) -> Iterator[str]:
    """The server's URL, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = "from transformers.cli.transformers import main; main()"
    words = [sys.executable, "-c", start, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out, subprocess.Popen([*words, "--device", "cpu"], stdout=out, stderr=out) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")
