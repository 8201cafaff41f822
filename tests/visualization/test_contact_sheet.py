"""The contact sheet: what stands under an image of every kind, and what is drawn on it."""

from pathlib import Path

import numpy as np
import pytest
from dataset_samples import rows_of

from distortlab.core.image import Image
from distortlab.dataset.composition import find_kind
from distortlab.dataset.selection import Filter
from distortlab.imaging.decode import decode_image
from distortlab.tasks.terms import LEVELS, get_phrase
from distortlab.visualization.colors import DARK, MARK, get_color
from distortlab.visualization.contact_sheet import make_dataset_tiles
from distortlab.visualization.tiles import Tile, draw_sheet


@pytest.fixture(scope="module")
def tiles(sets: Path) -> list[tuple[dict[str, object], Tile]]:
    rows = rows_of(sets, "images")
    return list(zip(rows, make_dataset_tiles(sets, len(rows)), strict=True))


def has_color(image: Image, color: tuple[int, int, int]) -> bool:
    return bool((image == color).all(axis=2).any())


def test_every_edit_is_told(tiles: list[tuple[dict[str, object], Tile]]) -> None:
    assert {find_kind(row) for row, _ in tiles} == {"pristine", "whole", "1", "2", "3"}
    for row, tile in tiles:
        labels = [f"{get_phrase(r['distortion'])}, {LEVELS[r['severity'] - 1]}" for r in row["regions"]]  # type: ignore[attr-defined]
        match find_kind(row):
            case "pristine":
                assert tile.title == "Pristine"
            case "whole":
                assert tile.title == labels[0]
                assert tile.note.startswith("whole frame")
            case "1":
                assert tile.title == labels[0]
                assert "\n" not in tile.note
            case count:
                assert tile.title == f"{count} regions"
                lines = tile.note.split("\n")
                told = [line.split("  ")[0] for line in lines]
                assert told == [f"{number}. {text}" for number, text in enumerate(labels, 1)]


def test_a_sheet_of_images_with_so_many_distortions(sets: Path, tiles: list[tuple[dict[str, object], Tile]]) -> None:
    for numbers in ((0,), (2, 3)):
        wanted = [tile.note for row, tile in tiles if len(row["regions"]) in numbers]  # type: ignore[arg-type]
        assert 0 < len(wanted) < len(tiles)
        assert [tile.note for tile in make_dataset_tiles(sets, 99, wanted=Filter(edits=numbers))] == wanted


def test_regions_have_the_colors_of_their_families(tiles: list[tuple[dict[str, object], Tile]]) -> None:
    for row, tile in tiles:
        regions = row["regions"]
        colors = [MARK] if find_kind(row) == "1" else [get_color(r["distortion"]) for r in regions]  # type: ignore[attr-defined]
        assert all(has_color(tile.image, color) for color in colors)
        if not regions:
            assert np.array_equal(tile.image, decode_image(row["image"]["bytes"]).image)  # type: ignore[index]


def test_a_frame_covers_the_edge_and_nothing_else(tiles: list[tuple[dict[str, object], Tile]]) -> None:
    for row, tile in tiles:
        if find_kind(row) == "whole":
            stored = decode_image(row["image"]["bytes"]).image  # type: ignore[index]
            edge = 4 * max(2, round(min(stored.shape[:2]) / 200))
            assert np.array_equal(tile.image[edge:-edge, edge:-edge], stored[edge:-edge, edge:-edge])
            middle = tile.image[stored.shape[0] // 2, :edge]
            assert {tuple(pixel) for pixel in middle.tolist()} == {DARK, get_color(row["regions"][0]["distortion"])}  # type: ignore[index]


def test_the_lines_of_a_note_stand_below_each_other() -> None:
    picture = np.full((30, 40, 3), 128, np.uint8)
    one, three = (draw_sheet([Tile(picture, "title", note)], 1, 40) for note in ("a", "a\nb\nc"))
    assert three.shape[0] == one.shape[0] + 2 * 14
    assert np.array_equal(three[: one.shape[0] - 8], one[:-8]), "what is above stays"
    below = three[one.shape[0] - 8 :]
    assert (below < 200).any(axis=(1, 2)).sum() > 8
