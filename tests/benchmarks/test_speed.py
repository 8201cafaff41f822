"""The benchmark of speed: every stage is a function that exists, and time is given to the stage that took it."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

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
        "benchmarks/speed/bench.py", ["--refs", "coco:/home/me/a.json,/b", "--images", "75", "--out", "/tmp/x"]
    )
    assert about["command"] == "python benchmarks/speed/bench.py --refs coco:... --images 75 --out FOLDER"
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


def test_a_set_with_missing_images_says_of_how_many() -> None:
    from speed_tables import format_sets

    about = {"commit": "abc1234"}
    verify = {"images": 90, "seconds": 7, "code": 0}
    row = {"recipe": "r", "source": "coco", "wanted": 100, "images": 90, "questions": 1234, "references": 5}
    cost = {"bytes": 2_500_000_000, "rejected": 3, "seconds": 60, "code": 3, "about": about, "verify": verify}
    table = format_sets({"one": row | cost, "two": row | cost | {"images": 100, "verify": {**verify, "code": 1}}})
    assert "| r | 5 photographs of COCO | 90 of 100 | 1,234 | 2.5 GB | 60 s | 3 | 7 s, 90 images" in table
    assert table.splitlines()[2].endswith("rendered again, clean | abc1234 |")
    assert "| 100 | 1,234 |" in table.splitlines()[3]
    assert "code 1" in table.splitlines()[3]


def test_a_report_of_generate_is_summed_up() -> None:
    from whole_sets import summarize_build

    counts = {"references": {"used": 4}, "rejected": {"one reason": 3, "another": 4}}
    built = {"wanted": 10, "images": 9, "samples": 20, "bytes": 5, "counts": counts}
    found = summarize_build(built, 12.4, 3)
    assert (found["rejected"], found["references"], found["seconds"], found["code"]) == (7, 4, 12, 3)


def test_results_stay_beside_each_other(tmp_path: Path) -> None:
    from whole_sets import keep_result

    for name in ("one", "two", "one"):
        keep_result(name, {"of": name}, tmp_path / "sets.json")
    assert json.loads((tmp_path / "sets.json").read_text(encoding="utf-8")) == {
        "one": {"of": "one"},
        "two": {"of": "two"},
    }


def test_a_server_that_is_never_idle_is_the_measure() -> None:
    from speed_tables import format_harness

    about = {"command": "python x", "commit": "abc1234", "machine": "2 x A", "python": "3.11"}
    endpoint = {"requests": 100, "bytes": 2000, "concurrency": 10, "delay": 0.5, "seconds": 10.0, "cpu": 0.2}
    table = format_harness({"about": about, "scoring": {"predictions": 1000, "cpu": 1.5}, "endpoint": endpoint})
    assert table.startswith("`python x` at abc1234: 2 x A; Python 3.11.")
    assert "10.0 s; never idle would be 5.0 s (50%); 2.0 ms of CPU for each |" in table


def test_samples_are_summed_up_by_kind() -> None:
    from stream import summarize_times

    found = summarize_times({"1 region": {"sample": [1.0, 2.0, 3.0, 10.0]}})
    assert found["1 region"]["sample"] == {"samples": 4, "median": 2.5, "mean": 4.0, "ninth": 7.9}
