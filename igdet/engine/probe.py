"""Measuring a frozen trunk: features once, then each protocol, with its record and its predictions."""

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.utils import comm

from igdet.config import ConfigError
from igdet.engine.features import features_of
from igdet.engine.frozen_trunk import trunk_of
from igdet.engine.probe_settings import settings_of
from igdet.engine.results import read_record, utc_now, write_record
from igdet.evaluation.classification import ClassificationEvaluator
from igdet.evaluation.predictions import predictions_of_scores, write_predictions
from igdet.evaluation.probing.protocols import PROTOCOLS, Outcome, Settings
from igdet.evaluation.probing.splits import LabelledFeatures, draw_shots, hold_out
from igdet.formats.targets.target import is_part

logger = logging.getLogger(__name__)

RECORD = "probe.json"


def check_probe(cfg: CfgNode) -> None:
    """Refuse a config that no protocol on frozen features can run.

    Raises:
        ConfigError: the model is no classifier, there are several processes or test sets, or the test set is the
            training set, or its whole, or a part of it.
    """
    if cfg.MODEL.META_ARCHITECTURE != "ImageClassifier":
        raise ConfigError(f"MODEL.META_ARCHITECTURE is {cfg.MODEL.META_ARCHITECTURE}: a probe needs an ImageClassifier")
    if comm.get_world_size() > 1:
        raise ConfigError("a probe runs in one process: start it without --num-gpus")
    if len(cfg.DATASETS.TEST) != 1 or cfg.DATASETS.TEST[0] in cfg.DATASETS.TRAIN:
        raise ConfigError(f"DATASETS.TEST is {cfg.DATASETS.TEST}: expected one data set, other than DATASETS.TRAIN")
    [train], [test] = cfg.DATASETS.TRAIN, cfg.DATASETS.TEST
    if is_part(train, test) and not {train, test} <= cfg.DATASETS.OWN.keys():
        raise ConfigError(f"DATASETS.TEST {test} shares images with DATASETS.TRAIN {train}: expected other images")
    for name in (train, test):
        if (kind := MetadataCatalog.get(name).evaluator_type) != "classification":
            raise ConfigError(f"DATASETS: {name} is a {kind} data set: a probe needs one class an image")


def probe(cfg: CfgNode, protocols: Sequence[str], arguments: dict) -> dict:
    """Run protocols on the features of MODEL.WEIGHTS and write OUTPUT_DIR/probe.json after each.

    Features and protocols that are there already, of the same inputs, are not computed again.

    Args:
        cfg: the frozen config.
        protocols: names in `PROTOCOLS`.
        arguments: "config_file" and "opts" of the command line, for the record.

    Returns:
        Protocol -> its record.

    Raises:
        ConfigError: as `check_probe`.
        UserError: features are not finite, or a protocol finds too few images.
    """
    check_probe(cfg)
    settings = settings_of(cfg, cfg.MODEL.CLASSIFIER.NUM_CLASSES)
    _check_images(cfg.DATASETS.TRAIN[0], protocols, settings)
    started, clock = utc_now(), time.perf_counter()
    model = trunk_of(cfg)
    train, test = (features_of(cfg, model, name) for name in (cfg.DATASETS.TRAIN[0], cfg.DATASETS.TEST[0]))
    path = Path(cfg.OUTPUT_DIR, RECORD)
    results = (read_record(path) or {}).get("results", {})
    for name in protocols:
        inputs = _digest(settings, train, test)
        if results.get(name, {}).get("inputs") == inputs:
            logger.info(f"{name}: done already, see {path}")
            continue
        outcome = PROTOCOLS[name].run(train, test, settings)
        results[name] = {"inputs": inputs, **outcome.record, **_evaluated(cfg, name, outcome, test)}
        progress = {"images_seen": 0, "seconds": round(time.perf_counter() - clock, 1), "started": started}
        write_record(path, cfg, arguments, results, progress)
        logger.info(f"{name}, recorded in {path}\n{outcome.table.plain()}")
    return results


def _check_images(name: str, protocols: Sequence[str], settings: Settings) -> None:
    """Draw what the protocols will draw: that depends on labels alone, so too few images show before any work."""
    labels = np.asarray(DatasetCatalog.get(name).label_ids)
    hold_out(labels, settings.held_out, settings.seed)
    if "kshot" in protocols and settings.shots:
        draw_shots(labels, max(settings.shots), settings.seed)


def _evaluated(cfg: CfgNode, name: str, outcome: Outcome, test: LabelledFeatures) -> dict:
    """The metrics of an evaluation, from a predictions file like an evaluation's, where there is one classifier."""
    if outcome.log_scores is None:
        return {}
    folder = Path(cfg.OUTPUT_DIR, name, "inference", test.name)
    predictions = predictions_of_scores(test.image_ids, test.labels, outcome.log_scores)
    write_predictions(folder / "predictions.parquet", predictions)
    evaluator = ClassificationEvaluator(MetadataCatalog.get(test.name).thing_classes, folder)
    return {evaluator.task: evaluator.metrics(predictions)}


def _digest(settings: Settings, *sets: LabelledFeatures) -> str:
    digest = hashlib.sha256(json.dumps(settings.__dict__, sort_keys=True).encode())
    for of_set in sets:
        digest.update(of_set.name.encode() + of_set.features.tobytes() + of_set.labels.tobytes())
    return digest.hexdigest()[:16]
