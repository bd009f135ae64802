"""What is looked at in a file of COCO annotations before detections are scored by it."""

from collections.abc import Collection
from pathlib import Path

from igdet.evaluation.coco_check import FIELD
from igdet.utils.coco_json import FEDERATED, KEYPOINTS, CocoJsonError, is_finite, read_coco_json


def read_annotations(path: Path, task: str, lvis: bool = False) -> dict:
    """Read a file of annotations.

    Args:
        path: the file.
        task: a key of `FIELD`.
        lvis: whether they must say what LVIS' do: where a class was looked for, and how frequent it is.

    Returns:
        Its content: "images", "categories", "annotations".

    Raises:
        CocoJsonError: naming the first fault.
    """
    required = {
        "images": ("id", "width", "height", *(FEDERATED if lvis else ())),
        "categories": ("id", "name", *(("frequency",) if lvis else ())),
        "annotations": ("id", "image_id", "category_id", "area", FIELD[task]),
    }
    content = read_coco_json(path, required)
    images, categories = ({row["id"] for row in content[table]} for table in ("images", "categories"))
    for annotation in content["annotations"]:
        _check_annotation(path, annotation, images, categories, task)
    return content


def _check_annotation(
    path: Path, annotation: dict, images: Collection[int], categories: Collection[int], task: str
) -> None:
    numbers = [annotation["area"], *annotation.get("bbox", ())]
    faults = {
        "its image_id is none of the images": annotation["image_id"] not in images,
        "its category_id is none of the categories": annotation["category_id"] not in categories,
        "its area or bbox is not of finite numbers": not all(map(is_finite, numbers)),
        f"it has not {KEYPOINTS} keypoints": task == "keypoints" and len(annotation["keypoints"]) != 3 * KEYPOINTS,
    }
    for fault, is_there in faults.items():
        if is_there:
            raise CocoJsonError(f"{path}: annotation {annotation['id']}: {fault}")
