"""Detectron2's mapper and data sets, made safe against bad images."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

import numpy as np
import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetMapper
from detectron2.data import transforms as T
from detectron2.data.detection_utils import SizeMismatchError, build_augmentation
from detectron2.utils.file_io import PathManager
from PIL import Image
from torch.utils.data import Dataset

from igdet.data.bad_records import MAX_REPLACEMENTS, BadRecordsError, bad_in_a_row
from igdet.data.draws.randomness import Stream, generator
from igdet.data.draws.seeding import seeded
from igdet.data.images.decoding import check_eight_bits, open_croppable
from igdet.data.samples import GREY
from igdet.formats.errors import DatasetError, RecordError
from igdet.formats.images import open_image
from igdet.utils.errors import too_many

logger = logging.getLogger(__name__)

IMAGE_FAULTS = (OSError, SyntaxError, RecordError, SizeMismatchError, Image.DecompressionBombError)


def detection_tasks(cfg: CfgNode) -> tuple[str, ...]:
    """Return what a detector of a config is trained for and scored by, of "bbox", "segm" and "keypoints"."""
    wanted = {"bbox": True, "segm": cfg.MODEL.MASK_ON, "keypoints": cfg.MODEL.KEYPOINT_ON}
    return tuple(task for task, is_on in wanted.items() if is_on)


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


def is_wide(record: dict) -> bool:
    """Whether an image is wider than high, by its record or else by its file; False where that cannot be read."""
    if "width" in record and "height" in record:
        return record["width"] > record["height"]
    try:
        with PathManager.open(record["file_name"], "rb") as file:
            image = open_image(file)
            return image.width > image.height
    except Exception:  # whatever a damaged header raises; who reads the image says it
        return False


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


class DetectionSamples(Dataset):
    """Training samples by numbered draw; a bad image is replaced by a random other one and reported.

    Args:
        records: in Detectron2's form.
        mapper: reads and transforms one.
        drawn: int (M,): the records that are drawn at all, of which others are taken.
        seed: the run's seed, >= 0: a sample depends on it and on the draw's number only.
    """

    def __init__(self, records: Sequence[dict], mapper: "CheckedMapper", drawn: np.ndarray, seed: int):
        self._records = records
        self._mapper = mapper
        self._drawn = drawn
        self._seed = seed

    def __getitem__(self, numbered: tuple[int, int]) -> dict:
        """Make the sample of one draw.

        Args:
            numbered: the draw's number and the record's index.

        Returns:
            The mapper's sample with "bad_records".

        Raises:
            BadRecordsError: as the mapper does.
        """
        draw, index = numbered
        rng = generator(self._seed, Stream.DRAW, draw)
        tried = {index}
        with seeded(rng):
            while (sample := self._mapper(self._records[index])) is None:
                while index in tried:
                    index = int(rng.choice(self._drawn))
                tried.add(index)
        return sample


class CheckedMapper:
    """Calls Detectron2's mapper; reports the images that it cannot read with the next sample that it can.

    In training a bad image gives None, and another record is to take its place. In evaluation it is shown as plain
    grey, so that its objects count as missed.

    Args:
        mapper: reads and transforms a record.
        records: how many there are; where all are bad, there is no other.
    """

    def __init__(self, mapper: DatasetMapper, records: int = MAX_REPLACEMENTS):
        self._mapper = mapper
        self._mapper.augmentations = _NamedAugmentations(mapper.augmentations)
        self._most_bad = min(MAX_REPLACEMENTS, records)
        self._unreported: list[tuple[str, str]] = []

    def __call__(self, record: dict) -> dict | None:
        """Map a record in Detectron2's form.

        Returns:
            The mapper's sample with "bad_records", or None.

        Raises:
            BadRecordsError: `MAX_REPLACEMENTS` images in a row are bad, or all there are.
        """
        try:
            _check_file(record["file_name"])
            sample = self._mapper(record)
        except IMAGE_FAULTS as error:
            self._unreported.append((record["file_name"], self._why(record, error)))
            sample = None if self._mapper.is_train else self._grey(record)
        if sample is None:
            return self._give_up() if len(self._unreported) >= self._most_bad else None
        sample["bad_records"], self._unreported = self._unreported, []
        return sample

    def _why(self, record: dict, error: Exception) -> str:
        if isinstance(error, SizeMismatchError):
            with PathManager.open(record["file_name"], "rb") as file:
                found = open_croppable(file.read(), "RGB", record["file_name"])
            return size_fault((found.width, found.height), (record["width"], record["height"]))
        return error.why if isinstance(error, RecordError) else str(error)

    def _grey(self, record: dict) -> dict:
        shown = T.AugInput(GREY)
        self._mapper.augmentations(shown)
        sample = {key: value for key, value in record.items() if key != "annotations"}
        sample["image"] = torch.as_tensor(
            np.ascontiguousarray(shown.image.transpose(2, 0, 1))
        )  # (H, W, 3) -> (3, H, W)
        return sample

    def _give_up(self) -> NoReturn:
        raise bad_in_a_row(self._unreported)


def _check_file(name: str) -> None:
    try:
        with PathManager.open(name, "rb") as file:
            check_eight_bits(file, name)
    except ValueError as error:  # the path holds a NUL byte
        raise error if isinstance(error, RecordError) else RecordError(name, str(error)) from error


class _NamedAugmentations(T.AugmentationList):
    """Augmentations that say which image is so thin that resizing leaves it no pixel."""

    def __init__(self, augmentations: T.AugmentationList):
        super().__init__(augmentations.augs)

    def __call__(self, shown: T.AugInput) -> T.Transform:
        height, width = shown.image.shape[:2]
        try:
            return super().__call__(shown)
        except ValueError as error:
            raise RecordError("", f"{width} x {height} pixels cannot be resized as INPUT asks: {error}") from error


def size_fault(found: tuple[int, int], stated: tuple[int, int]) -> str:
    """Say how an image's size is not that of its annotations, or "".

    Args:
        found, stated: width and height in pixels.
    """
    if found == stated:
        return ""
    exchanged = ": width and height are exchanged" if found == stated[::-1] else ""
    return f"has {found[0]} x {found[1]} pixels, is annotated with {stated[0]} x {stated[1]}{exchanged}"


def check_image_files(name: str, records: list[dict], max_share: float) -> None:
    """Stop before any work when images of a data set are not there; a few missing ones are met, and named, later.

    Args:
        name: the data set.
        records: in Detectron2's form.
        max_share: share of the images, 0..1, that may be missing.

    Raises:
        BadRecordsError: more are missing, or all.
    """
    missing = [record["file_name"] for record in records if not PathManager.isfile(record["file_name"])]
    if too_many(len(missing), len(records), max_share) or len(missing) == len(records):
        raise BadRecordsError(
            f"{name}: {len(missing)} of {len(records)} image files are missing, the first {missing[0]}; expected "
            f"them under {Path(missing[0]).parent} (builtin data sets lie under $DETECTRON2_DATASETS)"
            f"{_written_otherwise(missing[0])}"
        )
    if missing:
        logger.warning(
            f"{name}: {len(missing)} of {len(records)} image files are missing{_written_otherwise(missing[0])}",
        )  # fmt: skip


def _written_otherwise(path: str) -> str:
    """Say how a file that is missing may have to be written: without what Windows or an address puts in its name."""
    others = (path.replace("\\", "/"), unquote(path), unquote(path).replace("\\", "/"))
    found = next((other for other in others if other != path and PathManager.isfile(other)), None)
    return f". {found} is there: write the file names in the annotations so" if found else ""
