"""The two layouts: found by name, one instance of each, and what plans and manifests say of them."""

import pickle
from typing import get_args, get_type_hints

import pytest

from distortlab import generate
from distortlab.cli.make import Store
from distortlab.core.errors import UserError
from distortlab.dataset.layout import ARCHIVE, FULL, LAYOUTS, Layout, find_layout, get_layout


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_layout_is_found_by_its_name_and_stays_itself(layout: Layout) -> None:
    assert find_layout(layout.name) is layout
    assert pickle.loads(pickle.dumps(layout)) is layout, "a worker compares with `is`"
    assert get_layout({"store": layout.name}) is layout
    assert get_layout(layout.manifest_entry) is layout
    assert {layout.image_table, layout.question_table} <= set(layout.tables)
    assert ("samples" in layout.folders) is layout.has_samples
    assert set(layout.tables) <= set(layout.folders)


def test_an_unknown_layout_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="no way to store called 'patches'; did you mean 'patch'"):
        find_layout("patches")


@pytest.mark.parametrize("stored", [None, {}, [], "patch", {"store": "something newer"}, {"store": ["patch"]}])
def test_what_names_no_layout_is_in_full(stored: object) -> None:
    assert get_layout(stored) is FULL


def test_only_the_archive_has_its_name_in_plans_and_manifests() -> None:
    assert FULL.manifest_entry == {}
    assert ARCHIVE.manifest_entry == {"store": "patch"}


def test_call_and_command_offer_the_same_layouts() -> None:
    assert set(get_args(get_type_hints(generate)["store"])) == {store.value for store in Store} == set(LAYOUTS)
