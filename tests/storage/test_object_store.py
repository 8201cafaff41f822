"""Data sets in an object store: the same as in a folder, whole files only, and one sentence for what goes wrong."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import s3fs
from dataset_samples import (
    COMMAND,
    ENVIRONMENT,
    Gallery,
    assert_one_sentence,
    command,
    published,
    small_recipe,
    started,
)
from s3_server import Server, forget_clients

from distortlab.core.errors import BadRecipe, BuildFailed, UserError
from distortlab.generation.generate import generate
from distortlab.storage import object_store
from distortlab.storage.atomic import read_json
from distortlab.storage.base import Folder, open_storage
from distortlab.storage.object_store import Bucket
from distortlab.verification.verify import verify

RECIPE = small_recipe()
GALLERY = Gallery()


def copied(store: s3fs.S3FileSystem, url: str, folder: Path) -> Path:
    """A data set, brought down."""
    store.get(url.removeprefix("s3://") + "/", str(folder), recursive=True)
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, receipts and plans too, but for the lock, which object stores have not."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every build of this recipe must come to."""
    out = tmp_path_factory.mktemp("local") / "data"
    generate(RECIPE, GALLERY, out, workers=1)
    return out


# --- the same, wherever it lies ----------------------------------------------------------------------------------


def test_a_bucket_gets_what_a_folder_gets(
    bucket: str, store: s3fs.S3FileSystem, s3: Server, local: Path, tmp_path: Path, temporary_folder: Path
) -> None:
    account = generate(RECIPE, GALLERY, f"{bucket}/a/b/", workers=1)
    assert (account.finished, account.out) == (True, f"{bucket}/a/b")
    assert everything(copied(store, f"{bucket}/a/b", tmp_path / "copy")) == everything(local)
    assert not list(temporary_folder.iterdir())
    puts = Counter(path for method, path in s3.log if method == "PUT" and path.count("/") > 2)
    assert set(puts.values()) == {1}, "every file is put once"
    order = [path.partition("/a/b/")[2] for path in puts]
    assert (order[0], order[-1]) == ("_distortlab/plan.json", "MANIFEST.json")
    s3.log.clear()
    assert generate(RECIPE, GALLERY, f"{bucket}/a/b", workers=1) == account
    assert {method for method, _ in s3.log} == {"GET", "HEAD"}, "a second run writes nothing"


def test_a_lost_object_is_made_again(bucket: str, store: s3fs.S3FileSystem, local: Path, tmp_path: Path) -> None:
    generate(RECIPE, GALLERY, bucket, workers=1)
    name = "images/train-00001-of-00003.parquet"
    store.rm(f"{bucket}/{name}")
    short = f"{bucket}/rft/train-00002-of-00003.parquet"
    store.pipe_file(short, b"PAR1")
    generate(RECIPE, GALLERY, bucket, workers=1)
    assert everything(copied(store, bucket, tmp_path / "copy")) == everything(local)


