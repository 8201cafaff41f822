"""Prompts as lists of messages."""

from collections.abc import Sequence
from typing import Any

from distortlab.tasks import quality

__all__ = ["direct_prompt"]


def direct_prompt(prompt: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same question with its images, to be answered without thinking."""
    text = quality.question(think=False)

    def replace_text(message: dict[str, Any]) -> dict[str, Any]:
        if message["role"] != "user":
            return message
        if isinstance(message["content"], str):
            return {**message, "content": text}
        return {**message, "content": [{**c, "text": text} if c["type"] == "text" else c for c in message["content"]]}

    return [replace_text(message) for message in prompt]
