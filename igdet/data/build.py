"""The data loaders: numbered draws, which a resumed run goes on with, and Detectron2's own for evaluating boxes."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from detectron2 import data as d2
from detectron2.config import CfgNode
from detectron2.data import DatasetFromList
from detectron2.data.build import filter_images_with_few_keypoints, filter_images_with_only_crowd_annotations
from detectron2.data.samplers import InferenceSampler, RepeatFactorTrainingSampler
from detectron2.utils import comm
from detectron2.utils.logger import log_first_n
from torch.utils.data import DataLoader, Sampler

from igdet.config.segmentation import labels_pixels
from igdet.data.bad_records import MAX_REPLACEMENTS, BadRecordLog, CheckedLoader
from igdet.data.detection import (
    CheckedMapper,
    DetectionSamples,
    build_train_mapper,
    check_image_files,
    is_wide,
    require_masks,
)
from igdet.data.draws.batches import NumberedBatches
from igdet.data.draws.epoch import EpochList, LabelUse, plan_epoch, plan_of_records, use_labels
from igdet.data.draws.randomness import Stream, generator
from igdet.data.draws.samplers import NumberedSampler
from igdet.data.draws.streams import Share, Source, StreamSamples, StreamSettings
from igdet.data.images.jpeg import DECODER
from igdet.data.images.transforms import TestTransform, TrainTransform, TrainTransforms
from igdet.data.readers.coco import warn_of_sides
from igdet.data.readers.shards import StreamedShards, StreamMixture
from igdet.data.records import Records
from igdet.data.samples import EvaluationSamples, LabelNoise, TrainingSamples, pack, unpack
from igdet.data.segmentation import CheckedSegmentationMapper, SegmentationMapper
from igdet.data.workers import start_worker
from igdet.formats.coco.parsed import forget
from igdet.formats.errors import DatasetError
from igdet.utils.messages import printable

logger = logging.getLogger(__name__)

LATE_SHARE = 0.2  # of a training, at its end, in which crops are of INPUT.CLASSIFICATION.LATE_CROP
FLIP_PROBABILITY = {"horizontal": 0.5, "none": 0.0}  # by INPUT.RANDOM_FLIP


def draw_seed(cfg: CfgNode) -> int:
    """Return the seed of a run's draws: SEED, or where that is negative a random one, the same on all ranks."""
    return cfg.SEED if cfg.SEED >= 0 else comm.shared_random_seed()


def describe_training_set(cfg: CfgNode) -> str:
    """Say what draws depend on in a classification or hashtag set: a resumed run must find the same."""
    [name] = cfg.DATASETS.TRAIN
    data = d2.DatasetCatalog.get(name)
    counts = data.label_counts() if isinstance(data, StreamedShards | StreamMixture) else _label_use(data).counts
    return f"{name}: {len(data):,} records, label counts {hashlib.sha256(counts.tobytes()).hexdigest()[:12]}"


def build_classification_train_loader(cfg: CfgNode, seed: int, start_draw: int = 0) -> CheckedLoader:
    """Build the endless training loader of a classification or hashtag set.

    Args:
        cfg: the run's config; DATASETS.TRAIN names one set.
        seed: of the draws, >= 0; see `draw_seed`.
        start_draw: number of the first draw over all ranks: iterations done * SOLVER.IMS_PER_BATCH.

    Returns:
        Yields this rank's share of each batch: `{"image" uint8 (3, S, S), "gt_classes" int64 (k,), "image_id"}`.
        What it yields depends on the seed and the draws' numbers only, not on DATALOADER.NUM_WORKERS; a stream
        depends on DATALOADER.STREAM_RANKS and STREAM_WORKERS too.
    """
    [name] = cfg.DATASETS.TRAIN
    data = d2.DatasetCatalog.get(name)
    if isinstance(data, StreamedShards | StreamMixture):
        return _classification_loader(cfg, name, _stream(cfg, data, seed, start_draw))
    records = _records(name)
    use = _label_use(records)
    plan = plan_epoch(use, cfg.DATALOADER.RESAMPLING, cfg.DATALOADER.EPOCH_FACTOR, records.kept("plans"))
    samples = _training_samples(cfg, records, use.counts, seed)
    sampler = NumberedSampler(EpochList(plan, seed), seed, start_draw, comm.get_rank(), comm.get_world_size())
    return _classification_loader(cfg, name, samples, sampler)


