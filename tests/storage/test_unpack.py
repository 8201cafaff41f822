"""Unpacking: what comes out, and what an archive of a stranger cannot do."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from file_limits import limited_file_size
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distortlab.core.errors import BuildFailed
from distortlab.storage.unpack import BadArchive, Limits, UnpackedCounts, unpack_archive

FILES = {"set/labels.csv": b"name,mos\n" * 40, "set/images/1.png": bytes(range(256)) * 9, "set/images/2.png": b"x"}


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w:") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def write_tgz(path: Path, files: dict[str, bytes]) -> Path:
    return write_tar(path, files, "w:gz")


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = name  # the constructor would mend a name
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return path


WRITERS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {"tar": write_tar, "tgz": write_tgz, "zip": write_zip}


def read_folder(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", WRITERS)
def test_what_comes_out(kind: str, tmp_path: Path) -> None:
    archive = WRITERS[kind](tmp_path / "a", {**FILES, "__MACOSX/._1.png": b"junk", "set/.DS_Store": b"junk"})
    steps: list[int] = []
    counts = unpack_archive(archive, tmp_path / "out", progress=steps.append)
    assert read_folder(tmp_path / "out") == FILES
    assert counts == UnpackedCounts(5, sum(map(len, FILES.values())))
    assert 0 < sum(steps) <= archive.stat().st_size
    assert not any(path.stat().st_mode & stat.S_IXUSR for path in (tmp_path / "out").rglob("*.png"))


@pytest.mark.parametrize("kind", WRITERS)
def test_parts_are_read_as_one(kind: str, tmp_path: Path) -> None:
    data = WRITERS[kind](tmp_path / "a", FILES).read_bytes()
    parts = [tmp_path / f"a.{k:03}" for k in range(5)]
    size = len(data) // 5 + 1
    for k, part in enumerate(parts):
        part.write_bytes(data[k * size : (k + 1) * size])
    unpack_archive(parts, tmp_path / "out")
    assert read_folder(tmp_path / "out") == FILES
    with pytest.raises(BadArchive, match=r"a\.001 and 3 more parts"):
        unpack_archive(parts[1:], tmp_path / "less")


OUTSIDE = ("../x", "a/../../x", "/etc/x", "..\\x", "\\x", "C:\\x", "C:x", "//host/share/x", "a/..", "./../x")


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", WRITERS)
def test_nothing_is_written_outside(kind: str, name: str, tmp_path: Path) -> None:
    archive = WRITERS[kind](tmp_path / "a", {"good": b"1", name: b"2"})
    with pytest.raises(BadArchive, match="leads out of its folder"):
        unpack_archive(archive, tmp_path / "deep" / "out")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"a", "good"}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"a\nb": b""}, "control character"),
        ({"a\x1b[2Jb": b""}, "control character"),
        ({"n" * 256: b""}, "too long a name"),
        ({"/".join("abcdefgh" * 5): b""}, "too long a name"),
        ({"a": b"1", "./a": b"2"}, "there twice"),
        ({"a": b"1", "a/b": b"2"}, "there twice"),
        ({"a/b": b"1", "a": b"2"}, "there twice"),
    ],
)
def test_names_that_are_refused(kind: str, files: dict[str, bytes], why: str, tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match=why) as caught:
        unpack_archive(WRITERS[kind](tmp_path / "a", files), tmp_path / "out")
    assert str(caught.value).isprintable()


TYPES = {
    tarfile.SYMTYPE: "a link",
    tarfile.LNKTYPE: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a device",
}


@pytest.mark.parametrize("kind", TYPES)
def test_only_files_and_folders_come_out_of_a_tar(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a", "w") as archive:
        info = tarfile.TarInfo("set/link")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(BadArchive, match=f"'set/link' is {TYPES[kind]}"):
        unpack_archive(tmp_path / "a", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_sparse_files_are_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("hole")
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(1 << 40), "GNU.sparse.numblocks": "1"}
    with tarfile.open(tmp_path / "a", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    with pytest.raises(BadArchive, match="a sparse file"):
        unpack_archive(tmp_path / "a", tmp_path / "out")


@pytest.mark.parametrize(
    ("mode", "what"), [(stat.S_IFLNK, "a link"), (stat.S_IFCHR, "a device"), (stat.S_IFIFO, "a device")]
)
def test_only_files_and_folders_come_out_of_a_zip(mode: int, what: str, tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (mode | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(BadArchive, match=what):
        unpack_archive(tmp_path / "a", tmp_path / "out")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(write_zip(tmp_path / "a", {"secret": b"1"}).read_bytes())
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + place] |= 1
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(BadArchive, match="'secret' is encrypted"):
        unpack_archive(tmp_path / "a", tmp_path / "out")


@pytest.mark.parametrize("kind", ["tgz", "zip"])
def test_bombs_are_refused(kind: str, tmp_path: Path) -> None:
    bomb = WRITERS[kind](tmp_path / "a", {f"{k}.png": bytes(1 << 20) for k in range(4)})
    with pytest.raises(BadArchive, match="no set of images does"):
        unpack_archive(bomb, tmp_path / "out", limits=Limits(slack=1 << 20))
    assert sum(map(len, read_folder(tmp_path / "out").values())) <= 2 << 20
    with pytest.raises(BadArchive, match="no set of images does"):
        unpack_archive(bomb, tmp_path / "total", limits=Limits(total=3 << 20))
    with pytest.raises(BadArchive, match="more than 3 files"):
        unpack_archive(bomb, tmp_path / "files", limits=Limits(files=3))


def test_a_header_of_a_tar_cannot_fill_the_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 32
    (tmp_path / "a").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    with pytest.raises(BadArchive, match=r"a header of it has 4,294,967,296 bytes"):
        unpack_archive(tmp_path / "a", tmp_path / "out")


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
def test_an_archive_that_ends_early_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    files = {f"{k}.png": bytes(range(k, 256)) * 5 for k in range(30)}
    data = WRITERS[kind](tmp_path / "a", files).read_bytes()
    length = int(len(data) * share) if kind != "tar" else int(30 * 2048 * share) // 512 * 512
    (tmp_path / "a").write_bytes(data[:length])
    with pytest.raises(BadArchive, match="was not downloaded whole"):
        unpack_archive(tmp_path / "a", tmp_path / "out")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither zip nor tar"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"BZh91AY", "packed with bzip2"),
        (b"PK\x07\x08PK\x03\x04", "zip -s 0"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a pointer of Git LFS"),
        (gzip.compress(b"no tar" * 200, mtime=0), "damaged"),
    ],
)
def test_other_files_are_named(data: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(data)
    with pytest.raises(BadArchive, match=why):
        unpack_archive(tmp_path / "a.tgz", tmp_path / "out")


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", [".", "./.", "././."])
def test_a_file_needs_a_name(kind: str, name: str, tmp_path: Path) -> None:
    archive = WRITERS[kind](tmp_path / "a", {name: b"1"})
    with pytest.raises(BadArchive, match="is no name of a file"):
        unpack_archive(archive, tmp_path / "out")
    assert not (tmp_path / "out").is_file()


def test_a_zip_with_a_nameless_member_and_one_whose_members_lie_before_it(tmp_path: Path) -> None:
    nameless = write_zip(tmp_path / "a", {"": b"1"})
    with pytest.raises(BadArchive, match=r"damaged|is no name of a file"):  # Python 3.11 cannot read it
        unpack_archive(nameless, tmp_path / "out")
    data = bytearray(write_zip(tmp_path / "b", FILES).read_bytes())
    data[-6:-2] = (len(data) - 1).to_bytes(4, "little")  # where the list of members begins
    (tmp_path / "b").write_bytes(data)
    with pytest.raises(BadArchive, match="damaged"):
        unpack_archive(tmp_path / "b", tmp_path / "out")


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_refused_or_harmless(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    """Whatever bytes are changed: one sentence, or files below the folder. Packed data has checksums."""
    whole = bytearray(WRITERS[kind](tmp_path / "a", FILES).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "a").write_bytes(whole)
    out = tmp_path / "deep" / f"out{len(list(tmp_path.glob('deep/*')))}"
    try:
        unpack_archive(tmp_path / "a", out, limits=Limits(slack=1 << 20))
    except BadArchive as error:
        sentence = str(error)
    else:
        sentence = ""
        assert kind == "tar" or set(read_folder(out).values()) <= set(FILES.values())
    assert "\n" not in sentence
    assert {path.name for path in tmp_path.iterdir()} <= {"a", "deep"}


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a", {"large": bytes(range(256)) * 40})
    with limited_file_size(4096), pytest.raises(BuildFailed, match="make room and run the same command again"):
        unpack_archive(archive, tmp_path / "out")
