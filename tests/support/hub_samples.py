"""What tests of references from the Hub share."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from dataset_samples import PLACES, picture
from datasets import ClassLabel, Features, Image, List, Value
from reference_samples import encoded
from stand_in_hub import StandInHub

from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.hub.source import HubImages, open_hub
from distortlab.storage.hub_client import Patience

REPO = "user/photos"
NAMES = ("cat", "dog", "bird")
HASTY = Patience(tries=3, first_s=0.01, longest_s=2)
RULES = ReferenceRules(), RegionRules()
PLAIN = Features({"image": Image(), "caption": Value("string")})
DETECTION = Features(
    {
        "image_id": Value("int64"),
        "image": Image(),
        "objects": {"bbox": List(List(Value("float32"), 4)), "category": List(ClassLabel(names=list(NAMES)))},
    }
)
OF_STRUCTS = Features({"image": Image(), "objects": List({"bbox": List(Value("float32")), "label": Value("string")})})
MASKS = Features({"image": Image(), "objects": List({"mask": Image(), "category": Value("string")})})


def photo(number: int) -> dict[str, Any]:
    return {"bytes": encoded(picture(number), "JPEG", quality=92), "path": f"{number}.jpg"}


def boxes(form: str = "xywh") -> list[list[float]]:
    forms = {"xywh": lambda x, y, s: [x, y, s, s], "xyxy": lambda x, y, s: [x, y, x + s, y + s]}
    forms["cxcywhn"] = lambda x, y, s: [(x + s / 2) / 330, (y + s / 2) / 264, s / 330, s / 264]
    return [forms[form](*place) for place in PLACES]


def detection(rows: int, form: str = "xywh") -> list[dict[str, Any]]:
    objects = {"bbox": boxes(form), "category": [0, 1, 2]}
    return [{"image_id": n, "image": photo(n), "objects": objects} for n in range(rows)]


def parquet(rows: list[dict[str, Any]], features: Features, group: int = 3) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pylist(rows, schema=features.arrow_schema)
    pq.write_table(table, out, row_group_size=group)
    return out.getvalue()


def publish(hub: StandInHub, rows: int = 8, features: Features = DETECTION, **files: Any) -> str:
    data = parquet(detection(rows) if features is DETECTION else plain(rows), features)
    return hub.put(REPO, {"data/train-00000-of-00001.parquet": data, **files})


def plain(rows: int) -> list[dict[str, Any]]:
    return [{"image": photo(n), "caption": "a cup"} for n in range(rows)]


def put(hub: StandInHub, rows: list[dict[str, Any]], features: Features) -> None:
    hub.put(REPO, {"train.parquet": parquet(rows, features)})


def open_photos(spec: str = REPO) -> HubImages:
    return open_hub(spec, HASTY)


def load_all(source: HubImages) -> list[Any]:
    return [entry.load(*RULES) for entry in source.entries(100)]
