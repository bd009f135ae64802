"""Pooled features of a data set's images, computed once by the frozen trunk and kept as mapped files.

Shapes: N images, C channels.
"""

import hashlib
import logging
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog
from numpy.lib.format import open_memmap
from tqdm import tqdm

from igdet.data.build import build_classification_test_loader
from igdet.data.images.jpeg import DECODER
from igdet.data.records import Records
from igdet.data.workers import explained_death, one_ahead
from igdet.evaluation.probing.splits import LabelledFeatures
from igdet.modeling.classifier import ImageClassifier
from igdet.utils.cache import made_once
from igdet.utils.messages import printable

logger = logging.getLogger(__name__)

FILE = "features.npy"
# Config keys that decide on features, besides weights and images.
PREPROCESSING = ("INPUT.FORMAT", "INPUT.CLASSIFICATION", "MODEL.PIXEL_MEAN", "MODEL.PIXEL_STD", "PROBE.FEATURES")
VERSION = 1  # counts up when the same inputs begin to give other features


def features_of(cfg: CfgNode, model: ImageClassifier, name: str) -> LabelledFeatures:
    """Return a data set's features: those in OUTPUT_DIR/features while weights, images and preprocessing are the same.

    Args:
        cfg: the config.
        model: its model with its weights.
        name: a registered classification set.

    Raises:
        UserError: a feature is not finite, or too many images are bad.
    """
    records = DatasetCatalog.get(name)
    fingerprint = _fingerprint(cfg, model, records)
    folder = Path(cfg.OUTPUT_DIR, "features", name)
    is_new = []

    def make(into: Path) -> None:
        is_new.append(True)
        _extract(cfg, model, name, into / FILE)

    made = made_once(folder, fingerprint, make)
    if not is_new:
        logger.info(f"{name}: features of the same weights, images and preprocessing are in {made}")
    return _labelled(name, np.load(made / FILE, mmap_mode="r"), records)


def passing_features(cfg: CfgNode, model: ImageClassifier, name: str) -> LabelledFeatures:
    """As `features_of`, of weights that change: in memory, and not kept."""
    records = DatasetCatalog.get(name)
    features = np.empty((len(records), model.classifier.in_features), cfg.PROBE.FEATURES)
    with explained_death():
        _fill(features, model, one_ahead(build_classification_test_loader(cfg, name)))
    return _labelled(name, features, records)


def _labelled(name: str, features: np.ndarray, records: Records) -> LabelledFeatures:
    labels = np.asarray(records.label_ids).astype(np.int64)
    return LabelledFeatures(name, features, labels, [records.image_id(index) for index in range(len(records))])


def _extract(cfg: CfgNode, model: ImageClassifier, name: str, path: Path) -> None:
    loader = build_classification_test_loader(cfg, name)
    count, channels = len(DatasetCatalog.get(name)), model.classifier.in_features
    features = open_memmap(path, "w+", cfg.PROBE.FEATURES, (count, channels))
    clock = time.perf_counter()
    with tqdm(total=count, desc=printable(f"features of {name}"), unit=" images") as bar, explained_death():
        in_network = _fill(features, model, one_ahead(loader), bar)
    features.flush()
    seconds = time.perf_counter() - clock
    outside = 100 * (1 - in_network / seconds)
    logger.info(
        "%s: %d features in %.1f s, %.0f images/s; %.0f%% of the time outside the network",
        *(name, count, seconds, count / seconds, outside),
    )


def _fill(
    features: np.ndarray, model: ImageClassifier, batches: Iterable[list[dict]], bar: tqdm | None = None
) -> float:
    """Write the features in the batches' order; return the seconds spent in the network."""
    model.eval()
    done, seconds = 0, 0.0
    with torch.inference_mode():
        for batch in batches:
            clock = time.perf_counter()
            of_batch = model.pooled_features(batch).float().cpu().numpy()
            seconds += time.perf_counter() - clock
            features[done : done + len(batch)] = of_batch
            done += len(batch)
            if bar is not None:
                bar.update(len(batch))
    return seconds


def _fingerprint(cfg: CfgNode, model: ImageClassifier, records: Records) -> str:
    digest = hashlib.sha256(f"{VERSION} {DECODER} {cfg.MODEL.BACKBONE.NAME}".encode())
    for key in PREPROCESSING:
        node = cfg
        for part in key.split("."):
            node = node[part]
        digest.update(f"{key}: {node}\n".encode())
    for name, tensor in sorted(model.backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    digest.update(np.asarray(records.label_ids).tobytes())
    for index in range(len(records)):
        digest.update(records.image_id(index).encode() + _file_state(records.location(index)))
    return digest.hexdigest()


def _file_state(location: dict) -> bytes:
    """Size and time of change of a record's file; nothing where the file is not there, as for any bad image."""
    path = Path(location.get("file_name", ""))
    if not path.is_file():
        return b""
    state = path.stat()
    return f"{state.st_size} {state.st_mtime_ns}".encode()
