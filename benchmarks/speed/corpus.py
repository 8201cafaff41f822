"""Inputs for the benchmark: scenes written as JPEG files with a COCO annotation file, the same for every contestant."""

import json
from pathlib import Path

from PIL import Image as pillow

from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.scenes.source import Scenes


def write_corpus(folder: Path, count: int, seed: int) -> str:
    """Write the first `count` scenes of a seed, of 640x480, and return the specification of the references."""
    images, annotations = [], []
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for entry in Scenes(seed).entries(count):
        reference = entry.load(ReferenceRules(), RegionRules())
        rows, columns = reference.image.shape[:2]
        name = f"{reference.id}.jpg"
        pillow.fromarray(reference.image).save(folder / "images" / name, quality=93, subsampling="4:2:0")
        image_id = len(images) + 1
        images.append({"id": image_id, "file_name": name, "width": columns, "height": rows})
        for named in reference.regions:
            x1, y1, x2, y2 = named.region.bbox
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": 1 + len(annotations) % 5,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": named.region.area,
                    "segmentation": named.region.rle,
                    "iscrowd": 0,
                }
            )
    categories = [{"id": k, "name": f"thing {k}"} for k in range(1, 6)]
    values = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(values))
    return f"coco:{folder / 'annotations.json'},{folder / 'images'}"
