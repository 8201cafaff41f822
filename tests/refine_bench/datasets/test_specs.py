"""Names of sets and their variants."""

from pathlib import Path

import pytest
from bench_samples import WRITERS

from distortlab.core.errors import UserError
from refine_bench.datasets import SETS, load, parse_spec

RATED = [name for name in WRITERS if SETS[name].FACTS.kind == "rated"]


def test_variants_choose_rows_and_labels(tmp_path: Path) -> None:
    for name, writer in WRITERS.items():
        writer(tmp_path / name)
    sizes = {"clive": 2, "clive:1169": 9, "csiq": 6, "csiq:716": 4, "flive": 5, "flive:test": 3, "pipal": 4}
    for spec, n in sizes.items():
        assert len(load(spec, tmp_path).rows) == n, spec
    for spec, n in (("live", 736), ("live:982", 982)):
        assert len(load(spec, tmp_path, images=False).rows) == n, spec
    assert load("live:release2+982", tmp_path, images=False).rows[-1].mos == 45
    assert load("agiqa:align", tmp_path).rows[3].mos == 1.0
    assert load("csiq", tmp_path).rows[0].reference_id == "1600"
    assert load("csiq", tmp_path).five(0.0) == 5.0
    assert load("tid2013", tmp_path).rows[1].reference_id == "I25"


def test_an_old_name_of_a_variant_says_what_it_was_and_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        parse_spec("csiq:750")
    for word in ("csiq:716", "34 images that CSIQ does not have", "meta:csiq.json+down"):
        assert word in str(caught.value)


@pytest.mark.parametrize("name", RATED)
def test_a_variant_that_is_called_by_a_number_has_so_many_rows(name: str) -> None:
    facts = SETS[name].FACTS
    for option in (option for axis in facts.axes for option in axis.options):
        if option.isdigit() and option in facts.counts:
            assert facts.counts[option] == int(option)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("konik", ("koniq", "did you mean")),
        ("koniq:zscor", ("zscore",)),
        ("koniq:512+1024", ("both a size",)),
        ("meta", ("needs a file",)),
    ],
)
def test_an_unknown_name_gets_the_nearest_known_one(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as caught:
        parse_spec(text)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_spec_spells_out_every_option() -> None:
    assert str(parse_spec("koniq:512")) == "koniq:acr+512+official-2015"
    assert str(parse_spec("spaq")) == "spaq:11125"
