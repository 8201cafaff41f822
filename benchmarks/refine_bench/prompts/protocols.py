"""Protocols: what is asked, how it is decoded, how a score is read. A table; a name, a version and a hash go with
every result.

Prompts are those of the papers' code, to the letter, slips included. Where a paper guesses when it cannot read an
answer, we do not: what is not read is counted.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType

from distortlab.core.errors import UserError, describe_unknown

__all__ = [
    "DEFAULTS",
    "LOGIT_READERS",
    "PROTOCOLS",
    "READERS",
    "Decoding",
    "Protocol",
    "find_protocol",
    "format_letter",
    "format_prompt",
]

READERS = ("text", "digits", "digits-tenths", "levels", "choice", "task", "diagnosis", "value", "none")
"""Generated text; expectation over the integer digit; the same with the tenths; level words; and what is no score."""

LOGIT_READERS = frozenset(("digits", "digits-tenths", "levels"))
"""Those that need log-probabilities."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How answers are drawn. `samples`: answers per question, averaged. `top_logprobs`: how many per token are asked
    for.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int | None = None
    max_tokens: int = 512
    samples: int = 1
    seed: int = 42
    top_logprobs: int = 0


@dataclass(frozen=True, slots=True)
class Protocol:
    """A way of asking and reading.

    `kind`: the sets it is for. `prefix`: how the answer is made to begin. `levels`: words and their values. `divide`:
    the temperature of the softmax over levels. `answer`: where a score stands in the text: in the answer tags, in the
    last ones, under a JSON key. `mapping`: the curve behind the published PLCC (0: none).
    """

    name: str
    version: int
    kind: str
    reader: str
    prompt: str
    decoding: Decoding
    source: str
    system: str = ""
    prefix: str = ""
    levels: tuple[tuple[str, float], ...] = ()
    divide: float = 1.0
    answer: str = "tags"
    mapping: int = 0

    @property
    def needs_logits(self) -> bool:
        """Whether a score is read from log-probabilities of tokens, not from the text alone."""
        return self.reader in LOGIT_READERS

    @property
    def scale(self) -> tuple[float, float]:
        """The worst and the best value."""
        values = [value for _, value in self.levels] or [1.0, 5.0]
        return min(values), max(values)

    @property
    def sha256(self) -> str:
        """Of every field: two results with one hash were asked and read alike."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.name} v{self.version} ({self.sha256[:8]})"


RATING = (
    "What is your overall rating on the quality of this picture? The rating should be a float between 1 and 5, "
    "rounded to "
    "two decimal places, with 1 representing very poor quality and 5 representing excellent quality."
)
REFINE_THINK = (
    f'Answer the question: "{RATING}" according to the content of the image. Firstly, give a through thinking on '
    f"this and "
    "then output your thought and analysis process within the <think> </think> tags and provide your score within the "
    "<answer> </answer> tags (formatted as Score: Your score).  The final output should be with the following format: "
    "<think>Your think</think><answer>Score:Your score</answer>"
)
REFINE_DIRECT = (
    f'Answer the question: "{RATING}" according to the content of the image. Directly give your score within the '
    f"<answer> "
    "</answer> tags (formatted as Score: Your score). The final output should be with the following format: "
    "<answer>Score:Your score</answer>"
)
R1 = (
    "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant "
    "first "
    "thinks about the reasoning process in the mind and then provides the user with the answer. The reasoning "
    "process and "
    "answer are enclosed within <think> </think> and <answer> </answer> tags, respectively, i.e., <think> reasoning "
    "process "
    "here </think><answer> answer here </answer>"
)
FIVE = (("excellent", 5.0), ("good", 4.0), ("fair", 3.0), ("poor", 2.0), ("bad", 1.0))
ONE_TOKEN = Decoding(max_tokens=4, top_logprobs=20)
SAMPLED = Decoding(temperature=1.0, max_tokens=1024)
REFINE_SOURCE = "Refine-IQA, arXiv:2508.03763 and its released trainer; the direct prompt is put together from both"

TABLE = (
    Protocol(
        name="refine-iqa-think",
        version=1,
        kind="rated",
        reader="digits",
        prompt=REFINE_THINK,
        decoding=Decoding(max_tokens=1024, top_logprobs=20),
        source=REFINE_SOURCE,
    ),
    Protocol(
        name="refine-iqa-no-think",
        version=1,
        kind="rated",
        reader="digits",
        prompt=REFINE_DIRECT,
        decoding=Decoding(max_tokens=32, top_logprobs=20),
        source=REFINE_SOURCE,
    ),
    Protocol(
        name="q-align",
        version=1,
        kind="rated",
        reader="levels",
        prompt="How would you rate the quality of this image?",
        prefix="The quality of the image is",
        levels=FIVE,
        decoding=ONE_TOKEN,
        source="Q-Align, arXiv:2312.17090; padding to a square is the model's own affair",
    ),
    Protocol(
        name="deqa",
        version=1,
        kind="rated",
        reader="levels",
        prompt="How would you rate the quality of this image?",
        prefix="The quality of the image is",
        levels=FIVE,
        decoding=ONE_TOKEN,
        mapping=4,
        source="DeQA-Score, arXiv:2501.11561; its published PLCC is after a 4-parameter logistic",
    ),
    Protocol(
        name="qbench-a3",
        version=1,
        kind="rated",
        reader="levels",
        prompt="Rate the quality of the image.",
        prefix="The quality of the image is",
        levels=(("good", 1.0), ("poor", 0.0)),
        divide=100.0,
        decoding=ONE_TOKEN,
        source="Q-Bench, arXiv:2309.14181: softmax of good and poor, logits / 100, raw PLCC",
    ),
    Protocol(
        name="qbench-a3-high-low",
        version=1,
        kind="rated",
        reader="levels",
        prompt="Rate the quality of the image.",
        prefix="The quality of the image is",
        levels=(("high", 1.0), ("low", 0.0)),
        divide=100.0,
        decoding=ONE_TOKEN,
        source="Q-Bench's own words for models on T5",
    ),
    Protocol(
        name="q-insight",
        version=1,
        kind="rated",
        reader="text",
        system=R1,
        prompt=f'{RATING} Return the final answer in JSON format with the following keys: "rating": The score.',
        decoding=Decoding(temperature=1.0, top_p=0.95, top_k=50, max_tokens=1024),
        answer="rating",
        source="Q-Insight, arXiv:2503.22679",
    ),
    Protocol(
        name="visualquality-r1",
        version=1,
        kind="rated",
        reader="text",
        prompt=f"You are doing the image quality assessment task. "
        f"Here is the question: {RATING} First output the thinking "
        "process in <think> </think> tags and then output the final answer with only one score in <answer> </answer> "
        "tags.",
        decoding=SAMPLED,
        answer="last",
        source="VisualQuality-R1, arXiv:2505.14460; what its code replaces by a random number is a failure here",
    ),
    Protocol(
        name="qbench-a1",
        version=1,
        kind="choice",
        reader="choice",
        prompt="{question}\nChoose between one of the options as follows:\n{options}",
        decoding=Decoding(max_tokens=256),
        source="Q-Bench's example code",
    ),
    Protocol(
        name="qbench-a1-vlmevalkit",
        version=1,
        kind="choice",
        reader="choice",
        prompt="Question: {question}\nOptions:\n{options}\nPlease select the correct answer from the options above. \n",
        decoding=Decoding(max_tokens=256),
        source="VLMEvalKit e8e78f05",
    ),
    Protocol(
        name="qbench-a1-lmms",
        version=1,
        kind="choice",
        reader="choice",
        prompt="{question}\n{options}\nAnswer with the option's letter from the given choices directly.",
        decoding=Decoding(max_tokens=32),
        source="lmms-eval 75571cfe; also the prompt that A-Bench suggests",
    ),
    Protocol(
        name="qbench-a2",
        version=1,
        kind="describe",
        reader="none",
        prompt="{question}",
        decoding=Decoding(max_tokens=512),
        source="Q-Bench's example code; saved, not scored",
    ),
    Protocol(
        name="distortlab",
        version=1,
        kind="local",
        reader="task",
        prompt="{question}",
        decoding=Decoding(max_tokens=1024),
        source="the questions of the data set, read and scored by distortlab.tasks",
    ),
    Protocol(
        name="diagnosis",
        version=2,
        kind="local",
        reader="diagnosis",
        prompt="{question}",
        decoding=Decoding(max_tokens=1024),
        source="distortlab.tasks.diagnosis, of images and of their pristine references; after GS-IQA's Diag-Bench",
    ),
    Protocol(
        name="metric",
        version=1,
        kind="any",
        reader="value",
        prompt="",
        decoding=Decoding(),
        source="a number computed from the pixels: nothing is asked",
    ),
)
PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({protocol.name: protocol for protocol in TABLE})
DEFAULTS: Mapping[str, str] = MappingProxyType(
    {"rated": "refine-iqa-no-think", "choice": "qbench-a1", "describe": "qbench-a2", "local": "distortlab"}
)
"""The protocol of a kind of set where none is named."""


def find_protocol(name: str) -> Protocol:
    """Return a protocol by name. Raises `UserError` with the nearest known one."""
    if name not in PROTOCOLS:
        raise UserError(describe_unknown("protocol", name, PROTOCOLS, "refine-bench list"))
    return PROTOCOLS[name]


def format_letter(place: int) -> str:
    """Return the letter of an option: A, B, C, ... for 0, 1, 2, ..."""
    return chr(ord("A") + place)


def format_prompt(protocol: Protocol, question: str = "", options: Sequence[str] = ()) -> str:
    """Return the prompt of a protocol for a question.

    Parameters
    ----------
    protocol
        The protocol.
    question
        Put where it has "{question}"; braces in it are just braces.
    options
        Put where it has "{options}", each on a line with its letter.
    """
    if "{question}" not in protocol.prompt:
        return protocol.prompt
    listed = "\n".join(f"{format_letter(place)}. {option}" for place, option in enumerate(options))
    before, _, after = protocol.prompt.partition("{question}")
    return before + question + after.replace("{options}", listed)
