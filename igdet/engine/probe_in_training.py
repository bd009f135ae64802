"""What a trunk's features are worth while it is pretrained: k-NN and linear probes every so many images."""

import logging
import time
from typing import cast

import torch
from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog
from torch import nn

from igdet.config import ConfigError
from igdet.engine.features import passing_features
from igdet.modeling.classifier import ImageClassifier

logger = logging.getLogger(__name__)


def check_probe_in_training(cfg: CfgNode) -> None:
    """Refuse a config that asks for probes which cannot be made, before any work; its data sets are registered.

    Raises:
        ConfigError: naming the key.
    """
    probe = cfg.PROBE.IN_TRAINING
    if not probe.EVERY:
        return
    if cfg.MODEL.META_ARCHITECTURE != "ImageClassifier":
        raise ConfigError(
            f"PROBE.IN_TRAINING.EVERY is {probe.EVERY:,}, but MODEL.META_ARCHITECTURE is "
            f"{cfg.MODEL.META_ARCHITECTURE}: only an ImageClassifier is probed while it trains; set EVERY to 0"
        )
    for key in ("TRAIN", "TEST"):
        name = probe[key]
        kind = getattr(MetadataCatalog.get(name), "evaluator_type", None) if name in MetadataCatalog.list() else None
        if kind != "classification":
            raise ConfigError(
                f"PROBE.IN_TRAINING.{key} is {name!r}: expected a data set with one class an image, of DATASETS.OWN or "
                "a named one"
            )
    if probe.TRAIN == probe.TEST:
        raise ConfigError(f"PROBE.IN_TRAINING.TRAIN and TEST are both {probe.TEST}: expected other images to test on")


def probe_period(cfg: CfgNode) -> int:
    """Iterations between probes; 0: none."""
    every = cfg.PROBE.IN_TRAINING.EVERY
    return -(-every // cfg.SOLVER.IMS_PER_BATCH) if every else 0


def probe_in_training(cfg: CfgNode, model: nn.Module) -> dict[str, float]:
    """Probe a network as it is now, in this process alone; random numbers go on as if it had not been.

    Args:
        cfg: the config of the training.
        model: an ImageClassifier with all its weights, or wrapped for several processes.

    Returns:
        "probe/PROTOCOL/top1" in percent, and "probe/seconds", what it all took.
    """
    # Not for every training: SciPy's statistics take a second to import.
    from igdet.engine.probe_settings import settings_of
    from igdet.evaluation.probing.protocols import PROTOCOLS

    probe, clock = cfg.PROBE.IN_TRAINING, time.perf_counter()
    classifier = cast(ImageClassifier, getattr(model, "module", model))
    was_training = classifier.training
    try:
        with torch.random.fork_rng():
            train, test = (passing_features(cfg, classifier, name) for name in (probe.TRAIN, probe.TEST))
            settings = settings_of(cfg, len(MetadataCatalog.get(probe.TRAIN).thing_classes))
            found = {
                f"probe/{name}/top1": float(PROTOCOLS[name].run(train, test, settings).record["top1"])
                for name in probe.PROTOCOLS
            }
    finally:
        classifier.train(was_training)
    seconds = time.perf_counter() - clock
    said = ", ".join(f"{name.split('/')[1]} {top1:.1f}" for name, top1 in found.items())
    logger.info(f"Probe on {probe.TEST}: top-1 {said}; {seconds:.1f} s")
    return {**found, "probe/seconds": seconds}
