"""How far the training images of two configs are from each other, by the features that one trunk has of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog

from igdet.config import ConfigError
from igdet.data.own_datasets import forget_own_datasets, register_own_datasets
from igdet.data.records import Records, files_of_one_label
from igdet.data.subsets import SubsetRecords, first_posts
from igdet.engine.features import features_of
from igdet.evaluation.distances import Distances, distances
from igdet.formats.errors import DatasetError
from igdet.modeling.classifier import ImageClassifier
from igdet.utils.hashing import fingerprint, sha256
from igdet.utils.messages import did_you_mean

IMAGES = 2000  # of each set, at most: enough for the fit of the bias, seconds of a small trunk on a CPU


@dataclass(frozen=True)
class TrainingImages:
    """The first images, in hash order, of what a config trains on, and its classes.

    Attributes:
        name: under which DatasetCatalog has them; equal images have equal names.
        count: how many.
        classes: names of the classes, or of the labels; () where there are none.
        is_detection: whether the classes are categories of detection.
    """

    name: str
    count: int
    classes: tuple[str, ...]
    is_detection: bool


def check_trunk(cfg: CfgNode) -> None:
    """Refuse a config whose network does not pool features.

    Raises:
        ConfigError: its model is no classifier.
    """
    if cfg.MODEL.META_ARCHITECTURE != "ImageClassifier":
        raise ConfigError(
            f"MODEL.META_ARCHITECTURE is {cfg.MODEL.META_ARCHITECTURE}: distances need an ImageClassifier"
        )


def training_images(cfg: CfgNode, images: int = IMAGES) -> TrainingImages:
    """Open DATASETS.TRAIN of a config and register its first images under a name of their own.

    Other data sets that configs describe are forgotten: their names may come again in the next config.

    Args:
        cfg: what `merged_config` returns.
        images: how many at most, >= 1; all where there are fewer.

    Raises:
        DatasetError: the data set cannot be opened, or is a stream.
    """
    cfg.DATASETS.TEST = ()  # nothing is opened that is not needed
    forget_own_datasets()
    register_own_datasets(cfg)
    whole = _records(cfg.DATASETS.TRAIN)
    metadata = MetadataCatalog.get(cfg.DATASETS.TRAIN[0])
    is_detection = metadata.get("evaluator_type") in ("coco", "lvis")
    records = _without_labels(first_posts(whole, min(images, len(whole))))
    name = f"images-{_digest(records)}"
    if name not in DatasetCatalog:
        DatasetCatalog.register(name, lambda: records)
    return TrainingImages(name, len(records), tuple(metadata.get("thing_classes", ())), is_detection)


def image_distances(cfg: CfgNode, trunk: ImageClassifier, first: TrainingImages, second: TrainingImages) -> Distances:
    """Return the distances between two sets of images; features are kept in OUTPUT_DIR/features.

    Args:
        cfg: the trunk's config, which says how images are prepared for it.
        trunk: with its weights.
        first, second: the images.

    Raises:
        UserError: as `features_of` and `distances`.
    """
    return distances(*(features_of(cfg, trunk, images.name).features for images in (first, second)))


def _records(names: Sequence[str]) -> Records:
    """Return the images of data sets of classification, of which there is one, or of detection."""
    for name in names:
        if name not in DatasetCatalog:
            known = DatasetCatalog.list()
            raise DatasetError(f"DATASETS.TRAIN names {name}, which no config describes{did_you_mean(name, known)}")
    found = [DatasetCatalog.get(name) for name in names]
    if len(found) == 1 and isinstance(found[0], Records):
        return found[0]
    if not all(isinstance(records, list) for records in found):
        raise DatasetError(
            f"{', '.join(names)}: a stream has no first images of a hash order; hashtag_shards reads the same files"
        )
    files = [record["file_name"] for records in found for record in records]
    return files_of_one_label("", files, np.zeros(len(files)))


def _without_labels(records: Records) -> Records:
    """Return the same images with one label, 0, for all, so that equal images are known as such whatever they show."""
    count = len(records)
    return SubsetRecords(records, np.arange(count), np.arange(count + 1), np.zeros(count, np.int32))


def _digest(records: Records) -> str:
    # What is in memory alone is known by its bytes.
    places = [records.location(index) or sha256(records.read(index)) for index in range(len(records))]
    return fingerprint(places, list(map(records.image_id, range(len(records)))))[:16]