def build_classification_test_loader(cfg: CfgNode, name: str) -> CheckedLoader:
    """Build the loader that gives each record of a classification or hashtag set once, over all ranks."""
    samples = EvaluationSamples(_records(name), _test_transform(cfg), cfg.INPUT.FORMAT)
    return _classification_loader(cfg, name, samples, InferenceSampler(len(samples)))


@dataclass(frozen=True)
class TrainingImages:
    """What a detector trains on, and how it is drawn; N images.

    Attributes:
        records: in Detectron2's form, in one block of bytes, which processes share.
        repetitions: float64 (N,): how often each comes in an epoch.
        groups: int (N,): those of one number may share a batch.
        contents: what all draws depend on, in a line: a resumed run must find the same.
    """

    records: Sequence[dict]
    repetitions: np.ndarray
    groups: np.ndarray
    contents: str


def build_detection_train_loader(
    cfg: CfgNode, seed: int, start_iter: int = 0, images: TrainingImages | None = None
) -> CheckedLoader:
    """Build the endless training loader of detection and segmentation sets.

    Args:
        cfg: the run's config.
        seed: of the draws, >= 0; see `draw_seed`.
        start_iter: iterations done.
        images: of DATASETS.TRAIN; None: they are read here.

    Returns:
        Yields this rank's share of each batch, samples of Detectron2's mapper. What it yields depends on the seed and
        the draws' numbers only, not on DATALOADER.NUM_WORKERS; a batch over all ranks, not on their number either.
    """
    images = images or training_images(cfg)
    draws = NumberedSampler(EpochList(plan_of_records(images.repetitions), seed), seed)
    share = cfg.SOLVER.IMS_PER_BATCH, start_iter, comm.get_rank(), comm.get_world_size()
    drawn = np.flatnonzero(images.repetitions)
    mapper = _checked_mapper(cfg, is_train=True, records=len(drawn))
    loader = DataLoader(
        DetectionSamples(images.records, mapper, drawn, seed),
        batch_sampler=NumberedBatches(draws, images.groups, images.repetitions, *share),
        num_workers=cfg.DATALOADER.NUM_WORKERS,
        collate_fn=list,
        worker_init_fn=start_worker,
    )
    return CheckedLoader(loader, _log(cfg, ", ".join(cfg.DATASETS.TRAIN)))


def training_images(cfg: CfgNode) -> TrainingImages:
    """Read the images that a detector trains on.

    Raises:
        DatasetError: it cannot train on them, or not by the sampler that the config names.
    """
    records = _training_records(cfg)
    name = ", ".join(cfg.DATASETS.TRAIN)
    if cfg.MODEL.MASK_ON:
        require_masks(name, records, cfg.INPUT.MASK_FORMAT)
    if cfg.MODEL.KEYPOINT_ON and cfg.INPUT.RANDOM_FLIP == "horizontal":
        warn_of_sides(cfg.DATASETS.TRAIN)
    check_image_files(name, records, cfg.DATASETS.MAX_BAD_SHARE)
    groups = np.array([cfg.DATALOADER.ASPECT_RATIO_GROUPING and is_wide(record) for record in records], int)
    repetitions = REPETITIONS[cfg.DATALOADER.SAMPLER_TRAIN](cfg, records)
    contents = f"{name}: {len(records):,} images, {_digest(records, groups)}"
    return TrainingImages(DatasetFromList(records, copy=False), repetitions, groups, contents)


