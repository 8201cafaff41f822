"""The Hugging Face path with a tiny model made in code."""

import json
from pathlib import Path
from typing import Any

import pytest
from bench_samples import write_koniq, write_picture

pytest.importorskip("torch")
pytest.importorskip("transformers")

from refine_bench.cli.run_all import Options, run_all
from refine_bench.models import Request
from refine_bench.models.huggingface import HuggingFace
from refine_bench.prompts.protocols import Decoding, find_protocol
from refine_bench.prompts.score_reader import read_score
from refine_iqa_train.training.tiny_model import save_tiny_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = tmp_path_factory.mktemp("model")
    save_tiny_model(model, "llava")
    return model


@pytest.fixture(scope="module")
def model(folder: Path) -> HuggingFace:
    return HuggingFace(str(folder), batch=4)


def _requests(tmp_path: Path, n: int, protocol: str = "q-align", **decoding: Any) -> list[Request]:
    found = find_protocol(protocol)
    words = tuple(word for word, _ in found.levels)
    usual = {"max_tokens": 5, "top_logprobs": 8}
    return [
        Request(
            key=str(k),
            item=str(k),
            sample=0,
            images=(write_picture(tmp_path / f"{k}.png", 40 * k).read_bytes(),),
            prompt=found.prompt + " really" * (k % 3),
            decoding=Decoding(**{**usual, **decoding}),
            seed=7,
            prefix=found.prefix,
            words=words,
        )
        for k in range(n)
    ]


def test_a_batch_says_what_each_would_say_alone(model: HuggingFace, tmp_path: Path) -> None:
    requests = _requests(tmp_path, 6)
    together = {r.request.item: r.answer for r in model.answer(requests)}
    for request in requests:
        (alone,) = model.answer([request])
        assert alone.answer.text == together[request.item].text
        for word, logit in alone.answer.logits.items():
            assert together[request.item].logits[word] == pytest.approx(logit, abs=1e-4)


def test_logits_of_words_are_those_of_a_forward_pass(model: HuggingFace, tmp_path: Path) -> None:
    import torch

    (request,) = _requests(tmp_path, 1)
    (response,) = model.answer([request])
    from PIL import Image as Pillow

    inputs = model._processor(
        text=[model._format_prompt(request)], images=[[Pillow.open(tmp_path / "0.png")]], return_tensors="pt"
    )
    with torch.inference_mode():
        last = model._model(**inputs).logits[0, -1]
    for word, token in model._find_word_tokens(request).items():
        assert response.answer.logits[word] == pytest.approx(float(last[token]), abs=1e-4)
    odds = torch.log_softmax(last, -1)
    assert max(p for _, p in response.answer.tokens[0].top) == pytest.approx(float(odds.max()), abs=1e-4)
    found = read_score(response.answer, find_protocol("q-align"))
    assert found.value is not None
    assert 1 <= found.value <= 5


def test_a_batch_that_runs_out_of_memory_is_halved(
    model: HuggingFace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    asked, real = [], model._generate_batch

    def greedy(requests: list[Request]) -> Any:
        asked.append(len(requests))
        if len(requests) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(requests)

    monkeypatch.setattr(model, "_generate_batch", greedy)
    monkeypatch.setattr(model, "_batch", 8)
    responses = list(model.answer(_requests(tmp_path, 8)))
    assert sorted(r.request.item for r in responses) == [str(k) for k in range(8)]
    assert not any(r.answer.error for r in responses)
    assert asked[0] == 8
    assert max(asked[1:]) <= 4


def test_one_bad_picture_does_not_cost_the_others(model: HuggingFace, tmp_path: Path) -> None:
    from dataclasses import replace

    requests = _requests(tmp_path, 4)
    requests[2] = replace(requests[2], images=(b"no picture",))
    answers = {r.request.item: r.answer for r in model.answer(requests)}
    assert [key for key, answer in answers.items() if answer.error] == ["2"]


def test_sampling_follows_its_seed(model: HuggingFace, tmp_path: Path) -> None:
    (request,) = _requests(tmp_path, 1, temperature=1.0, max_tokens=12)
    first, second = (next(model.answer([request])).answer.text for _ in range(2))
    assert first == second


def test_a_run_records_what_the_processor_did(folder: Path, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=12)
    options = Options(protocol="q-align", report=False, quiet=True, model={"batch": 4, "device": "cpu"})
    found = run_all(str(folder), ["koniq:all"], tmp_path, tmp_path / "run", options)
    (score,) = found["sets"]
    assert (score["n_read"], score["failures"]) == (12, {})
    assert score["sizes"] == {"known": 12, "smaller": 0, "larger": 12}  # 32 x 24 pixels shown as 96 x 96
    assert any("up-scaled" in text for text in score["warnings"])
    head = json.loads((tmp_path / "run" / "run.json").read_text())
    assert head["model"]["kind"] == "huggingface"
    assert head["model"]["revision"].startswith("folder ")
    assert head["environment"]["packages"]["transformers"]


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    from distortlab.core.errors import UserError

    with pytest.raises(UserError, match="cannot be loaded"):
        HuggingFace(str(tmp_path / "nothing"))
