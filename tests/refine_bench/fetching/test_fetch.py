"""`refine-bench fetch`: from a mirror to a set that can be scored, and what can go wrong on the way."""

import io
import json
import shutil
import sys
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from bench_samples import write_kadid, write_koniq, write_llvisionqa, write_uhdiqa
from file_limits import limited_file_size
from file_server import FileServer
from huggingface_hub import constants
from in_process import Cli
from mirror_samples import LAYOUTS, fill_hub, pack_folder
from stand_in_hub import StandInHub

from distortlab.storage.locks import SharedLock
from refine_bench.datasets import SETS, kadid, load, load_questions
from refine_bench.fetching import fetch
from refine_bench.fetching.sources import MIRROR

TAKE = ("--accept-license", "--any-labels")


def read_lines(text: str) -> str:
    """What a person reads, whatever the width of the table."""
    return " ".join(text.split())


@pytest.mark.slow
def test_every_set_of_the_mirror_in_its_layout(
    cli: Cli, mirror: StandInHub, server: FileServer, tmp_path: Path
) -> None:
    fill_hub(mirror, server, tmp_path)
    data = tmp_path / "iqa"
    ended = cli("fetch", *LAYOUTS, "--data", data, *TAKE, "--json")
    assert ended.code == 0, ended.err
    found = {entry["set"]: entry for entry in json.loads(ended.out)["sets"]}
    assert list(found) == list(LAYOUTS)
    for name, entry in found.items():
        assert entry["status"] == "fetched"
        assert entry["license"] == "cc-by-sa-4.0"
        assert entry["check"]["without_image"] == (0 if name != "live" else 735)
        rows = load("live:release2" if name == "live" else name, data, images=name != "live").rows
        assert len(rows) == entry["check"]["n"]
    assert "pyiqa's meta_info_CSIQDataset.csv" in " ".join(found["csiq"]["notes"])
    assert "without test_spaq.json" in " ".join(found["spaq"]["notes"])
    record = json.loads((data / "kadid" / "fetched.json").read_text())
    assert record["files"][0]["revision"] == mirror.dataset(MIRROR).commit_of("main")
    assert len(record["files"][0]["sha256"]) == 64
    assert [path.name for path in (data / ".fetch").iterdir()] == ["lock"]
    served = mirror.served
    again = cli("fetch", *LAYOUTS, "--data", data)
    assert again.code == 0
    assert again.out.count("present in") == 2 * len(LAYOUTS)
    assert mirror.served == served


def test_a_dry_run_says_sizes_and_licenses_and_fetches_nothing(cli: Cli, mirror: StandInHub, tmp_path: Path) -> None:
    data = tmp_path / "iqa"
    ended = cli("fetch", "koniq", "kadid", "--data", data, "--dry-run", "--json")
    koniq, _ = json.loads(ended.out)["sets"]
    (file,) = koniq["files"]
    assert (koniq["status"], koniq["license"], koniq["origin"]) == ("planned", "cc-by-sa-4.0", "mirror")
    assert file["size"] == koniq["bytes"] == mirror.dataset(MIRROR).tree()["koniq10k.tgz"].size
    assert koniq["terms"] == SETS["koniq"].FACTS.url
    shown = read_lines(cli("fetch", "koniq", "--data", data, "--dry-run").out)
    for part in ("koniq10k.tgz", "MB", "cc-by-sa-4.0", "says the mirror's card"):
        assert part in shown
    assert not data.exists()


