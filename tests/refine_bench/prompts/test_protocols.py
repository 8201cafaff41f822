"""Protocols are known by their hash, and prompts hold their question."""

from refine_bench.prompts.protocols import PROTOCOLS, find_protocol, format_prompt

REFINE = find_protocol("refine-iqa-think")


def test_a_protocol_is_known_by_its_hash() -> None:
    hashes = {p.sha256 for p in PROTOCOLS.values()}
    assert len(hashes) == len(PROTOCOLS)
    assert str(REFINE).startswith("refine-iqa-think v1 (")


def test_prompts_hold_their_question_whatever_is_in_it() -> None:
    text = format_prompt(find_protocol("qbench-a1"), "Is {options} {x} clear?", ["Yes", "No"])
    assert text == "Is {options} {x} clear?\nChoose between one of the options as follows:\nA. Yes\nB. No"
    assert "through thinking" in REFINE.prompt
