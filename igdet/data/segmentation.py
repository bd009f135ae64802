"""Label maps of records, wherever they come from, and Detectron2's mapper with them.

Shapes: H x W pixels of an image as it is on the disk; h x w of what the model is shown.
"""

import copy
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode, configurable
from detectron2.data import DatasetMapper, detection_utils
from detectron2.data import transforms as T
from detectron2.utils.file_io import PathManager
from pycocotools import mask as coco_mask

from igdet.data.detection import IMAGE_FAULTS, CheckedMapper
from igdet.formats.errors import RecordError
from igdet.formats.images import open_image, to_rgb
from igdet.formats.label_maps import VOID, check_class_ids, read_class_ids, read_segment_ids


def label_map(record: Mapping[str, Any], num_classes: int, ignore_value: int) -> np.ndarray:
    """Return the class of each pixel of a record's image.

    Args:
        record: in Detectron2's form, with a key of `SOURCES`.
        num_classes: classes are numbered from 0.
        ignore_value: the id of pixels that do not count, 0..255.

    Returns:
        uint8 (H, W).

    Raises:
        RecordError: the file cannot be read, or holds ids that are no class.
    """
    make = next(make for source, make in SOURCES.items() if source in record)
    return make(record, num_classes, ignore_value)


def check_label_map(
    record: Mapping[str, Any], size: tuple[int, int], num_classes: int, ignore_value: int
) -> np.ndarray:
    """Return what `label_map` does, of the size of the image.

    Args:
        record, num_classes, ignore_value: as for `label_map`.
        size: width and height of the image, in pixels.

    Raises:
        RecordError: as `label_map`, or it has another size.
    """
    labels = label_map(record, num_classes, ignore_value)
    if labels.shape != size[::-1]:
        found, wanted = (f"{width} x {height}" for width, height in (labels.shape[::-1], size))
        raise RecordError(record["file_name"], f"its label map has {found} pixels, the image {wanted}")
    return labels


def _of_file(record: Mapping[str, Any], num_classes: int, ignore_value: int) -> np.ndarray:
    path = record["sem_seg_file_name"]
    ids = read_class_ids(path)
    check_class_ids(path, ids, num_classes, ignore_value)
    return ids


def _of_segments(record: Mapping[str, Any], _num_classes: int, ignore_value: int) -> np.ndarray:
    """Stuff by its class, all things as class 0."""
    path = record["pan_seg_file_name"]
    segments = read_segment_ids(path)
    infos = record["segments_info"]
    classes = {VOID: ignore_value} | {info["id"]: 0 if info["isthing"] else info["category_id"] for info in infos}
    found, places = np.unique(segments, return_inverse=True)
    unknown = [segment for segment in found.tolist() if segment not in classes]
    if unknown:
        raise RecordError(path, f"its label map {path} has the segment {unknown[0]}, which the json does not list")
    return np.array([classes[segment] for segment in found.tolist()], np.uint8)[places].reshape(segments.shape)


def _of_objects(record: Mapping[str, Any], _num_classes: int, ignore_value: int) -> np.ndarray:
    """Objects on the background, 0. Nobody knows which of two overlapping classes is seen, nor what is in a crowd."""
    ids = np.zeros((record["height"], record["width"]), np.uint8)
    crowds = np.zeros(ids.shape, bool)
    for thing in record["objects"]:
        mask = _decoded(thing["segmentation"], ids.shape)
        if thing.get("iscrowd"):
            crowds |= mask
        else:
            free = np.isin(ids[mask], (0, thing["category_id"]))
            ids[mask] = np.where(free, thing["category_id"], ignore_value)
    ids[crowds & (ids == 0)] = ignore_value
    return ids


def _decoded(segmentation: list | dict, shape: tuple[int, ...]) -> np.ndarray:
    """bool (H, W) of polygons or run lengths."""
    if isinstance(segmentation, list):
        segmentation = coco_mask.merge(coco_mask.frPyObjects(segmentation, *shape))
    return coco_mask.decode(segmentation).astype(bool)


# Key of a record -> how its label map is made. The first two are Detectron2's, "objects" is that of `coco_semantic`.
SOURCES: dict[str, Callable[[Mapping[str, Any], int, int], np.ndarray]] = {
    "sem_seg_file_name": _of_file,
    "pan_seg_file_name": _of_segments,
    "objects": _of_objects,
}


class SegmentationMapper(DatasetMapper):
    """Detectron2's mapper, with label maps that are read as ids and checked.

    Detectron2's own takes the grey value of a palette's colour for the id. In evaluation the label map is handed on as
    it is: scores are those of the image's own pixels.
    """

    @configurable
    def __init__(self, is_train: bool, *, num_classes: int, ignore_value: int, **settings: Any):
        """Build it.

        Args:
            is_train: whether samples are to be augmented.
            num_classes, ignore_value: as `label_map` takes them.
            settings: of Detectron2's mapper.
        """
        super().__init__(is_train, **settings)
        self._num_classes = num_classes
        self._ignore_value = ignore_value

    @classmethod
    def from_config(cls, cfg: CfgNode, is_train: bool = True) -> dict:
        """Read the constructor's arguments from a config."""
        head = cfg.MODEL.SEM_SEG_HEAD
        own = {"num_classes": head.NUM_CLASSES, "ignore_value": head.IGNORE_VALUE}
        return {**super().from_config(cfg, is_train), **own}

    def labels_of(self, record: Mapping[str, Any]) -> np.ndarray:
        """Return a record's label map, uint8 (H, W); raises `RecordError` as `label_map` does."""
        return label_map(record, self._num_classes, self._ignore_value)

    def __call__(self, dataset_dict: dict) -> dict:
        """Map a record.

        Returns:
            "image", uint8 (3, h, w), and in training "sem_seg", int64 (h, w), else "gt_sem_seg", uint8 (H, W); the
            rest as Detectron2's mapper has it.

        Raises:
            RecordError: the label map cannot be used, or is not of the image's size.
        """
        record = copy.deepcopy(dataset_dict)
        with PathManager.open(record["file_name"], "rb") as file:
            image = to_rgb(open_image(file))
        if self.image_format == "BGR":
            image = np.ascontiguousarray(image[:, :, ::-1])
        detection_utils.check_image_size(record, image)
        labels = check_label_map(record, image.shape[1::-1], self._num_classes, self._ignore_value)
        shown = T.AugInput(image, sem_seg=labels if self.is_train else None)
        transforms = self.augmentations(shown)
        sample = {key: value for key, value in record.items() if key not in SOURCES}
        sample["image"] = torch.as_tensor(np.ascontiguousarray(shown.image.transpose(2, 0, 1)))
        if not self.is_train:
            sample.pop("annotations", None)
            return {**sample, "gt_sem_seg": torch.from_numpy(labels)}
        sample["sem_seg"] = torch.as_tensor(shown.sem_seg.astype(np.int64))
        if "annotations" in sample:
            self._transform_annotations(sample, transforms, shown.image.shape[:2])
        return sample


class CheckedSegmentationMapper(CheckedMapper):
    """As `CheckedMapper`; in evaluation a bad image's pixels still count where its label map is good."""

    _mapper: SegmentationMapper

    def _grey(self, record: dict) -> dict:
        sample = super()._grey(record)
        with suppress(*IMAGE_FAULTS):
            labels = self._mapper.labels_of(record)
            sample |= {"gt_sem_seg": torch.from_numpy(labels), "height": labels.shape[0], "width": labels.shape[1]}
        return sample
