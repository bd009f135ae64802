"""The judge of COCO and LVIS annotations, for training and for every evaluation: what counts, and with which values.

docs/DATASETS.md has the table of verdicts: a value is used as it is, computed and reported, or its annotation refused.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from igdet.formats.coco.faults import (
    MARGIN,
    fault_of,
    is_box,
    mask_area,
    mask_fault,
    polygons_of,
    reach_beyond,
    require_usual_boxes,
)
from igdet.formats.coco.keypoint_names import require_keypoint_names
from igdet.formats.coco.reading import CocoJsonError, are_finite, named_categories
from igdet.utils.messages import shown

REST = 10  # square pixels by which an area may be larger than twice its box, for boxes of rounded numbers

# What is computed or strange -> how it is reported, after "N of M annotations".
NOTES = {
    "mask area": 'have no area or 0: that of the mask is taken. Write it as "area"',
    "box area": "have no area or 0, and no mask: that of the box is taken, which is larger than a mask's and changes "
    'the scale that keypoints are compared at. Write the object\'s as "area"',
    "num_keypoints": "have a num_keypoints that is not the number of keypoints with v > 0: it is counted again",
    "no keypoints": "are of classes or crowds without keypoints: they get none that is labelled",
    "mask": "have a mask that cannot be used: it is left out, for no mask is asked for",
    "keypoints": "have keypoints that cannot be used: they are left out, for no keypoint is asked for",
    "points": "have polygons of fewer than three points beside others: those are left out",
    "beyond": f"reach more than {MARGIN:g} pixel beyond their images: training cuts them, evaluation takes them whole. "
    "Are they x, y, width, height in pixels of these images?",
    "large": "have an area more than twice that of their box. Is it in square pixels of these images?",
}


@dataclass(frozen=True)
class Verdicts:
    """What is to be used of a file of annotations.

    Attributes:
        content: the file's, with the annotations and categories that count, and computed values.
        refused: name and reason of each annotation that is left out.
        notes: what was computed, and what is strange; a line each.
        changed: whether the content differs from the file's.
    """

    content: dict
    refused: list[tuple[str, str]]
    notes: list[str]
    changed: bool


def judge(path: str | Path, content: dict, tasks: Sequence[str], keypoints: int = 0) -> Verdicts:
    """Decide about each annotation of a file.

    Args:
        path: the file, for errors.
        content: from `read_coco_json`.
        tasks: of "bbox", "segm" and "keypoints", those that the annotations serve; a fault elsewhere costs
            no annotation.
        keypoints: how many an object has where no category names them; 0 for unknown, and then none are asked for.

    Raises:
        CocoJsonError: the boxes are likely something else than x, y, width, height.
    """
    judged = _Judge(path, content, tasks, keypoints)
    kept = [judged.completed(row) for row in content["annotations"] if judged.allows(row)]
    notes = [*judged.category_notes(), *judged.notes(len(content["annotations"]))]
    counting = {**content, "categories": judged.categories, "annotations": kept}
    return Verdicts(counting, judged.refused, notes, changed=counting != content)


def keypoint_counts(path: str | Path, categories: Sequence[Mapping]) -> dict[int, int]:
    """Return the number of keypoints of each category that names some, by its id.

    Raises:
        CocoJsonError: they are no names, or not the same for all.
    """
    for category in categories:
        require_keypoint_names(path, category)
    named = {category["id"]: category["keypoints"] for category in categories if category.get("keypoints")}
    if any(names != next(iter(named.values())) for names in named.values()):
        raise CocoJsonError(f"{path}: its categories have different keypoints; Detectron2 trains one kind at a time")
    return {category: len(names) for category, names in named.items()}


class _Judge:
    """Completes annotations without a fault, and keeps what there is to say."""

    def __init__(self, path: str | Path, content: dict, tasks: Sequence[str], keypoints: int):
        self.categories = named_categories(content)
        self.refused: list[tuple[str, str]] = []
        self._content = content
        self._sizes = {image["id"]: (image["width"], image["height"]) for image in content["images"]}
        named = keypoint_counts(path, self.categories) if "keypoints" in tasks else {}
        self._count = max(named.values(), default=keypoints)
        self._keypoints = {row["id"]: named.get(row["id"], 0 if named else keypoints) for row in self.categories}
        if named:  # from here on the other classes have them too, none of them labelled
            [names, *_] = (row["keypoints"] for row in self.categories if row["id"] in named)
            self.categories = [{**row, "keypoints": names} for row in self.categories]
        self._tasks = [task for task in tasks if task != "keypoints" or self._count]
        self._found: dict[str, list] = defaultdict(list)  # key of `NOTES` -> ids of annotations
        self._beyond = self._check_boxes(path)

    def _check_boxes(self, path: str | Path) -> set[int]:
        rows = [
            (row["id"], row["bbox"], self._sizes[row["image_id"]])
            for row in self._content["annotations"]
            if row["image_id"] in self._sizes and is_box(row.get("bbox"))
        ]
        if not rows:
            return set()
        ids, *numbers = zip(*rows, strict=True)
        boxes, sizes = (np.array(column, np.float64) for column in numbers)
        require_usual_boxes(path, boxes, sizes)
        return {ids[place] for place in np.flatnonzero(reach_beyond(boxes, sizes))}

    def allows(self, annotation: Mapping) -> bool:
        """Whether an annotation counts; what is wrong with one that does not is kept."""
        why = fault_of(annotation, self._sizes, self._keypoints, self._tasks)
        if why:
            self.refused.append((f"annotation {annotation['id']} of image {shown(annotation['image_id'])}", why))
        return not why

    def completed(self, annotation: dict) -> dict:
        """Return an annotation with what has to be computed; itself where nothing has."""
        size = self._sizes[annotation["image_id"]]
        new = {**self._new_mask(annotation, size), **self._new_keypoints(annotation)}
        dropped = {key for key, value in new.items() if value is None}
        row = {key: value for key, value in {**annotation, **new}.items() if key not in dropped} if new else annotation
        if not row.get("area"):
            row = {**row, "area": self._area(row, size)}
        if annotation["id"] in self._beyond:
            self._found["beyond"].append(annotation["id"])
        if "bbox" in row and row["area"] > 2 * row["bbox"][2] * row["bbox"][3] + REST:
            self._found["large"].append(annotation["id"])
        return row

    def _new_mask(self, annotation: Mapping, size: tuple[int, int]) -> dict:
        mask = annotation.get("segmentation")
        if not mask:
            return {}
        if "segm" not in self._tasks and mask_fault(mask, size):
            self._found["mask"].append(annotation["id"])
            return {"segmentation": None}
        if isinstance(mask, list) and len(polygons := polygons_of(mask)) < len(mask):
            self._found["points"].append(annotation["id"])
            return {"segmentation": polygons}
        return {}

    def _new_keypoints(self, annotation: Mapping) -> dict:
        keypoints = annotation.get("keypoints") or []
        if "keypoints" not in self._tasks:
            if not isinstance(keypoints, list) or not are_finite(keypoints) or len(keypoints) % 3:
                self._found["keypoints"].append(annotation["id"])
                return {"keypoints": None}
            return {}
        if not keypoints:
            self._found["no keypoints"].append(annotation["id"])
            return {"keypoints": [0] * 3 * self._count, "num_keypoints": 0}
        labelled, stated = sum(v > 0 for v in keypoints[2::3]), annotation.get("num_keypoints")
        if labelled == stated and not isinstance(stated, bool):
            return {}
        self._found["num_keypoints"].append(annotation["id"])
        return {"num_keypoints": labelled}

    def _area(self, annotation: Mapping, size: tuple[int, int]) -> float:
        """Of the mask, else of the part of the box in the image; square pixels."""
        area = mask_area(annotation.get("segmentation"))
        self._found["mask area" if area else "box area"].append(annotation["id"])
        if area or "bbox" not in annotation:
            return area
        left, top, width, height = annotation["bbox"]
        return (min(left + width, size[0]) - max(left, 0)) * (min(top + height, size[1]) - max(top, 0))

    def category_notes(self) -> list[str]:
        """Say which categories are left out or named otherwise."""
        names = {category["id"]: category["name"] for category in self.categories}
        roots = [row for row in self._content["categories"] if row["id"] not in names]
        numbers = [row for row in self._content["categories"] if names.get(row["id"], row["name"]) != row["name"]]
        return [
            *(
                f"category {row['id']}, {shown(row['name'])}, is left out: a root without annotations that has the "
                f"name of another class; {len(names)} classes are left"
                for row in roots
            ),
            *(f"category {row['id']} is named by a number: its name is {shown(names[row['id']])}" for row in numbers),
        ]

    def notes(self, total: int) -> list[str]:
        """Say what was computed and what is strange."""
        return [
            f"{len(ids):,} of {total:,} annotations {text}; the first is annotation {ids[0]}"
            for key, text in NOTES.items()
            if (ids := self._found.get(key))
        ]
