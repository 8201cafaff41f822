"""The table of models and sets: marks, rows, blocks."""

from collections.abc import Sequence

from bench_scores import make_rated_score, make_run_score
from hypothesis import given
from hypothesis import strategies as st

from refine_bench.report.summary import Summary, summarize


def _marks(summary: Summary, column: int = 0) -> list[str]:
    cells = [summary.flatten(row)[column] for row in summary.rows]
    return ["" if cell is None else cell.mark for cell in cells]


Rows = st.lists(st.tuples(st.one_of(st.none(), st.integers(-1000, 1000)), st.booleans()), min_size=1, max_size=6)


@given(Rows)
def test_marks_are_those_of_the_ranked_alone(rows: Sequence[tuple[int | None, bool]]) -> None:
    scores = [
        make_run_score(
            f"r{k}", make_rated_score(f"m{k}", "s", None if value is None else value / 1000, rows=10 if whole else 9)
        )
        for k, (value, whole) in enumerate(rows)
    ]
    summary = summarize(scores)
    ranked = [value for value, whole in rows if whole and value is not None]
    order = sorted(set(ranked), reverse=True) if len(ranked) > 1 else []
    expected = ["" for _ in rows]
    for k, (value, whole) in enumerate(rows):
        if whole and value in order[:2]:
            expected[k] = ("best", "second")[order.index(value)]
    assert _marks(summary) == expected
    assert [row.cells[0][0].rows for row in summary.rows if row.cells[0]] == ["" if w else "9 of 10" for _, w in rows]


def test_numbers_that_look_alike_are_marked_alike() -> None:
    values = (0.8001, 0.7999, 0.5, 0.49)
    summary = summarize(
        [make_run_score(f"r{k}", make_rated_score(f"m{k}", "s", value)) for k, value in enumerate(values)]
    )
    assert _marks(summary) == ["best", "best", "second", ""]


def test_runs_of_one_model_are_one_row_where_they_fit() -> None:
    one = make_run_score("r1", make_rated_score("m", "a", 0.5), spec="x")
    two = make_run_score("r2", make_rated_score("m", "b", 0.6), spec="x")
    (row,) = summarize([one, two]).rows
    assert row.model == "m"
    assert all(row.cells)
    again = summarize([one, make_run_score("r3", make_rated_score("m", "a", 0.4), spec="x")])
    assert [row.model for row in again.rows] == ["m (r1)", "m (r3)"]
    text = make_run_score("r4", make_rated_score("m", "b", 0.4, reader="text"), spec="x")
    assert [row.model for row in summarize([one, text]).rows] == ["m (q-align, levels)", "m (q-align, text)"]
    other = make_run_score("r5", make_rated_score("m", "b", 0.4), spec="y")
    assert [row.model for row in summarize([one, other]).rows] == ["m (r1)", "m (r5)"]


def test_variants_of_a_set_are_told_apart() -> None:
    names = ("koniq:acr+all", "koniq:acr+test", "spaq:all")
    summary = summarize([make_run_score("r", *(make_rated_score("m", name, 0.5) for name in names))])
    assert [found.title for found in summary.sets] == ["KONIQ (all)", "KONIQ (test)", "SPAQ"]


def test_blocks_hold_every_cell_once() -> None:
    scores = [
        make_run_score(f"r{k}", *(make_rated_score(f"m{k}", f"s{n}", n / 10) for n in range(k, 8))) for k in range(3)
    ]
    summary = summarize(scores)
    blocks = list(summary.blocks(3))
    assert [len(block.sets) for block in blocks] == [3, 3, 2]
    count = sum(cell is not None for block in blocks for row in block.rows for cell in block.flatten(row))
    assert count == sum(cell is not None for row in summary.rows for cell in summary.flatten(row))
