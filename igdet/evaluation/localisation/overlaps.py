"""Pictures of a COCO data set as arrays: scores, classes and the IoU of every detection with every object.

Shapes: D detections of a picture, the surest first; G objects, crowds included.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as masks

MAX_DETECTIONS = 100  # a picture and class, as COCO counts


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        scores: float (D,).
        classes: int (D,), category ids of the detections.
        truth: int (G,), category ids of the objects.
        ignored: bool (G,), crowds and objects with "ignore": finding them is neither right nor wrong.
        ious: float (D, G), 0..1; with a crowd the intersection over the detection's area.
    """

    scores: np.ndarray
    classes: np.ndarray
    truth: np.ndarray
    ignored: np.ndarray
    ious: np.ndarray


def pictures(dataset: dict, detections: Sequence[dict], task: str = "bbox") -> Iterator[Picture]:
    """Give every picture of the data set.

    Args:
        dataset: the content of a COCO annotation file.
        detections: COCO results of these pictures.
        task: "bbox" or "segm".
    """
    objects, found = defaultdict(list), defaultdict(list)
    for item in dataset["annotations"]:
        objects[item["image_id"]].append(item)
    for item in sorted(detections, key=lambda item: -item["score"]):
        found[item["image_id"]].append(item)
    for image in dataset["images"]:
        yield _picture(image, objects[image["id"]], _surest(found[image["id"]]), task)


def _surest(items: Sequence[dict]) -> list[dict]:
    taken: dict[int, int] = defaultdict(int)
    kept = []
    for item in items:
        taken[item["category_id"]] += 1
        if taken[item["category_id"]] <= MAX_DETECTIONS:
            kept.append(item)
    return kept


def _picture(image: dict, objects: Sequence[dict], found: Sequence[dict], task: str) -> Picture:
    crowds = [int(item.get("iscrowd", 0)) for item in objects]
    ious = np.zeros((len(found), len(objects)))
    if found and objects:
        sides = [[_region(item, image, task) for item in side] for side in (found, objects)]
        ious = np.asarray(masks.iou(*sides, crowds))
    return Picture(
        np.array([item["score"] for item in found], float),
        np.array([item["category_id"] for item in found], int),
        np.array([item["category_id"] for item in objects], int),
        np.array([bool(item.get("iscrowd") or item.get("ignore")) for item in objects], bool),
        ious,
    )


def _region(item: dict, image: dict, task: str) -> list[float] | dict:
    """A box (x, y, width, height) or a run-length encoded mask."""
    if task == "bbox":
        return item["bbox"]
    shape = item["segmentation"]
    if isinstance(shape, list):
        return masks.merge(masks.frPyObjects(shape, image["height"], image["width"]))
    if isinstance(shape["counts"], list):
        return masks.frPyObjects(shape, image["height"], image["width"])
    return shape
