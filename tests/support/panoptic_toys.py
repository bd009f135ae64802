"""A panoptic set by hand: one image of 6 x 4 pixels, two things and a stuff, with what COCO says of them."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from igdet.formats.label_maps import encode_segment_ids

# Two dolls, 1 and 2, on grass, 3; 0: nobody knows.
SEGMENTS = np.array(
    [
        [1, 1, 3, 3, 3, 0],
        [1, 1, 3, 3, 2, 2],
        [3, 3, 3, 3, 2, 2],
        [3, 3, 3, 3, 3, 3],
    ]
)
CATEGORIES = [
    {"id": 5, "name": "doll", "isthing": 1},
    {"id": 9, "name": "grass", "isthing": 0},
    {"id": 7, "name": "sky", "isthing": 0},
]


def content() -> dict:
    """Of the panoptic json."""
    categories = {1: 5, 2: 5, 3: 9}
    areas = {number: int(np.count_nonzero(number == SEGMENTS)) for number in categories}
    segments = [
        {"id": number, "category_id": category, "area": areas[number], "iscrowd": 0}
        for number, category in categories.items()
    ]
    return {
        "images": [{"id": 1, "file_name": "1.png", "width": 6, "height": 4}],
        "categories": CATEGORIES,
        "annotations": [{"image_id": 1, "file_name": "1.png", "segments_info": segments}],
    }


def instances() -> dict:
    """Of the json of instances."""
    boxes = ([0, 0, 2, 2], [4, 1, 2, 2])
    annotations = [
        {
            **{"id": number, "image_id": 1, "category_id": 5, "bbox": box, "area": 4, "iscrowd": 0},
            "segmentation": [[x, y, x + width, y, x + width, y + height, x, y + height]],
        }
        for number, box in enumerate(boxes, start=1)
        for x, y, width, height in [box]
    ]
    return {**content(), "categories": [{"id": 5, "name": "doll"}], "annotations": annotations}


def write(folder: Path, panoptic: dict, things: dict) -> dict[str, str]:
    """Write both files, the image and its PNG; gives the data set's fields."""
    for name in ("images", "panoptic"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 4)).save(folder / "images/1.png")
    (folder / "panoptic/1.png").write_bytes(encode_segment_ids(SEGMENTS))
    (folder / "panoptic.json").write_text(json.dumps(panoptic))
    (folder / "instances.json").write_text(json.dumps(things))
    return {
        "ROOT": str(folder / "images"),
        "MASKS": str(folder / "panoptic"),
        "ANNOTATIONS": str(folder / "panoptic.json"),
        "INSTANCES": str(folder / "instances.json"),
    }