def test_nothing_is_fetched_before_the_license_is_accepted(
    cli: Cli, mirror: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "iqa"
    refused = cli("fetch", "kadid", "--data", data)
    assert refused.code == 2
    assert "add --accept-license" in refused.err
    assert SETS["kadid"].FACTS.url in refused.err
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    refused = cli("fetch", "kadid", "--data", data)
    assert (refused.code, "nothing was fetched" in refused.err) == (2, True)
    assert not data.exists()
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert cli("fetch", "kadid", "--data", data, "--any-labels").code == 0
    assert load("kadid", data).rows


def test_labels_are_compared_with_the_known_hash(
    cli: Cli, mirror: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "iqa"
    refused = cli("fetch", "kadid", "--data", data, "--accept-license")
    assert refused.code == 2
    for part in ("are not the known ones", "66ad37169", "--any-labels", "stays in"):
        assert part in refused.err
    assert not (data / "kadid").exists()
    served = mirror.served
    taken = cli("fetch", "kadid", "--data", data, *TAKE)
    assert taken.code == 0
    assert mirror.served - served < mirror.dataset(MIRROR).tree()["kadid10k.tgz"].size
    assert "labels: not the known ones" in taken.out
    monkeypatch.setattr(kadid, "FACTS", replace(kadid.FACTS, sha256=load("kadid", data).sha256))
    assert "labels as known" in cli("fetch", "kadid", "--data", data).out


def test_an_archive_with_another_hash_than_announced(cli: Cli, mirror: StandInHub, tmp_path: Path) -> None:
    mirror.lies["kadid10k.tgz"] = "0" * 64
    refused = cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE)
    assert (refused.code, "is not what was announced" in refused.err) == (2, True)
    assert not (tmp_path / "iqa" / "kadid").exists()
    mirror.lies.clear()
    assert cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE).code == 0


def replace_archive(mirror: StandInHub, member: tarfile.TarInfo, data: bytes = b"") -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    mirror.put(MIRROR, {"kadid10k.tgz": packed.getvalue()})


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("../../kadid10k/dmos.csv", b"x", "leads out of its folder"),
        ("kadid10k/dmos.csv", b"nothing", "is not KADID-10k as it is known"),
        ("kadid10k/dmos.csv", b"dist_img,ref_img,dmos,var\nI01_01_01.png,I01.png,3,1\n", "none of the 1 images"),
        ("other/x.txt", b"x", "has no file meta_info_KADID10kDataset.csv"),
    ],
)
def test_what_is_not_the_set_does_not_get_its_name(
    name: str, data: bytes, why: str, cli: Cli, mirror: StandInHub, tmp_path: Path
) -> None:
    replace_archive(mirror, tarfile.TarInfo(name), data)
    refused = cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE)
    assert refused.code == 2
    assert why in refused.err
    assert len(refused.err.splitlines()) == 1
    assert {path.name for path in (tmp_path / "iqa").iterdir()} == {".fetch"}
    assert {path.name for path in (tmp_path / "iqa" / ".fetch").iterdir()} == {"lock", "kadid"}


def test_a_broken_archive(cli: Cli, mirror: StandInHub, tmp_path: Path) -> None:
    whole = mirror.data(mirror.dataset(MIRROR).tree()["kadid10k.tgz"])
    mirror.put(MIRROR, {"kadid10k.tgz": whole[: len(whole) // 2]})
    refused = cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE)
    assert (refused.code, "is damaged, or was not downloaded whole" in refused.err) == (2, True)
    mirror.put(MIRROR, {"kadid10k.tgz": whole})
    assert cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE).code == 0


def test_a_broken_archive_without_a_hash_is_fetched_again(
    cli: Cli, mirror: StandInHub, server: FileServer, tmp_path: Path
) -> None:
    whole = pack_folder(write_kadid(tmp_path / "kadid10k"), "kadid10k.zip")
    server.files["/archives/kadid10k.zip"] = b"<html>come back later</html>"
    words = ("fetch", "kadid", "--data", tmp_path / "iqa", "--from", "official", *TAKE)
    refused = cli(*words)
    assert (refused.code, "it is a web page, not an archive; it was thrown away" in refused.err) == (2, True)
    server.files["/archives/kadid10k.zip"] = whole
    assert cli(*words).code == 0


def test_a_full_disk_while_fetching_is_one_sentence_and_goes_on(
    cli: Cli, mirror: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1024)
    size = mirror.dataset(MIRROR).tree()["koniq10k.tgz"].size
    with limited_file_size(size // 2 // 1024 * 1024):
        refused = cli("fetch", "koniq", "--data", tmp_path / "iqa", *TAKE)
    assert refused.code == 3
    assert "make room and run the same command again, it goes on from here" in refused.err
    assert not (tmp_path / "iqa" / "koniq").exists()
    served = mirror.served
    assert cli("fetch", "koniq", "--data", tmp_path / "iqa", *TAKE).code == 0
    assert mirror.served - served < size * 0.75


def test_ctrl_c_while_unpacking_leaves_nothing_half_done(
    cli: Cli, mirror: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*words: object, **named: object) -> None:
        (staging,) = (tmp_path / "iqa" / ".fetch").glob(".kadid.*.tmp")
        (staging / "half").write_bytes(b"x")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "unpack_archive", stop)
        stopped = cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE)
    assert stopped.code == 130
    assert "the same command goes on" in stopped.err
    assert {path.name for path in (tmp_path / "iqa" / ".fetch").iterdir()} == {"lock", "kadid"}
    killed = tmp_path / "iqa" / ".fetch" / ".koniq.0123abcd.tmp"
    killed.mkdir()
    assert cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE).code == 0
    assert not killed.exists()


