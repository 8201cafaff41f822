"""Prompts as lists of messages."""

from distortlab.tasks import TASKS, quality
from distortlab.tasks.answer import format_completion
from refine_iqa_train.models.rows import Chat, Message

__all__ = ["direct_prompt", "format_true_answer", "format_true_completion"]


def direct_prompt(prompt: Chat) -> list[Message]:
    """The same question with its images, to be answered without thinking."""
    text = quality.question(think=False)

    def replace_text(message: Message) -> Message:
        if message["role"] != "user":
            return message
        if isinstance(message["content"], str):
            return {**message, "content": text}
        return {**message, "content": [{**c, "text": text} if c["type"] == "text" else c for c in message["content"]]}

    return [replace_text(message) for message in prompt]


def format_true_answer(task: str, solution: str) -> str:
    """What stands between the tags of an answer that is paid in full."""
    return f"Score:{solution}" if task == "quality" else solution


def format_true_completion(task: str, solution: str, thinking: str | None = "...") -> str:
    """A completion that is paid in full; without `thinking` it is the answer alone."""
    return format_completion(format_true_answer(task, solution), thinking, TASKS[task].limit)
