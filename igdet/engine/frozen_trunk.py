"""The classifier of a config with its weights, for its trunk's sake."""

from typing import cast

from detectron2.config import CfgNode

from igdet.checkpoint.checkpointer import IgdetCheckpointer
from igdet.engine.trainer import Trainer
from igdet.modeling.classifier import ImageClassifier


def trunk_of(cfg: CfgNode) -> ImageClassifier:
    """Build the classifier of a config with MODEL.WEIGHTS, whose trunk has the features; a random trunk without any."""
    model = cast(ImageClassifier, Trainer.build_model(cfg))
    IgdetCheckpointer(model, cfg=cfg).load(cfg.MODEL.WEIGHTS, checkpointables=[])
    return model