def test_two_at_once(cli: Cli, mirror: StandInHub, tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="Windows has no such locks")
    (tmp_path / "iqa" / ".fetch").mkdir(parents=True)
    held, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with SharedLock(tmp_path / "iqa" / ".fetch" / "lock"):
            held.set()
            enough.wait(20)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(20)
    refused = cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE)
    enough.set()
    other.join()
    assert (refused.code, "another fetch is at work" in refused.err) == (2, True)


@pytest.mark.parametrize("kind", ["whole", "parts"])
def test_archives_that_are_here_already(
    kind: str, cli: Cli, mirror: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network; they stay."""
    here = tmp_path / "downloads"
    here.mkdir()
    data = mirror.data(mirror.dataset(MIRROR).tree()["kadid10k.tgz"])
    if kind == "whole":
        (here / "kadid10k.tgz").write_bytes(data)
    else:
        (here / "kadid10k.tgz.000").write_bytes(data[:900])
        (here / "kadid10k.tgz.001").write_bytes(data[900:])
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    files = sorted(here.iterdir())
    ended = cli("fetch", "kadid", "--data", tmp_path / "iqa", "--archives", here, *TAKE)
    assert ended.code == 0, ended.err
    assert load("kadid", tmp_path / "iqa").rows
    assert sorted(here.iterdir()) == files
    refused = cli("fetch", "koniq", "--data", tmp_path / "iqa", "--archives", here, *TAKE)
    assert (refused.code, "koniq10k.tgz or koniq10k_1024x768.zip" in refused.err) == (2, True)


def test_the_official_place_where_the_mirror_has_not_got_it(
    cli: Cli, mirror: StandInHub, server: FileServer, tmp_path: Path
) -> None:
    tree = mirror.dataset(MIRROR).tree()
    del tree["kadid10k.tgz"]
    server.files["/archives/kadid10k.zip"] = pack_folder(write_kadid(tmp_path / "kadid10k"), "kadid10k.zip")
    refused = cli("fetch", "kadid", "--data", tmp_path / "iqa", "--from", "mirror", *TAKE)
    assert (refused.code, "has no file kadid10k.tgz" in refused.err) == (2, True)
    ended = cli("fetch", "kadid", "--data", tmp_path / "iqa", "--keep-archives", *TAKE)
    assert ended.code == 0, ended.err
    assert "the mirror was passed over" in read_lines(ended.out)
    assert load("kadid", tmp_path / "iqa").rows
    assert (tmp_path / "iqa" / ".fetch" / "kadid" / "kadid10k.zip").is_file()
    server.files.clear()
    refused = cli("fetch", "kadid", "--data", tmp_path / "other", *TAKE)
    assert refused.code == 2
    assert "kadid cannot be had: " in refused.err


@pytest.mark.slow
def test_official_archives_of_several_files(cli: Cli, mirror: StandInHub, server: FileServer, tmp_path: Path) -> None:
    """KonIQ-10k in three archives, UHD-IQA in two, Q-Bench A1 as pictures in one and questions beside it."""
    koniq = write_koniq(tmp_path / "koniq")
    shutil.copytree(koniq / "1024x768", koniq / "512x384")
    scores = koniq / "koniq10k_scores_and_distributions.csv"
    (koniq / "koniq10k_distributions_sets.csv").rename(scores)
    uhd = write_uhdiqa(tmp_path / "UHD-IQA-database")
    labels = tmp_path / "uhd-iqa-metadata"
    labels.mkdir()
    (uhd / "uhd-iqa-metadata.csv").rename(labels / "uhd-iqa-metadata.csv")
    server.files |= {
        "/archives/koniq10k_1024x768.zip": pack_folder(koniq / "1024x768", "a.zip"),
        "/archives/koniq10k_512x384.zip": pack_folder(koniq / "512x384", "a.zip"),
        "/archives/koniq10k_scores_and_distributions.zip": pack_folder(scores, "a.zip"),
        "/archives/UHD-IQA/UHD-IQA-database.zip": pack_folder(uhd, "a.zip"),
        "/archives/UHD-IQA/uhd-iqa-metadata.zip": pack_folder(labels / "uhd-iqa-metadata.csv", "a.zip"),
    }
    data = tmp_path / "iqa"
    ended = cli("fetch", "koniq", "uhdiqa", "--from", "official", "--data", data, *TAKE)
    assert ended.code == 0, ended.err
    assert "no hash of its labels is known" in ended.out
    assert load("koniq:512", data).rows
    assert len(load("uhdiqa:all", data).rows) == 9
    questions = write_llvisionqa(tmp_path / "questions")
    files = {path.name: path.read_bytes() for path in questions.glob("*.json")}
    pictures = (questions / "images").rename(questions / "images_llvisionqa")
    mirror.put("teowu/LLVisionQA-QBench", {**files, "images_llvisionqa.tar": pack_folder(pictures, "a.tar")})
    ended = cli("fetch", "qbench-a1", "--data", data, *TAKE)
    assert ended.code == 0, ended.err
    assert load_questions("qbench-a1", data).rows


def test_a_set_without_its_images_is_said_to_be_so(cli: Cli, mirror: StandInHub, tmp_path: Path) -> None:
    shutil.rmtree(write_kadid(tmp_path / "kadid") / "images")
    shown = cli("fetch", "kadid", "--data", tmp_path)
    assert shown.code == 0
    assert "6 images are missing" in shown.out
    assert f"move {tmp_path / 'kadid'} away" in shown.out


def test_no_network(cli: Cli, mirror: StandInHub, server: FileServer, tmp_path: Path) -> None:
    mirror.fail("GET", "/api", times=99, status=0)
    server.statuses = [503] * 99
    refused = cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE)
    assert refused.code == 3
    assert "cannot be reached" in refused.err
    assert len(refused.err.splitlines()) == 1


def test_no_room(cli: Cli, mirror: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    refused = cli("fetch", "kadid", "--data", tmp_path / "iqa", *TAKE)
    assert refused.code == 3
    assert "too few for the archives and what comes out of them" in refused.err
    assert not (tmp_path / "iqa").exists()
    assert "too small" in cli("fetch", "kadid", "--data", tmp_path / "iqa", "--dry-run").out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("kadi",), "no set called 'kadi'; did you mean 'kadid'?"),
        (("abench",), "abench is not fetched: its images are handed out after a form"),
        (("spaq", "--from", "official"), "spaq is not fetched from an official place, only from: mirror"),
        (("spaq", "--from", "else"), "it is mirror or official"),
        (("kadid", "--archives", "/no/such/folder"), "/no/such/folder is not a folder"),
    ],
)
def test_what_is_asked_wrong(words: tuple[str, ...], why: str, cli: Cli, tmp_path: Path) -> None:
    refused = cli("fetch", *words, "--data", tmp_path)
    assert (refused.code, why in refused.err) == (2, True)


def test_a_folder_in_the_way_and_none_named(cli: Cli, mirror: StandInHub, tmp_path: Path) -> None:
    (tmp_path / "kadid").mkdir()
    refused = cli("fetch", "kadid", "--data", tmp_path)
    assert (refused.code, "is there and has no labels of KADID-10k" in refused.err) == (2, True)
    assert "--data ~/iqa" in cli("fetch", "kadid").err


def test_the_list_asks_nobody(cli: Cli) -> None:
    found = json.loads(cli("fetch", "--json").out)
    assert {entry["set"] for entry in found["sets"]} | set(found["not_fetched"]) == set(SETS)
    assert "koniq10k.tgz" in cli("fetch").out
