"""The TypedDicts of rows have the columns of the Arrow schemas, in their order."""

from typing import get_args, get_type_hints, is_typeddict

import pyarrow as pa
import pytest

from distortlab.dataset.rows import ImageRow, QuestionRow, SampleRow
from distortlab.dataset.schema import TABLES, add_control, arrow_schema


def typed_names(kind):
    """Name -> the names in it: None for a plain value."""
    if is_typeddict(kind):
        return {name: typed_names(inner) for name, inner in get_type_hints(kind).items()}
    inner = [names for part in get_args(kind) if (names := typed_names(part)) is not None]
    return inner[0] if inner else None


def arrow_names(kind):
    if pa.types.is_struct(kind):
        return {field.name: arrow_names(field.type) for field in kind}
    return arrow_names(kind.value_type) if hasattr(kind, "value_type") else None


def in_order(names):
    return [(name, in_order(inner)) for name, inner in names.items()] if names else None


@pytest.mark.parametrize(("table", "row"), [("images", ImageRow), ("rft", QuestionRow), ("samples", SampleRow)])
def test_rows_have_the_columns_of_the_schema(table, row):
    features = add_control(TABLES[table]) if table == "images" else TABLES[table]
    schema = {field.name: arrow_names(field.type) for field in arrow_schema(features)}
    assert in_order(typed_names(row)) == in_order(schema)