def test_two_machines_share_a_prefix(
    bucket: str, store: s3fs.S3FileSystem, s3: Server, local_coco: tuple[list[str], Path], tmp_path: Path
) -> None:
    words, whole = local_coco
    parts = [
        subprocess.Popen(
            [*COMMAND, *words, "--out", f"{bucket}/d", "--shard", f"{k}/2"],
            env={**ENVIRONMENT, **os.environ},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        for k in (1, 2)
    ]
    assert [(part.communicate()[1], part.returncode) for part in parts] == [("", 0)] * 2
    assert not store.exists(f"{bucket}/d/MANIFEST.json")
    done = set(store.find(f"{bucket}/d/images"))
    s3.log.clear()
    finishing = command(*words, "--out", f"{bucket}/d", environment=os.environ)
    assert finishing.code == 0, finishing.err
    assert {path for method, path in s3.log if method == "PUT"}.isdisjoint(f"/{path}" for path in done)
    assert everything(copied(store, f"{bucket}/d", tmp_path / "copy")) == everything(whole)


@pytest.fixture(scope="session")
def local_coco(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """The words of a command, and the folder that it makes."""
    folder = tmp_path_factory.mktemp("words")
    recipe = folder / "small.toml"
    recipe.write_text("n = 12\nimages_per_shard = 2\nimages_per_reference = 2\nsplits = {train = 1}\n")
    words = ["generate", "--recipe", str(recipe), "--workers", "1", "--json"]
    assert command(*words, "--out", folder / "data").code == 0
    return words, folder / "data"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("moment", ["at the first request", "in the middle"])
def test_killed_and_continued(
    bucket: str, store: s3fs.S3FileSystem, s3: Server, local_coco: tuple[list[str], Path], tmp_path: Path, moment: str
) -> None:
    words, whole = local_coco
    s3.log.clear()
    with started(*words, "--out", bucket, env={**ENVIRONMENT, **os.environ}) as process:
        end = time.monotonic() + 60
        while not (s3.log if moment.startswith("at") else store.glob(f"{bucket}/_distortlab/done/*.json")):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    left = {path.partition("/")[2] for path in store.find(bucket)}
    sizes = read_json(whole / "MANIFEST.json")["files"]
    assert "MANIFEST.json" not in left
    for name in left & sizes.keys():
        assert store.cat_file(f"{bucket}/{name}") == (whole / name).read_bytes(), "whole or not there"
    assert command(*words, "--out", bucket, environment=os.environ).code == 0
    assert everything(copied(store, bucket, tmp_path / "copy")) == everything(whole)


# --- nothing half-written ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", ["Parquet", "text"])
def test_an_exception_while_writing_leaves_nothing(
    bucket: str, store: s3fs.S3FileSystem, temporary_folder: Path, writer: str
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = open_storage(bucket)
    table = pa.table({"x": list(range(1000))})

    def write() -> None:
        with place.new_file("images/part.parquet") as file:
            if writer == "text":
                file.write(b"half")
                raise ZeroDivisionError
            with pq.ParquetWriter(pa.PythonFile(file, mode="w"), table.schema) as rows:
                rows.write_table(table)
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert store.find(bucket) == []
    assert not list(temporary_folder.iterdir())


def test_a_shard_that_fails_leaves_nothing_of_itself(
    bucket: str, store: s3fs.S3FileSystem, local: Path, monkeypatch: pytest.MonkeyPatch, temporary_folder: Path
) -> None:
    import distortlab.generation.shard

    made: list[object] = []

    def failing(*words: Any, **options: Any) -> Any:
        made.append(words)
        if len(made) == 6:
            raise MemoryError
        return draw_image(*words, **options)

    draw_image = distortlab.generation.shard.draw_image
    monkeypatch.setattr(distortlab.generation.shard, "draw_image", failing)
    with pytest.raises(MemoryError):
        generate(RECIPE, GALLERY, bucket, workers=1)
    left = [path.partition("/")[2] for path in store.find(bucket)]
    kinds = Counter(path.rpartition("/")[0] for path in left)
    assert 0 < kinds["_distortlab/done"] == kinds["images"] == kinds["rft"] < 4
    for path in left:
        assert store.cat_file(f"{bucket}/{path}") == (local / path).read_bytes()
    assert not list(temporary_folder.iterdir())


# --- two plans ---------------------------------------------------------------------------------------------------


def test_another_plan_is_refused(bucket: str, store: s3fs.S3FileSystem) -> None:
    generate(RECIPE, GALLERY, bucket, workers=1)
    before = {path: store.info(path)["LastModified"] for path in store.find(bucket)}
    with pytest.raises(BadRecipe, match=r"recipe\.seed is 0 there and 1 here"):
        generate(small_recipe(seed=1), GALLERY, bucket, workers=1)
    with pytest.raises(BadRecipe, match="holds a data set in full, and this would be an archive"):
        generate(RECIPE, GALLERY, bucket, workers=1, store="patch")
    assert {path: store.info(path)["LastModified"] for path in store.find(bucket)} == before


def test_overwrite_starts_again(bucket: str, store: s3fs.S3FileSystem, local: Path, tmp_path: Path) -> None:
    generate(small_recipe(seed=1, n=20), GALLERY, f"{bucket}/d", workers=1)
    store.pipe_file(f"{bucket}/d/mine.txt", b"mine")
    generate(RECIPE, GALLERY, f"{bucket}/d", workers=1, overwrite=True)
    assert everything(copied(store, f"{bucket}/d", tmp_path / "copy")) == {**everything(local), "mine.txt": b"mine"}


def test_what_is_not_ours_is_left_alone(bucket: str, store: s3fs.S3FileSystem) -> None:
    store.pipe_file(f"{bucket}/d/images/cat.jpg", b"mine")
    for overwrite in (False, True):
        with pytest.raises(UserError, match="in use and is not a data set"):
            generate(RECIPE, GALLERY, f"{bucket}/d", workers=1, overwrite=overwrite)
    assert store.find(bucket) == [f"{bucket}/d/images/cat.jpg".removeprefix("s3://")]


@pytest.mark.parametrize("where", ["bucket", "folder"])
def test_of_two_plans_at_once_one_gets_the_place(bucket: str, tmp_path: Path, where: str) -> None:
    """Both find the place empty; the plan itself decides."""
    place = open_storage(f"{bucket}/d" if where == "bucket" else tmp_path / "d")
    ready, told = threading.Barrier(8), list[bool]()

    def claim(number: int) -> None:
        ready.wait()
        told.append(place.create_text("_distortlab/plan.json", json.dumps({"sha256": str(number)})))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False] * 7 + [True]
    assert place.read_json("_distortlab/plan.json")["sha256"].isdecimal()


def test_a_plan_that_comes_between_is_compared(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look and our claim another machine has made its own."""
    create = Bucket.create_text

    def late(self: Bucket, path: str, text: str) -> bool:
        monkeypatch.setattr(Bucket, "create_text", create)
        generate(small_recipe(seed=1), GALLERY, bucket, workers=1)
        return self.create_text(path, text)

    monkeypatch.setattr(Bucket, "create_text", late)
    with pytest.raises(BadRecipe, match=r"recipe\.seed is 1 there and 0 here"):
        generate(RECIPE, GALLERY, bucket, workers=1)


def test_a_part_does_not_clear_the_others(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--overwrite with --shard"):
        generate(RECIPE, GALLERY, tmp_path / "d", shard=(1, 2), overwrite=True)


# --- faults ------------------------------------------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between our tries, and none within the library."""
    monkeypatch.setattr(object_store, "_WAITS_S", (0.0, 0.0))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    forget_clients()


@pytest.mark.parametrize(("method", "part"), [("PUT", "/images/"), ("HEAD", "/rft/")])
def test_a_store_that_falters_is_asked_again(
    hasty: None, bucket: str, store: s3fs.S3FileSystem, s3: Server, local: Path, tmp_path: Path, method: str, part: str
) -> None:
    s3.fail(method, part, times=2)
    generate(RECIPE, GALLERY, bucket, workers=1)
    assert s3.faults[0].times == 0
    assert everything(copied(store, bucket, tmp_path / "copy")) == everything(local)


def test_the_library_of_s3_tries_again_by_itself(bucket: str, s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "_WAITS_S", ())
    s3.fail("PUT", "/images/", times=1)
    assert generate(RECIPE, GALLERY, bucket, workers=1).finished


def test_a_store_that_stays_away(hasty: None, bucket: str, store: s3fs.S3FileSystem, s3: Server) -> None:
    s3.fail("PUT", "/rft/", times=10**6)
    with pytest.raises(BuildFailed, match=r"rft/.*ServiceUnavailable.* \(tried 3 times\); run again later"):
        generate(RECIPE, GALLERY, bucket, workers=1)
    assert not [path for path in store.find(bucket) if "/done/" in path or "/rft/" in path]


def test_a_response_that_got_lost(hasty: None, bucket: str, s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan was written, but nobody heard: the second try finds it there, and it is ours."""
    put = Bucket._put
    lost: list[str] = []

    def deaf(self: Bucket, path: str, action: Any) -> None:
        put(self, path, action)
        if path.endswith("plan.json") and not lost:
            lost.append(path)
            put(self, path, action)

    monkeypatch.setattr(Bucket, "_put", deaf)
    assert generate(RECIPE, GALLERY, bucket, workers=1).finished
    assert lost


def test_no_bucket(s3: Server) -> None:
    with pytest.raises(UserError, match=r"^s3://nowhere/d cannot be written: there is no such bucket"):
        generate(RECIPE, GALLERY, "s3://nowhere/d", workers=1)


def test_no_right(bucket: str, s3: Server) -> None:
    s3.fail("PUT", "plan.json", 403, "AccessDenied")
    with pytest.raises(UserError, match=f"^{bucket}: these credentials have no right to do this"):
        generate(RECIPE, GALLERY, bucket, workers=1)


def test_no_credentials(s3: Server, local_coco: tuple[list[str], Path], tmp_path: Path) -> None:
    none = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    home = {"HOME": str(tmp_path), "AWS_ENDPOINT_URL": s3.url, "AWS_EC2_METADATA_DISABLED": "true"}
    outcome = command(*local_coco[0], "--out", "s3://bucket/d", environment={**none, **home})
    assert (outcome.code, outcome.out) == (2, "")
    assert "no credentials were found" in assert_one_sentence(outcome.err)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://", "s3://bucket/prefix"),
        ("zz://bucket/d", "protocol not known: zz"),
        ("gs://bucket/d", "pip install gcsfs"),
        ("hf://datasets/me/data", "distortlab push"),
        ("https://example.org/d", "not an object store"),
        ("simplecache::s3://bucket/d", "not a place"),
    ],
)
def test_urls_that_are_no_place(url: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        generate(RECIPE, GALLERY, url)


@pytest.mark.parametrize(("missing", "words"), [("fsspec", r"refine-iqa\[remote\]"), ("s3fs", "pip install s3fs")])
def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch, missing: str, words: str) -> None:
    object_store._file_system.cache_clear()
    monkeypatch.setitem(sys.modules, missing, None)
    if missing == "s3fs":
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(UserError, match=words):
        open_storage("s3://bucket/d")


# --- other stores, and reading -----------------------------------------------------------------------------------


def test_a_store_in_memory_is_of_one_process(tmp_path: Path, local: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    assert generate(RECIPE, GALLERY, "memory://m/d", workers=2).finished
    memory.get("/m/d", str(tmp_path / "copy"), recursive=True)
    memory.rm("/m", recursive=True)
    assert everything(tmp_path / "copy") == everything(local)


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    assert open_storage(f"file://{tmp_path}/d") == Folder(tmp_path / "d")


@pytest.mark.parametrize("store_as", ["full", "patch"])
def test_verify_reads_a_bucket(bucket: str, store: s3fs.S3FileSystem, temporary_folder: Path, store_as: Any) -> None:
    generate(RECIPE, GALLERY, bucket, workers=1, store=store_as)
    report = verify(bucket)
    assert (report.images, report.rendered, report.problems) == (12, 12, [])
    name = sorted(path for path in store.find(bucket) if path.endswith("parquet"))[0]
    data = bytearray(store.cat_file(name))
    data[len(data) // 2] ^= 1
    store.pipe_file(name, bytes(data))
    lost = sorted(path for path in store.find(bucket) if path.endswith("parquet"))[-1]
    store.rm(lost)
    problems = " ".join(verify(bucket).problems)
    assert f"{name.partition('/')[2]}: its SHA-256 is not the one" in problems
    assert f"{lost.partition('/')[2]}: missing" in problems
    assert not list(temporary_folder.iterdir())


def test_listing_many_is_one_request(bucket: str, s3: Server, local: Path) -> None:
    generate(RECIPE, GALLERY, bucket, workers=1)
    names = list(read_json(local / "MANIFEST.json")["files"])
    s3.log.clear()
    place = open_storage(bucket)
    sizes = place.sizes([*names, *(f"absent/{i}" for i in range(9))])
    assert sizes == {name: (local / name).stat().st_size for name in names}
    assert len(s3.log) == 1
    assert place.sizes(names[:2]) == {name: sizes[name] for name in names[:2]}
    assert published(local).keys() >= set(names)
