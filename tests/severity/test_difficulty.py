"""How hard a family is to tell: a frozen table, read as words."""

import pytest

from distortlab.distortions.catalog import CATALOG, FAMILIES
from distortlab.severity.difficulty import (
    EASY,
    MEDIUM,
    classify_posterior,
    find_difficulty,
    format_table,
    list_difficulties,
    load_posteriors,
    parse_table,
)
from distortlab.tasks.terms import DIFFICULTIES


def test_the_table_is_about_variants_of_the_catalog() -> None:
    table = load_posteriors()
    assert {name for name, _ in table} <= {row.name for row in CATALOG}
    assert all(severity in range(1, 6) and 0 <= posterior <= 1 for (_, severity), posterior in table.items())
    assert len(table) > 0.9 * 5 * len(CATALOG)


def test_every_difficulty_is_there_in_a_useful_share() -> None:
    words = [classify_posterior(posterior) for posterior in load_posteriors().values()]
    assert all(words.count(word) > 0.1 * len(words) for word in DIFFICULTIES)


def test_a_posterior_at_a_threshold_belongs_to_the_easier_side() -> None:
    assert [classify_posterior(value) for value in (1.0, EASY, EASY - 1e-9, MEDIUM, MEDIUM - 1e-9, 0.0)] == [
        "easy", "easy", "medium", "medium", "hard", "hard",
    ]  # fmt: skip


def test_a_table_is_read_as_it_was_written() -> None:
    table = {("blur.lens", 1): 0.25, ("blur.lens", 5): 0.875, ("noise.poisson", 3): 1.0}
    assert parse_table(format_table(table)) == table


def test_a_table_of_another_version_is_not_read() -> None:
    text = format_table({("blur.lens", 1): 0.25}).replace('"version": 1', '"version": 2')
    with pytest.raises(ValueError, match="has version 2, this code reads 1"):
        parse_table(text)


def test_what_was_not_measured_has_none() -> None:
    name, severity = next(iter(load_posteriors()))
    assert find_difficulty(name, severity) in DIFFICULTIES
    assert find_difficulty(name, severity, "dq") is None
    assert find_difficulty("blur.unheard_of", 3) is None
    assert find_difficulty(name, 6) is None


def test_the_difficulties_of_a_family_are_those_of_its_variants() -> None:
    for family in FAMILIES:
        own = {find_difficulty(row.name, 3) for row in CATALOG if row.family == family}
        assert list_difficulties(family, 3) == own - {None}
