"""Detectron2's mapper and data sets, made safe against bad pictures."""

import logging
from pathlib import Path

import numpy as np
import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetMapper
from detectron2.data import transforms as T
from detectron2.data.detection_utils import SizeMismatchError, build_augmentation
from detectron2.utils.file_io import PathManager
from PIL import Image

from igdet.data.bad_records import MAX_REPLACEMENTS, BadRecordsError, bad_in_a_row
from igdet.data.errors import DatasetError, RecordError
from igdet.data.pictures import check_eight_bits
from igdet.data.samples import GREY
from igdet.utils.bad_share import too_many

logger = logging.getLogger(__name__)

PICTURE_FAULTS = (OSError, SyntaxError, RecordError, SizeMismatchError, Image.DecompressionBombError)


def build_train_mapper(cfg: CfgNode) -> DatasetMapper:
    """Detectron2's training mapper, with large-scale jitter where the config asks for it."""
    jitter = cfg.INPUT.LARGE_SCALE_JITTER
    if not jitter.SIDE:
        return DatasetMapper(cfg, is_train=True)
    _, *flip = build_augmentation(cfg, is_train=True)  # the first resizes
    square = jitter.SIDE, jitter.SIDE
    steps = [T.ResizeScale(*jitter.SCALE, *square), T.FixedSizeCrop(square), *flip]
    # A cropped object's box is that of the part of its mask that is left.
    return DatasetMapper(cfg, is_train=True, augmentations=steps, recompute_boxes=cfg.MODEL.MASK_ON)


def require_masks(name: str, records: list[dict], mask_format: str) -> None:
    """Refuse objects whose masks Detectron2's training mapper would stumble over; crowds are not trained on.

    Args:
        name: the data set.
        records: in Detectron2's form.
        mask_format: INPUT.MASK_FORMAT.

    Raises:
        DatasetError: an object has no mask, or run lengths where polygons are expected.
    """
    masks = [
        (record["file_name"], thing.get("segmentation"))
        for record in records
        for thing in record["annotations"]
        if not thing.get("iscrowd")
    ]
    bare = [file for file, mask in masks if not mask]
    runs = [file for file, mask in masks if isinstance(mask, dict)]
    if bare:
        raise DatasetError(
            f"{name}: {len(bare)} of {len(masks)} objects have no mask, the first one in {bare[0]}: leave such objects "
            "out of the annotations, or set MODEL.MASK_ON to False"
        )
    if runs and mask_format == "polygon":
        raise DatasetError(
            f"{name}: {len(runs)} of {len(masks)} masks are run lengths, the first one in {runs[0]}, but "
            "INPUT.MASK_FORMAT is polygon: set it to bitmask"
        )


class CheckedMapper:
    """Calls Detectron2's mapper; reports the pictures that it cannot read with the next sample that it can.

    In training a bad picture gives None, which Detectron2's loader replaces by another record. In evaluation it is
    shown as plain grey, so that its objects count as missed.

    Args:
        mapper: reads and transforms a record.
    """

    def __init__(self, mapper: DatasetMapper):
        self._mapper = mapper
        self._unreported: list[tuple[str, str]] = []

    def __call__(self, record: dict) -> dict | None:
        """Map a record in Detectron2's form.

        Returns:
            The mapper's sample with "bad_records", or None.

        Raises:
            BadRecordsError: `MAX_REPLACEMENTS` pictures in a row are bad.
        """
        try:
            _check_file(record["file_name"])
            sample = self._mapper(record)
        except PICTURE_FAULTS as error:
            why = error.why if isinstance(error, RecordError) else str(error)
            self._unreported.append((record["file_name"], why))
            sample = None if self._mapper.is_train else self._grey(record)
        if sample is None:
            return self._give_up() if len(self._unreported) >= MAX_REPLACEMENTS else None
        sample["bad_records"], self._unreported = self._unreported, []
        return sample

    def _grey(self, record: dict) -> dict:
        shown = T.AugInput(GREY)
        self._mapper.augmentations(shown)
        sample = {key: value for key, value in record.items() if key != "annotations"}
        sample["image"] = torch.as_tensor(
            np.ascontiguousarray(shown.image.transpose(2, 0, 1))
        )  # (H, W, 3) -> (3, H, W)
        return sample

    def _give_up(self) -> None:
        raise bad_in_a_row(self._unreported)


def _check_file(name: str) -> None:
    try:
        with PathManager.open(name, "rb") as file:
            check_eight_bits(file, name)
    except ValueError as error:  # the path holds a NUL byte
        raise error if isinstance(error, RecordError) else RecordError(name, str(error)) from error


def check_picture_files(name: str, records: list[dict], max_share: float) -> None:
    """Stop before any work when pictures of a data set are not there; a few missing ones are met, and named, later.

    Args:
        name: the data set.
        records: in Detectron2's form.
        max_share: share of the pictures, 0..1, that may be missing.

    Raises:
        BadRecordsError: more are missing, or all.
    """
    missing = [record["file_name"] for record in records if not PathManager.isfile(record["file_name"])]
    if too_many(len(missing), len(records), max_share) or len(missing) == len(records):
        raise BadRecordsError(
            f"{name}: {len(missing)} of {len(records)} picture files are missing, the first {missing[0]}; expected "
            f"them under {Path(missing[0]).parent} (builtin data sets lie under $DETECTRON2_DATASETS)"
        )
    if missing:
        logger.warning("%s: %d of %d picture files are missing", name, len(missing), len(records))
