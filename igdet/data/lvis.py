"""LVIS json: COCO's structure, but pictures are named by URL, and a class is looked for in some pictures only.

Read here, because Detectron2's own reader needs the package `lvis`, which asks for an OpenCV with windows.
Source: Gupta et al. 2019, "LVIS: A Dataset for Large Vocabulary Instance Segmentation", arXiv 1908.03195.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from detectron2.structures import BoxMode

from igdet.data.bad_records import BadRecordLog
from igdet.data.coco import read_usable
from igdet.utils.coco_json import FEDERATED, is_polygon, path_of

REQUIRED_KEYS = {
    "images": ("id", "coco_url", "height", "width", *FEDERATED),
    "categories": ("id", "name", "frequency"),
    "annotations": ("id", "image_id", "category_id", "bbox", "segmentation"),
}


def prepare_lvis(
    fields: dict, log: BadRecordLog, tasks: Sequence[str] = ("bbox", "segm")
) -> tuple[dict, Callable[[], list[dict]]]:
    """Check an LVIS json and say how to load it, as `prepare_coco` does.

    Args:
        fields: ROOT, the folder that holds train2017 and val2017, and ANNOTATIONS, the json file.
        log: counts and names the annotations that are left out.
        tasks: as `prepare_coco` takes them; LVIS has no keypoints.

    Returns:
        The data set's metadata, and the function that loads it in Detectron2's form.

    Raises:
        DatasetError: the file is no LVIS json, or nothing is left.
        BadRecordsError: too many annotations cannot be used.
    """
    content, metadata = read_usable(fields, log, REQUIRED_KEYS, [task for task in tasks if task != "keypoints"])
    # what Detectron2's federated loss weighs classes by
    metadata["class_image_count"] = [
        {"id": category["id"], "image_count": category.get("image_count", 0)} for category in content["categories"]
    ]
    class_ids = metadata["thing_dataset_id_to_contiguous_id"]
    return metadata, lambda: _load(metadata["json_file"], fields["ROOT"], class_ids)


def _load(json_file: str, root: str, class_ids: dict[int, int]) -> list[dict]:
    content = json.loads(Path(json_file).read_text(encoding="utf-8"))
    objects = defaultdict(list)
    for annotation in content["annotations"]:
        objects[annotation["image_id"]].append(_object(annotation, class_ids))
    return [
        {
            "file_name": str(Path(root, path_of(image))),
            "image_id": image["id"],
            **{key: image[key] for key in ("height", "width", *FEDERATED)},
            "annotations": objects[image["id"]],
        }
        for image in sorted(content["images"], key=lambda image: image["id"])
    ]


def _object(annotation: dict, class_ids: dict[int, int]) -> dict:
    masks = annotation.get("segmentation") or []  # polygons, or run lengths
    return {
        "bbox": annotation["bbox"],
        "bbox_mode": BoxMode.XYWH_ABS,
        "category_id": class_ids[annotation["category_id"]],
        "segmentation": masks if isinstance(masks, dict) else [polygon for polygon in masks if is_polygon(polygon)],
    }
