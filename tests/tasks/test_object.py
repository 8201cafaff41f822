"""Laws of the object task: the name as listed scores 1, any other name 0."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.tasks import object as task
from distortlab.tasks.answer import LIMIT, format_completion, is_answerable

AWKWARD = [
    "dog",
    "hot dog",
    "dog, hot",
    'the "big" dog',
    "l'oiseau",
    "dog's bowl",
    "C++",
    "C#",
    "🐶",
    "...",
    "犬",
    "कि",
    "का",
]
names = st.text(min_size=1, max_size=40).filter(lambda name: is_answerable(name) and bool(task.normalize_name(name)))


def say(answer: str) -> str:
    return format_completion(answer, thinking="Let me see.")


@given(name=names, other=names)
def test_the_truth_scores_one_and_another_name_zero(name: str, other: str) -> None:
    solution = task.truth(name)
    assert task.score(say(solution), solution).value == 1.0
    assert task.score(say(task.truth(other)), solution).value == float(
        task.normalize_name(other) == task.normalize_name(name)
    )


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_are_told_apart(name: str) -> None:
    task.question(AWKWARD)
    for other in AWKWARD:
        assert task.score(say(task.truth(other)), task.truth(name)).value == float(other == name)


@pytest.mark.parametrize(
    "answer",
    [
        "hot dog",
        "Hot Dog.",
        "HOT-DOG",
        "the hot dog",
        "a hot_dog",
        "**hot dog**",
        "`hot dog`",
        " “hot  dog”\n",
    ],
)
def test_case_punctuation_and_articles_do_not_matter(answer: str) -> None:
    assert task.score(say(answer), "hot dog").value == 1.0


@pytest.mark.parametrize(
    "answer", ["dog", "hot", "hot dogs", "hot dog, dog", "hot dog or dog", "not hot dog", "hotdog"]
)
def test_parts_and_hedges_are_not_the_name(answer: str) -> None:
    assert task.score(say(answer), "hot dog").value == 0.0


@pytest.mark.parametrize(
    ("completion", "status"),
    [
        ("dog", "missing"),
        ("<answer></answer>", "empty"),
        ("<answer>dog</answer><answer>dog</answer>", "repeated"),
        (f"<answer>{'dog ' * 250_000}</answer>", "long"),
    ],
)
def test_no_answer_is_not_a_wrong_answer(completion: str, status: str) -> None:
    verdict = task.score(completion, "dog")
    assert (verdict.value, verdict.status) == (None, status)


@pytest.mark.parametrize(
    "candidates",
    [[], ["dog"], ["dog", "dog"], ["dog", "Dog"], ["hot dog", "hot-dog"], ["dog", "the dog."], ["dog", " "]],
)
def test_candidates_that_cannot_be_told_apart_are_not_asked_about(candidates: list[str]) -> None:
    with pytest.raises(ValueError, match=r"candidates|not a name"):
        task.question(candidates)


@pytest.mark.parametrize("name", ["", " \n", "\u00a0", "a" * (LIMIT + 1), "<answer>", "a</Think>b"])
def test_a_name_that_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        task.truth(name)


def test_a_name_is_written_on_one_line() -> None:
    assert task.truth(" hot \n dog ") == "hot dog"
    assert "- hot dog\n- cat" in task.question(["hot\ndog", "cat"])


def test_an_article_alone_is_a_name() -> None:
    assert task.normalize_name("A") == "a"
    assert task.normalize_name("The The") == "the"


@pytest.mark.parametrize("wording", range(task.WORDINGS))
def test_a_prompt_lists_its_candidates_in_order(wording: int) -> None:
    prompt = task.question(["zebra {0}", "bread, sliced", 'a "sign"'], wording)
    assert '\n- zebra {0}\n- bread, sliced\n- a "sign"\n' in prompt
    assert "object" in prompt


def test_the_wordings_differ() -> None:
    assert len(set(task.ASKED)) == task.WORDINGS >= 5


@given(st.lists(names, min_size=2, max_size=6, unique_by=task.normalize_name), st.integers(0, task.WORDINGS - 1))
def test_candidates_are_read_back_from_a_prompt(found: list[str], wording: int) -> None:
    assert task.read_candidates(task.question(found, wording)) == [task.truth(name) for name in found]
