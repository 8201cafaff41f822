"""Answers for a supervised cold start: what is in the row, put into a sentence, then the solution.

The thinking is made from the labels by templates; it teaches the form and the words, not how to reason.
"""

from distortlab.tasks.answer import format_completion
from distortlab.tasks.terms import LEVELS, LOOKS
from refine_iqa_train.models.chat import direct_prompt, format_true_answer
from refine_iqa_train.models.rows import ColdStartRow, TrainingRow

__all__ = ["make_cold_start_row", "write_thinking"]

STANDARDS = ("very poor", "poor", "fair", "good", "excellent")


def make_cold_start_row(question: TrainingRow, direct: bool = False) -> ColdStartRow:
    """Add the completion that is taught to a question.

    Parameters
    ----------
    question
        As `prepare_question` makes it.
    direct
        Ask a question about quality for the score alone, and answer it without thinking; others stay as they are.
    """
    task, solution = question["task"], question["solution"]
    direct = direct and task == "quality"
    thinking = None if direct else write_thinking(task, solution, question["family"])
    text = format_completion(format_true_answer(task, solution), thinking)
    return {
        "prompt": direct_prompt(question["prompt"]) if direct else question["prompt"],
        "images": question["images"],
        "completion": [{"role": "assistant", "content": text}],
    }


def write_thinking(task: str, solution: str, family: str | None) -> str:
    """Write one or two sentences that lead to the solution.

    Parameters
    ----------
    task, solution
        Of the question.
    family
        That of the distortion; None for rated images.
    """
    if task == "quality" or family is None:
        standard = STANDARDS[min(4, round(float(solution)) - 1)]
        return f"The quality of this picture is {standard}."
    looks = LOOKS[family]
    if task == "object":
        return f"In one object {looks}. It is the {solution}."
    if task == "grounding":
        return f"In one region {looks}. It lies at {solution}."
    kind, level = solution.rsplit(", ", 1)
    return f"{looks[0].upper()}{looks[1:]}: {kind.lower()}, {LEVELS.index(level) + 1} of 5."
