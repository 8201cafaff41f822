"""Publishing: everything in one commit or nothing, never twice, never over somebody else's work."""

import hashlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stand_in_routes
from dataset_samples import COMMAND, edit_manifest, flip_byte, rows_of
from stand_in_hub import StandInHub

from distortlab import __version__
from distortlab.core.errors import BuildFailed, UserError
from distortlab.sharing.push import push
from distortlab.storage.hub_client import Patience, connect

REPO = "user/name"
HASTY = Patience(tries=3, first_s=0.01, longest_s=2)
FIRST = "initial commit"


def files_of(folder: Path) -> dict[str, str]:
    """What is to be published as it is here, by path: SHA-256. croissant.json is written for the Hub."""
    files = [p for p in folder.rglob("*") if p.is_file() and "_distortlab" not in p.parts]
    names = {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    assert names.pop("croissant.json")
    return names


def published(hub: StandInHub, revision: str = "main") -> dict[str, str]:
    """What is on the Hub, but croissant.json: see `described`."""
    tree = hub.dataset(REPO).tree(revision)
    names = {path: hashlib.sha256(hub.data(entry)).hexdigest() for path, entry in tree.items() if path[0] != "."}
    return {path: name for path, name in names.items() if path != "croissant.json"}


def described(hub: StandInHub, revision: str = "main") -> dict[str, Any]:
    return dict(json.loads(hub.data(hub.dataset(REPO).tree(revision)["croissant.json"])))


def titles(hub: StandInHub) -> list[str]:
    return [title for _, _, title in hub.dataset(REPO).log]


def untouched(hub: StandInHub) -> bool:
    """Nothing of ours can be seen."""
    return ("datasets", REPO) not in hub.repos or titles(hub) == [FIRST]


# --- one commit -----------------------------------------------------------------------------------------------------


def test_everything_is_published_in_one_commit(hub: StandInHub, data: Path) -> None:
    pushed = push(data, REPO)
    assert published(hub) == files_of(data)
    questions = len(rows_of(data, "samples"))
    assert titles(hub)[1:] == [f"12 images, {questions} questions (distortlab {__version__})"]
    assert pushed.commit == hub.dataset(REPO).branches["main"]
    assert (pushed.changed, pushed.kept, set(pushed.sent)) == (True, 0, {*files_of(data), "croissant.json"})
    description = hub.dataset(REPO).tree()["croissant.json"].size
    assert pushed.sent_bytes == sum((data / path).stat().st_size for path in files_of(data)) + description


def test_the_second_time_nothing_is_sent_and_no_commit_made(hub: StandInHub, data: Path) -> None:
    first = push(data, REPO)
    received = hub.received
    second = push(data, REPO)
    assert (second.commit, second.changed, second.sent, hub.received) == (first.commit, False, (), received)
    assert len(titles(hub)) == 2


def test_a_changed_recipe_sends_what_is_new_and_removes_what_is_gone(
    hub: StandInHub, data: Path, smaller: Path
) -> None:
    push(data, REPO)
    hub.put(
        REPO, {"notes.md": b"mine", "images/extra.csv": b"mine too", "pictures/train-00000-of-00009.parquet": b"PAR1"}
    )
    theirs = {path for path in published(hub) if path not in files_of(data)}
    pushed = push(smaller, REPO)
    assert {path: name for path, name in published(hub).items() if path not in theirs} == files_of(smaller)
    assert theirs < set(published(hub))
    assert set(pushed.removed) == set(files_of(data)) - set(files_of(smaller))
    assert len(titles(hub)) == 4


def test_what_only_this_machine_needs_is_never_sent(hub: StandInHub, data: Path) -> None:
    assert (data / "_distortlab" / "plan.json").exists()
    push(data, REPO)
    assert not any(path.startswith("_") for path in published(hub))


def test_private_gated_branch_tag_and_message(hub: StandInHub, data: Path) -> None:
    push(data, REPO, private=True, gated="manual", revision="next", tag="v1", message="the first")
    repo = hub.dataset(REPO)
    assert (repo.private, repo.gated, repo.tags["v1"]) == (True, "manual", repo.branches["next"])
    assert titles(hub) == [FIRST, "the first"]
    assert published(hub, "next") == files_of(data)
    assert published(hub, "main") == {}


def test_the_gate_stands_before_anything_can_be_seen(hub: StandInHub, data: Path) -> None:
    push(data, REPO, gated="auto")
    order = [path for method, path in hub.requests if method in ("PUT", "POST")]
    assert next(i for i, p in enumerate(order) if "settings" in p) < next(i for i, p in enumerate(order) if "_lfs" in p)


def test_a_dry_run_changes_nothing(hub: StandInHub, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    pushed = push(data, REPO, dry_run=True)
    assert hub.repos == {}
    assert set(pushed.sent) == {*files_of(data), "croissant.json"}
    assert (pushed.changed, pushed.dry_run) == (False, True)


def test_the_description_is_that_of_the_page(hub: StandInHub, data: Path) -> None:
    push(data, REPO, revision="next")
    push(data, REPO)
    found, branch = described(hub), described(hub, "next")
    assert (found["name"], found["creator"]["name"], found["datePublished"]) == ("name", "user", "2026-01-02")
    page = f"{hub.endpoint}/datasets/{REPO}"
    assert found["url"] == branch["url"] == page
    places = [document["distribution"][0]["contentUrl"] for document in (found, branch)]
    assert places == [page, f"{page}/tree/refs%2Fheads%2Fnext"]


def test_a_data_set_of_an_earlier_version_gets_a_description(hub: StandInHub, copy: Callable[[], Path]) -> None:
    folder = copy()
    (folder / "croissant.json").unlink()
    push(folder, REPO)
    files = {item["@id"]: item.get("sha256") for item in described(hub)["distribution"]}
    there = {path: name for path, name in published(hub).items() if path != "MANIFEST.json"}
    assert {path: files[path] for path in there} == there
    assert not (folder / "croissant.json").exists()


def test_progress_counts_every_byte_once(hub: StandInHub, data: Path) -> None:
    from contextlib import contextmanager

    counted: dict[str, list[int]] = {}

    @contextmanager
    def stage(what: str, total: int) -> Any:
        counted[what] = [total]
        yield counted[what].append

    hub.fail("PUT", "_lfs", times=1)  # sent twice, counted once
    push(data, REPO, stage=stage, patience=HASTY)
    assert set(counted) == {"bytes checked", "bytes sent"}
    assert all(sum(steps) == total for total, *steps in counted.values())
    assert len(counted["bytes sent"]) > len(files_of(data))


# --- the folder -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["rft/train-00000-of-00003.parquet", "README.md"])
def test_a_damaged_file_is_never_published(hub: StandInHub, copy: Callable[[], Path], path: str) -> None:
    folder = copy()
    flip_byte(folder / path)
    with pytest.raises(UserError, match=rf"{path} is not the file.*nothing was sent"):
        push(folder, REPO)
    assert hub.repos == {}


def test_a_manifest_that_names_strange_files_is_refused(hub: StandInHub, copy: Callable[[], Path]) -> None:
    folder = copy()
    plan = folder / "_distortlab" / "plan.json"
    entry = {"bytes": plan.stat().st_size, "rows": 0, "sha256": hashlib.sha256(plan.read_bytes()).hexdigest()}
    edit_manifest(folder, lambda m: m["files"].update({"_distortlab/plan.json": entry}))
    with pytest.raises(UserError, match="no file of a data set; nothing was sent"):
        push(folder, REPO)


def test_an_unfinished_data_set_is_refused(hub: StandInHub, copy: Callable[[], Path]) -> None:
    folder = copy()
    (folder / "MANIFEST.json").unlink()
    with pytest.raises(UserError, match="was begun and not finished"):
        push(folder, REPO)


# --- who may, and where ---------------------------------------------------------------------------------------------


def test_no_token(hub: StandInHub, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(UserError, match="no token: run `hf auth login`, or set HF_TOKEN"):
        push(data, REPO)
    assert hub.repos == {}


@pytest.mark.parametrize("exists", [True, False])
def test_a_token_that_may_not_write(hub: StandInHub, data: Path, monkeypatch: pytest.MonkeyPatch, exists: bool) -> None:
    if exists:
        hub.create(REPO)
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    with pytest.raises(UserError, match="this token may not write user/name") as error:
        push(data, REPO)
    assert "hf_reader" not in str(error.value)
    assert untouched(hub)


def test_a_token_that_is_none(hub: StandInHub, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret_but_old")
    with pytest.raises(UserError, match="does not accept the token") as error:
        push(data, REPO)
    assert "hf_secret" not in str(error.value)


@pytest.mark.parametrize("kind", ["models", "spaces"])
def test_a_name_that_stands_for_something_else(hub: StandInHub, data: Path, kind: str) -> None:
    hub.create(REPO, kind)
    with pytest.raises(UserError, match=f"user/name is a {kind[:-1]}; choose another name"):
        push(data, REPO)
    assert ("datasets", REPO) not in hub.repos


def test_somebody_elses_data_set_is_not_replaced(hub: StandInHub, data: Path) -> None:
    hub.put(REPO, {"README.md": b"# precious", "data/train.parquet": b"PAR1"})
    with pytest.raises(UserError, match=r"holds something else \(data/train.parquet\)"):
        push(data, REPO)
    assert titles(hub) == [FIRST, "by hand"]


def test_a_repository_with_a_readme_and_a_license_is_taken(hub: StandInHub, data: Path) -> None:
    hub.put(REPO, {"README.md": b"# to come", "LICENSE": b"mine"})
    push(data, REPO)
    assert {*files_of(data), "LICENSE"} == set(published(hub))


def test_a_public_data_set_does_not_become_private_unnoticed(hub: StandInHub, data: Path) -> None:
    hub.create(REPO)
    with pytest.raises(UserError, match="exists and is public"):
        push(data, REPO, private=True)
    assert untouched(hub)


def test_a_tag_is_never_moved(hub: StandInHub, data: Path, smaller: Path) -> None:
    push(data, REPO, tag="v1")
    push(data, REPO, tag="v1")
    with pytest.raises(UserError, match="has a tag v1 already"):
        push(smaller, REPO, tag="v1")
    assert published(hub) == files_of(data)


def test_a_tag_is_no_branch(hub: StandInHub, data: Path) -> None:
    push(data, REPO, tag="v1")
    with pytest.raises(UserError, match="v1 is a tag"):
        push(data, REPO, revision="v1")


@pytest.mark.parametrize(
    "name", ["name", "a/b/c", "user/na me", "user/../x", "user/", "https://host/user/name", "user/-x"]
)
def test_a_name_that_is_none(data: Path, name: str) -> None:
    with pytest.raises(UserError, match="written user/name"):
        push(data, name)


# --- faults ---------------------------------------------------------------------------------------------------------

STEPS = {
    "looking": ("GET", "/api/datasets/user/name"),
    "creating": ("POST", "repos/create"),
    "asking how": ("POST", "preupload"),
    "announcing": ("POST", "objects/batch"),
    "sending": ("PUT", "_lfs"),
    "committing": ("POST", "/commit/"),
    "checking": ("POST", "paths-info"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", [503, 429, 0])
def test_a_passing_fault_is_waited_out(hub: StandInHub, data: Path, step: str, status: int) -> None:
    headers = {"Retry_After": "0"} if status == 429 else {}
    hub.fail(*STEPS[step], times=1, status=status, **headers)
    push(data, REPO, patience=HASTY)
    assert published(hub) == files_of(data)
    assert len(titles(hub)) == 2


@pytest.mark.parametrize("step", sorted(STEPS.keys() - {"sending", "checking"}))
def test_a_fault_that_stays_ends_with_a_sentence(hub: StandInHub, data: Path, step: str) -> None:
    hub.fail(*STEPS[step], times=1000)
    with pytest.raises(BuildFailed, match=r"has trouble \(503\) and did not recover in 3 tries"):
        push(data, REPO, patience=HASTY)
    assert untouched(hub)
    hub.faults.clear()
    push(data, REPO)
    assert published(hub) == files_of(data)


def test_the_hub_says_how_long_to_wait(hub: StandInHub, data: Path) -> None:
    hub.fail("POST", "/commit/", status=429, Retry_After="1")
    start = time.monotonic()
    push(data, REPO, patience=HASTY)
    assert time.monotonic() - start >= 1


def test_a_wait_that_is_too_long_is_not_begun(hub: StandInHub, data: Path) -> None:
    hub.fail("POST", "/commit/", times=9, status=429, RateLimit='"api";r=0;t=4000')
    with pytest.raises(BuildFailed, match=r"asked too often \(429\)"):
        push(data, REPO, patience=HASTY)


def test_no_network(hub: StandInHub, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(BuildFailed, match="cannot be reached"):
        push(data, REPO, patience=HASTY)


def test_a_commit_whose_answer_was_lost_is_found_again(
    hub: StandInHub, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server made the commit and then failed to say so."""
    real = stand_in_routes.commit

    def lost(r: Any, revision: str) -> Any:
        answer = real(r, revision)
        if len(r.repo.log) == 2:
            raise stand_in_routes.Refused(503, "Lost")
        return answer

    routes = [(m, p, w, lost if route is real else route) for m, p, w, route in stand_in_routes.ROUTES]
    monkeypatch.setattr(stand_in_routes, "ROUTES", routes)
    pushed = push(data, REPO, patience=HASTY)
    assert pushed.commit == hub.dataset(REPO).branches["main"]
    assert len(titles(hub)) == 2


def interfere(hub: StandInHub, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], times: int = 1) -> None:
    """Somebody else commits just before the first commits of ours arrive."""
    left, commit = [times], stand_in_routes.commit

    def late(r: Any, revision: str) -> Any:
        if left[0] > 0:
            left[0] -= 1
            hub.put(REPO, {path: data + str(left[0]).encode() for path, data in files.items()})
        return commit(r, revision)

    routes = [(m, p, w, late if route is commit else route) for m, p, w, route in stand_in_routes.ROUTES]
    monkeypatch.setattr(stand_in_routes, "ROUTES", routes)


def test_a_branch_that_moved_beside_our_files(hub: StandInHub, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.create(REPO)
    interfere(hub, monkeypatch, {"notes.md": b"a note"})
    push(data, REPO, patience=HASTY)
    assert {*files_of(data), "notes.md"} == set(published(hub))
    assert len(titles(hub)) == 3


def test_a_branch_that_moved_under_our_files(hub: StandInHub, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.create(REPO)
    interfere(hub, monkeypatch, {"README.md": b"# theirs"})
    with pytest.raises(UserError, match=r"somebody else pushed .* changed README.md\); nothing of yours was published"):
        push(data, REPO, patience=HASTY)
    assert titles(hub) == [FIRST, "by hand"]


def test_a_branch_that_never_rests(hub: StandInHub, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.create(REPO)
    interfere(hub, monkeypatch, {"notes.md": b"a note"}, times=99)
    with pytest.raises(BuildFailed, match="changed by others all the time"):
        push(data, REPO, patience=HASTY)
    assert set(published(hub)) == {"notes.md"}


def test_a_hub_that_holds_other_bytes_is_found_out(hub: StandInHub, data: Path) -> None:
    hub.lies["images/train-00000-of-00003.parquet"] = "0" * 64
    with pytest.raises(
        BuildFailed, match=r"holds something else than was sent for images/train-00000-of-00003.parquet"
    ):
        push(data, REPO, patience=HASTY)


def test_an_upload_that_was_cut_off_is_sent_again(hub: StandInHub, data: Path) -> None:
    hub.fail("PUT", "_lfs", times=2, status=0)
    push(data, REPO, patience=HASTY)
    assert published(hub) == files_of(data)


# --- killed ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_between_uploads(hub: StandInHub, data: Path, client_environment: dict[str, str]) -> None:
    hub.pause_s = 0.2
    words = [*COMMAND, "push", str(data), REPO]
    with subprocess.Popen(words, env=client_environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while hub.asked("PUT", "_lfs") < 3 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert untouched(hub)
    there = set(hub.blobs) & set(files_of(data).values())
    assert 2 <= len(there) < len(files_of(data))
    hub.pause_s, before = 0.0, hub.asked("PUT", "_lfs")
    push(data, REPO)
    sent = [path.rpartition("/")[2] for method, path in hub.requests if method == "PUT" and "_lfs" in path][before:]
    assert sent
    assert not there & set(sent)
    assert published(hub) == files_of(data)


# --- the command ----------------------------------------------------------------------------------------------------


def run(environment: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    line = [*COMMAND, *map(str, words)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_command(hub: StandInHub, data: Path, client_environment: dict[str, str]) -> None:
    done = run(client_environment, "push", data, REPO, "--tag", "v1")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"datasets/user/name \(main\) is now \w{8}: \d+ files, .* MB new, 0 kept", done.stdout)
    done = run(client_environment, "push", data, REPO, "--json")
    assert json.loads(done.stdout)["changed"] is False
    client_environment["HF_TOKEN"] = "hf_reader"
    done = run(client_environment, "push", data, "user/other")
    assert done.returncode == 2
    assert done.stderr.startswith("distortlab: this token may not write")
    assert len(done.stderr.splitlines()) == 1
    assert "hf_" not in done.stderr.replace("hf_hub", "")


def test_a_gate_of_another_kind(client_environment: dict[str, str], data: Path) -> None:
    done = run(client_environment, "push", data, REPO, "--gated", "automatic")
    assert done.returncode == 2
    assert "no kind of gate called 'automatic'; did you mean 'auto'?" in done.stderr


def test_the_hub_is_switched_off(client_environment: dict[str, str], data: Path) -> None:
    done = run({**client_environment, "HF_HUB_OFFLINE": "1"}, "push", data, REPO)
    assert (done.returncode, done.stderr) == (2, "distortlab: the Hub is switched off here: HF_HUB_OFFLINE is set\n")


def test_connecting_needs_no_network() -> None:
    assert connect(REPO).url.endswith("/datasets/user/name")