def _digest(records: list[dict], groups: np.ndarray) -> str:
    """Name which images there are, their groups and the classes of their objects, wherever they lie."""
    facts = [
        (
            str(record.get("image_id", Path(record["file_name"]).name)),
            group,
            [thing["category_id"] for thing in record.get("annotations", ())],
        )
        for record, group in zip(records, groups.tolist(), strict=True)
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def _once(_cfg: CfgNode, records: list[dict]) -> np.ndarray:
    return np.ones(len(records))


def _by_category(cfg: CfgNode, records: list[dict]) -> np.ndarray:
    if "annotations" not in records[0]:
        raise DatasetError(
            f"DATALOADER.SAMPLER_TRAIN is RepeatFactorTrainingSampler, which counts objects, but "
            f"{', '.join(cfg.DATASETS.TRAIN)} has none: set TrainingSampler"
        )
    root = {"sqrt": cfg.DATALOADER.REPEAT_SQRT} if "REPEAT_SQRT" in cfg.DATALOADER else {}  # official main has it
    repeat = RepeatFactorTrainingSampler.repeat_factors_from_category_frequency
    return repeat(records, cfg.DATALOADER.REPEAT_THRESHOLD, **root).double().numpy()


def _subset(cfg: CfgNode, records: list[dict]) -> np.ndarray:
    """The same images whatever SEED is, so that runs of several seeds differ in nothing else."""
    ratio = cfg.DATALOADER.get("RANDOM_SUBSET_RATIO", 0)  # of official main
    count = int(len(records) * ratio)
    if not 0 < count <= len(records):
        raise DatasetError(
            f"DATALOADER.RANDOM_SUBSET_RATIO {ratio:g} of {len(records)} images is {count}: expected a share of them, "
            "above 0 and at most 1"
        )
    return (generator(0, Stream.SUBSET, 0).permutation(len(records)) < count).astype(float)


# Detectron2's name of a sampler -> how often each image comes in an epoch.
REPETITIONS: dict[str, Callable[[CfgNode, list[dict]], np.ndarray]] = {
    "TrainingSampler": _once,
    "RepeatFactorTrainingSampler": _by_category,
    "RandomSubsetTrainingSampler": _subset,
}


def _training_records(cfg: CfgNode) -> list[dict]:
    """The images that Detectron2 trains on: it leaves those without an object or without labelled keypoints out."""
    records = d2.get_detection_dataset_dicts(cfg.DATASETS.TRAIN, filter_empty=False)
    _forget_files(cfg)
    _say_notes(cfg.DATASETS.TRAIN)
    least = cfg.MODEL.ROI_KEYPOINT_HEAD.MIN_KEYPOINTS_PER_IMAGE if cfg.MODEL.KEYPOINT_ON else 0
    if cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS and "annotations" in records[0]:
        kept = filter_images_with_only_crowd_annotations(records)
        records = _some_left(cfg, records, kept, "DATALOADER.FILTER_EMPTY_ANNOTATIONS", "an object that is no crowd")
    if least > 0:
        kept = filter_images_with_few_keypoints(records, least)
        key = "MODEL.ROI_KEYPOINT_HEAD.MIN_KEYPOINTS_PER_IMAGE"
        records = _some_left(cfg, records, kept, key, f"at least {least} labelled keypoints (v > 0)")
    return records


def _forget_files(cfg: CfgNode) -> None:
    """Free the annotations of training, which are loaded now; those of evaluation are asked for again."""
    needed = {d2.MetadataCatalog.get(name).get("json_file") for name in cfg.DATASETS.TEST}
    for file in {d2.MetadataCatalog.get(name).get("json_file") for name in cfg.DATASETS.TRAIN} - needed:
        forget(file)


def _some_left(cfg: CfgNode, records: list[dict], kept: list[dict], key: str, wanted: str) -> list[dict]:
    if not kept:
        raise DatasetError(
            f"{', '.join(cfg.DATASETS.TRAIN)}: {key} leaves out all {len(records)} images: none has {wanted}; annotate "
            "some, or change the setting"
        )
    return kept


def _checked_mapper(cfg: CfgNode, is_train: bool, records: int = MAX_REPLACEMENTS) -> CheckedMapper:
    if labels_pixels(cfg):
        return CheckedSegmentationMapper(SegmentationMapper(cfg, is_train), records)
    return CheckedMapper(build_train_mapper(cfg) if is_train else d2.DatasetMapper(cfg, is_train=False), records)


def build_detection_test_loader(cfg: CfgNode, name: str) -> CheckedLoader:
    """Build Detectron2's evaluation loader, with bad images counted and shown as grey."""
    records = _test_records(cfg, name)
    alone = cfg.clone()
    alone.defrost()
    alone.DATASETS.TRAIN = (name,)  # the mapper asks these for the keypoints' names; a mere evaluation opens no others
    mapper = _checked_mapper(alone, is_train=False)
    loader = d2.build_detection_test_loader(records, mapper=mapper, num_workers=cfg.DATALOADER.NUM_WORKERS)
    return CheckedLoader(loader, _log(cfg, name))


def check_detection_tests(cfg: CfgNode) -> None:
    """Stop before a detector trains on what could not be evaluated at its end.

    Raises:
        BadRecordsError: too many images of a data set of DATASETS.TEST are not there.
    """
    for name in cfg.DATASETS.TEST:
        _test_records(cfg, name)


def _test_records(cfg: CfgNode, name: str) -> list[dict]:
    records = d2.get_detection_dataset_dicts(name, filter_empty=False)
    _say_notes([name])
    check_image_files(name, records, cfg.DATASETS.MAX_BAD_SHARE)
    return records


def _say_notes(names: Sequence[str]) -> None:
    """Log, once, what the judge of annotations said when data sets were registered, before a run had its log."""
    for name in names:
        for note in d2.MetadataCatalog.get(name).get("notes", ()):
            log_first_n(logging.WARNING, f"{name}: {printable(note)}", name=__name__, key="message")


def _label_use(records: Records) -> LabelUse:
    return use_labels(records.label_offsets, records.label_ids, records.kept("labels"))


def _records(name: str) -> Records:
    records = d2.DatasetCatalog.get(name)
    if not isinstance(records, Records):
        raise DatasetError(f"{name} is no classification or hashtag data set; docs/DATASETS.md lists the kinds")
    labels_each = len(records.label_ids) / len(records)
    logger.info(f"{name}: {len(records)} records with {labels_each:.2f} labels each. {records.note}")
    return records


def _stream(cfg: CfgNode, data: StreamedShards | StreamMixture, seed: int, start_draw: int) -> StreamSamples:
    loader, batch = cfg.DATALOADER, cfg.SOLVER.IMS_PER_BATCH
    ranks = loader.STREAM_RANKS or comm.get_world_size()
    workers = loader.STREAM_WORKERS or max(1, loader.NUM_WORKERS)
    sources = []
    for shards, weight in data.weighted:
        shards.check_shared_by(ranks * workers)
        factors = shards.label_factors(loader.RESAMPLING, loader.EPOCH_FACTOR)
        settings = StreamSettings(seed, factors, loader.STREAM_SHARDS, loader.STREAM_BUFFER, loader.STREAM_PASSES)
        make_samples = partial(_training_samples, cfg, label_counts=shards.label_counts(), seed=seed)
        sources.append(Source(shards, settings, make_samples, weight))
    share = Share(batch, start_draw // batch, comm.get_rank(), comm.get_world_size(), ranks, workers)
    return StreamSamples(sources, share, Path(cfg.OUTPUT_DIR, "stream"))


def _training_samples(cfg: CfgNode, records: Records, label_counts: np.ndarray, seed: int) -> TrainingSamples:
    noise = LabelNoise(cfg.DATALOADER.LABEL_NOISE, label_counts, seed)
    one_label = cfg.DATALOADER.ONE_LABEL
    return TrainingSamples(records, _train_transforms(cfg), noise, cfg.INPUT.FORMAT, seed, one_label)


def _train_transforms(cfg: CfgNode) -> TrainTransforms:
    crop = cfg.INPUT.CLASSIFICATION
    flip = FLIP_PROBABILITY[cfg.INPUT.RANDOM_FLIP]
    early, late = (
        TrainTransform(side, crop.TRAIN_SCALE, crop.TRAIN_RATIO, flip, crop.TRAIN_RESIZE == "fast", crop.INTERPOLATION)
        for side in (crop.TRAIN_CROP, crop.LATE_CROP or crop.TRAIN_CROP)
    )
    steps = cfg.SOLVER.MAX_ITER - round(LATE_SHARE * cfg.SOLVER.MAX_ITER)
    return TrainTransforms(early, late, steps * cfg.SOLVER.IMS_PER_BATCH)


def _test_transform(cfg: CfgNode) -> TestTransform:
    crop = cfg.INPUT.CLASSIFICATION
    return TestTransform(crop.TEST_SHORT_SIDE, crop.TEST_CROP, crop.INTERPOLATION)


def _classification_loader(cfg: CfgNode, name: str, samples: Any, sampler: Sampler | None = None) -> CheckedLoader:
    log_first_n(logging.INFO, f"JPEGs are decoded by {DECODER}", name=__name__)
    loader = DataLoader(
        samples,
        batch_size=cfg.SOLVER.IMS_PER_BATCH // comm.get_world_size(),
        sampler=sampler,
        num_workers=cfg.DATALOADER.NUM_WORKERS,
        collate_fn=pack,
        worker_init_fn=start_worker,
    )
    return CheckedLoader(loader, _log(cfg, name), unpack)


def _log(cfg: CfgNode, name: str) -> BadRecordLog:
    return BadRecordLog(cfg.OUTPUT_DIR, name, cfg.DATASETS.MAX_BAD_SHARE)
