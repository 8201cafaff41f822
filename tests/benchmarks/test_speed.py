"""The benchmark of speed: every stage is a function that exists, and time is given to the stage that took it."""

import json
import re
import time
from collections.abc import Iterator

import pytest
from script_modules import BENCHMARKS, isolate_scripts

FOLDER = BENCHMARKS / "speed"
KEPT = FOLDER.parent / "results" / "speed.json"


@pytest.fixture(autouse=True)
def scripts() -> Iterator[None]:
    with isolate_scripts(FOLDER):
        yield


def burn(seconds: float) -> float:
    start = time.thread_time()
    while time.thread_time() - start < seconds:
        pass
    return seconds


def test_the_functions_of_all_stages_are_there_and_put_back() -> None:
    from stages import FUNCTIONS, find_owner, measure_stages

    before = {name: getattr(*find_owner(name)) for names in FUNCTIONS.values() for name in names}
    with measure_stages():
        assert all(getattr(*find_owner(name)) is not function for name, function in before.items())
    assert {name: getattr(*find_owner(name)) for name in before} == before


def test_a_stage_owns_its_time_without_that_of_others_inside() -> None:
    from stages import RIVALS, StageTimes

    times = StageTimes()
    inner = times.wrap("inner", burn)
    outer = times.wrap("outer", lambda: burn(0.02) and inner(0.06))
    rivals = times.wrap(RIVALS, lambda: inner(0.03))
    assert outer() == 0.06
    rivals()
    assert 0.02 <= times.seconds["outer"] < 0.05
    assert 0.06 <= times.seconds["inner"] < 0.09
    assert times.seconds[RIVALS] >= 0.03
    assert times.calls == {"outer": 1, "inner": 1, RIVALS: 1}


def test_what_is_kept_says_what_it_was_measured_with(monkeypatch: pytest.MonkeyPatch) -> None:
    import provenance

    about = provenance.describe_run(
        "benchmarks/speed/bench.py", ["--refs", "coco:/home/me/a.json,/b", "--images", "75"]
    )
    assert about["command"] == "python benchmarks/speed/bench.py --refs coco:... --images 75"
    assert about["commit"] is None or re.fullmatch(r"[0-9a-f]{7,40}\+?", about["commit"])
    assert re.match(r"\d+ x \S", about["machine"])
    assert about["versions"]["numpy"]
    kept = json.loads(KEPT.read_text(encoding="utf-8"))["about"]
    assert kept.keys() - {"note"} == about.keys()
    assert not any("/" in word for word in kept["command"].split()[2:])


def test_tables_say_which_aims_are_missed() -> None:
    from speed_tables import AIMS, FLOOR, SCRIPT, format_aims, format_times

    met = {key: aim for key, (_, aim) in AIMS.items()}
    table = format_aims({"photographs": met, "scenes": {**met, "ratio_1": 2.51, "script_over_1": 2.59}})
    cells = [line.split(" | ")[2:] for line in table.splitlines()[2:]]
    assert cells[0] == ["2.50", "2.51, missed |"]
    assert cells[1] == ["1.90", "1.90 |"]
    assert cells[3] == ["2.60", "2.59, missed |"]
    times = format_times({FLOOR: [1.0, 3.0], "this": [5.0], SCRIPT: [15.0]}, "scenes")
    assert "| this | 5.00 | 5.0-5.0 | 2.50 | 3.0 |" in times


def test_the_ratios_are_of_medians() -> None:
    import bench

    times = {bench.name_generator(k): [9.0, 10.0 * k, 90.0] for k in bench.DENSITIES}
    ratios = bench.compute_ratios({**times, bench.FLOOR: [1.0, 4.0, 8.0], bench.SCRIPT: [1.0, 30.0, 99.0]})
    assert ratios == {"ratio_1": 2.5, "ratio_2_5": 6.25, "ratio_8": 20.0, "script_over_1": 3.0}
