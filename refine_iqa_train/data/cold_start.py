"""Answers for a supervised cold start: what is in the row, put into a sentence, then the solution.

The thinking is made from the labels by templates; it teaches the form and the words, not how to reason.
"""

from distortlab.tasks import Unread
from distortlab.tasks.recognition import NONE
from distortlab.tasks.region_lists import DistortedRegion, parse_regions
from distortlab.tasks.terms import LEVELS, LOOKS, get_phrase
from refine_iqa_train.models.chat import direct_prompt, format_true_completion
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
    text = format_true_completion(task, solution, thinking)
    return {
        "prompt": direct_prompt(question["prompt"]) if direct else question["prompt"],
        "images": question["images"],
        "completion": [{"role": "assistant", "content": text}],
    }


def write_thinking(task: str, solution: str, family: str | None) -> str:
    """Write sentences that lead to the solution: one or two, or one for each region of a set.

    Parameters
    ----------
    task, solution
        Of the question.
    family
        That of the distortion; None where a question is not about one of them.
    """
    if solution in (NONE, "[]"):
        return "Every part of this image looks as it would in a clean photograph."
    if task == "diagnosis":
        return _describe_regions(solution)
    if task.startswith("comparison"):
        kind = "region" if task == "comparison_regions" else "image"
        return f"The {solution.lower()} {kind} is further away from a clean photograph than the other one."
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


def _describe_regions(solution: str) -> str:
    found = parse_regions(solution)
    if isinstance(found, Unread) or not found.is_strict:
        raise ValueError(f"not a solution of diagnosis: {solution[:80]!r}")
    return " ".join(map(_describe_region, found.regions))


def _describe_region(region: DistortedRegion) -> str:
    box = list(map(int, region.box))
    family = str(region.family)
    return f"At {box} {LOOKS[family]}: {get_phrase(family).lower()}, {region.severity} of {len(LEVELS)}."
