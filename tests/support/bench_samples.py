"""Small copies of the official label files, in their formats, with pictures that exist."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from scipy.io import savemat

from distortlab.imaging.encode import encode_png

__all__ = [
    "WRITERS",
    "write_clive",
    "write_csv",
    "write_kadid",
    "write_koniq",
    "write_live",
    "write_llvisionqa",
    "write_meta",
    "write_picture",
    "write_spaq",
]


def write_picture(path: Path, number: int = 0) -> Path:
    """A small picture, another one for every number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = np.mgrid[:24, :32]
    flat = np.stack([rows * 9, columns * 7, (rows + columns + 31 * number) % 256], axis=2)
    path.write_bytes(encode_png(flat.astype(np.uint8)))
    return path


def write_csv(path: Path, header: Sequence[str], lines: Sequence[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def write_koniq(root: Path, n: int = 6) -> Path:
    """`koniq10k_distributions_sets.csv`: its MOS is a z-score, and c1..c5 are shares."""
    lines = []
    for k in range(n):
        votes = np.roll([0.5, 0.3, 0.2, 0.0, 0.0], k % 4)
        part = "validation" if k % 6 == 5 else ("training", "test")[k % 2]
        lines.append([f"{k}.jpg", *votes, 100 + k, 40 + 3 * k, 0.5, part])
        write_picture(root / "1024x768" / f"{k}.jpg", k)
    write_csv(
        root / "koniq10k_distributions_sets.csv",
        ("image_name", "c1", "c2", "c3", "c4", "c5", "c_total", "MOS", "SD", "set"),
        lines,
    )
    return root


def write_spaq(root: Path, n: int = 5) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["Image name", "MOS", "Brightness", "Colorfulness", "Contrast", "Noisiness", "Sharpness"])
    for k in range(n):
        book.active.append([f"{k:05d}.jpg", 10.5 * k, 50 - k, 40 + k, 30.0, (7 * k) % 5, 9.5 * k])
        write_picture(root / "TestImage" / f"{k:05d}.jpg", k)
    (root / "Annotations").mkdir(parents=True, exist_ok=True)
    book.save(root / "Annotations" / "MOS and Image attribute scores.xlsx")
    return root


def write_kadid(root: Path) -> Path:
    lines = []
    for reference in ("I01", "I66"):
        write_picture(root / "images" / f"{reference}.png")
        for level in (1, 2, 3):
            name = f"{reference}_01_0{level}.png"
            lines.append([name, f"{reference}.png", 5 - level, 0.5])
            write_picture(root / "images" / name, level)
    write_csv(root / "dmos.csv", ("dist_img", "ref_img", "dmos", "var"), lines)
    return root


def write_clive(root: Path, n: int = 9) -> Path:
    """`Data/*.mat`; the first seven images are the raters' training images."""
    names = [f"t{k}.bmp" for k in range(1, 8)] + [f"{k}.bmp" for k in range(n - 7)]
    for k, name in enumerate(names):
        write_picture(root / "Images" / ("trainingImages" if k < 7 else "") / name, k)
    (root / "Data").mkdir()
    cells = np.empty((n, 1), dtype=object)
    cells[:, 0] = names
    savemat(root / "Data/AllImages_release.mat", {"AllImages_release": cells})
    savemat(root / "Data/AllMOS_release.mat", {"AllMOS_release": np.arange(n, dtype=float)[None] * 10})
    savemat(root / "Data/AllStdDev_release.mat", {"AllStdDev_release": np.full((1, n), 20.0)})
    return root


def write_csiq(root: Path) -> Path:
    """The sheet `all_by_image` with its head in row 4; the image 1600 is a number there."""
    book = openpyxl.Workbook()
    book.active.title = "readme"
    sheet = book.create_sheet("all_by_image")
    for _ in range(3):
        sheet.append([None])
    sheet.append([None, None, None, "image", "dst_idx", "dst_type", "dst_lev", "dmos_std", "dmos"])
    kinds = (("noise", "awgn", "AWGN"), ("blur", "blur", "BLUR"), ("jpeg 2000", "jpeg2000", "jpeg2000"))
    for k, (kind, folder, token) in enumerate(kinds):
        for image in (1600, "cactus"):
            sheet.append([None, None, None, image, 1, kind, 2, 0.05, 0.1 + 0.2 * k + 0.1 * (image == 1600)])
            write_picture(root / "dst_imgs" / folder / f"{image}.{token}.2.png")
            write_picture(root / "src_imgs" / f"{image}.png")
    book.save(root / "csiq.DMOS.xlsx")
    return root


def write_tid(root: Path) -> Path:
    """Names in one case in the labels, in another on the disk."""
    (root / "distorted_images").mkdir(parents=True)
    write_picture(root / "distorted_images" / "I01_01_1.bmp")
    write_picture(root / "distorted_images" / "i25_24_5.bmp")
    write_picture(root / "distorted_images" / "I02_10_3.bmp")
    for name in ("I01.BMP", "i25.bmp", "I02.BMP"):
        write_picture(root / "reference_images" / name)
    (root / "mos_with_names.txt").write_text("5.51429 I01_01_1.bmp\n1.25 I25_24_5.bmp\n3.5 I02_10_3.bmp\n")
    (root / "mos_std.txt").write_text("0.13\n0.2\n0.1\n")
    return root


def write_live(root: Path) -> Path:
    """982 rows, of which every fourth is pristine; no more than two pictures."""
    n = 982
    scores, pristine = np.linspace(0, 90, n), (np.arange(n) % 4 == 0).astype(float)
    names = np.empty((1, n), dtype=object)
    names[0, :] = [f"ref{k % 29}.bmp" for k in range(n)]
    write_picture(root / "jp2k" / "img2.bmp")
    write_picture(root / "refimgs" / "ref1.bmp")
    arrays = {"orgs": pristine[None], "dmos_std": np.full((1, n), 5.0)}
    savemat(root / "dmos_realigned.mat", {"dmos_new": scores[None], **arrays})
    savemat(root / "dmos.mat", {"dmos": scores[None] / 2, "orgs": pristine[None]})
    savemat(root / "refnames_all.mat", {"refnames_all": names})
    return root


def write_agiqa(root: Path) -> Path:
    header = ("name", "prompt", "adj1", "adj2", "style", "mos_quality", "std_quality", "mos_align", "std_align")
    lines = [[f"sd1.5_{k}.jpg", "a cat, sitting", "", "", "", k / 2, 0.4, 4.0 - k, 0.3] for k in range(4)]
    for k in range(4):
        write_picture(root / f"sd1.5_{k}.jpg", k)
    write_csv(root / "data.csv", header, lines)
    return root


def write_flive(root: Path) -> Path:
    """Two folders with two images of one name."""
    names = ["voc/a.jpg", "voc/b.jpg", "AVA/a.jpg", "AVA/b.jpg", "AVA/c.jpg"]
    write_csv(
        root / "labels_image.csv", ("name", "mos", "zscores"), [[name, 50 + k, 1] for k, name in enumerate(names)]
    )
    write_csv(
        root / "labels640.csv", ("name_image", "mos_image"), [[name, 60 + k] for k, name in enumerate(names[1:4])]
    )
    for k, name in enumerate(names):
        write_picture(root / "database" / name, k)
    return root


def write_pipal(root: Path) -> Path:
    (root / "Train_Label").mkdir(parents=True)
    for k in (1, 2):
        names = [f"A000{k}_00_0{i}.bmp" for i in (0, 1)]
        text = "".join(f"{name},{1400.5 + 10 * i}\n" for i, name in enumerate(names))
        (root / "Train_Label" / f"A000{k}.txt").write_text(text)
        write_picture(root / "Train_Ref" / f"A000{k}.bmp")
        for name in names:
            write_picture(root / f"Distortion_{k}" / name, k)
    return root


def write_bid(root: Path, n: int = 4) -> Path:
    """The workbook numbers its images; of the single grades that follow there is one."""
    book = openpyxl.Workbook()
    book.active.title = "Plan1"
    book.active.append(["Image Number", "Average Subjective Grade", "std", "Grade 1"])
    for k in range(1, n + 1):
        book.active.append([k, 1.1 * k, 0.5, 1.0])
        write_picture(root / f"DatabaseImage{k:04d}.JPG", k)
    book.save(root / "DatabaseGrades.xlsx")
    return root


def write_uhdiqa(root: Path, n: int = 9) -> Path:
    """A folder for each split."""
    parts = ("training", "validation", "test")
    lines = [[f"{k}.jpg", 0.1 * k, parts[k % 3], ""] for k in range(n)]
    for name, _, part, _ in lines:
        write_picture(root / part / name, int(name[0]))
    write_csv(root / "uhd-iqa-metadata.csv", ("image_name", "quality_mos", "set", "subset"), lines)
    return root


def write_llvisionqa(root: Path, n: int = 4) -> Path:
    """The dev half with answers, the test half without."""
    items = [
        {
            "img_path": f"{k:05d}.jpg",
            "question": "How is the lighting of this building?",
            "candidates": ["High", "Low", "Medium"],
            "correct_ans": ("High", "Low", "Medium")[k % 3],
            "type": k % 3,
            "concern": k % 4,
        }
        for k in range(n)
    ]
    for k in range(n):
        write_picture(root / "images" / f"{k:05d}.jpg", k)
    (root / "llvisionqa_dev.json").write_text(json.dumps(items))
    hidden = [{key: value for key, value in item.items() if key != "correct_ans"} for item in items]
    (root / "llvisionqa_test.json").write_text(json.dumps(hidden))
    return root


def write_qbench2(root: Path) -> Path:
    item = {
        "img_path": "llvisionqa_compare_dev\\00079.jpg_cat_09769.jpg.jpg",
        "question": "Which image is clearer?",
        "candidates": ["The first image", "The second image"],
        "correct_ans": "The first image",
    }
    write_picture(root / "llvisionqa_compare_dev" / "00079.jpg_cat_09769.jpg.jpg")
    (root / "q-bench2-a1-dev.jsonl").write_text(json.dumps(item) + "\n")
    return root


def write_abench(root: Path) -> Path:
    item = {
        "img_path": "part1_0000.png",
        "question": "What is the color of the windows?",
        "answers": ["white", "yellow", "blue"],
        "category": "part1 -> basic_recognition -> major",
    }
    write_picture(root / "imgs" / "part1_0000.png")
    (root / "Abench.json").write_text(json.dumps([item, {**item, "question": "And of the door?"}]))
    return root


def write_lldescribe(root: Path) -> Path:
    for k in range(2):
        write_picture(root / "images_lldescribe" / f"{k}.jpg", k)
    return root


def write_meta(root: Path) -> Path:
    """A list as Q-Align has of LIVE: folders tell images apart, and `gt_score` is a DMOS."""
    items = []
    for folder in ("jp2k", "wn"):
        for k in range(1, 4):
            write_picture(root / folder / f"img{k}.bmp", k)
            score = 10.0 * k + (folder == "wn")
            items.append({"image": f"live/{folder}/img{k}.bmp", "gt_score": score, "gt_score_norm": 1 + score / 10})
    (root / "live.json").write_text(json.dumps(items))
    return root / "live.json"


WRITERS: dict[str, Callable[[Path], Path]] = {
    "koniq": write_koniq,
    "spaq": write_spaq,
    "kadid": write_kadid,
    "clive": write_clive,
    "csiq": write_csiq,
    "tid2013": write_tid,
    "live": write_live,
    "agiqa": write_agiqa,
    "flive": write_flive,
    "pipal": write_pipal,
    "bid": write_bid,
    "uhdiqa": write_uhdiqa,
    "qbench-a1": write_llvisionqa,
    "qbench-a2": write_lldescribe,
    "qbench2": write_qbench2,
    "abench": write_abench,
}
