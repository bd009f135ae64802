"""A trained hashtag classifier: its config, its weights, its vocabulary, and the log-odds that it gives to images.

Shape shorthand: B: images of a batch, L: labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from detectron2.config import CfgNode
from torch import Tensor, nn
from tqdm import tqdm

from igdet.checkpoint.checkpointer import IgdetCheckpointer
from igdet.checkpoint.weights_file import WeightsFile
from igdet.config import ConfigError
from igdet.data.build import build_classification_test_loader
from igdet.data.workers import explained_death, one_ahead
from igdet.engine.setup import fit_to_device, merged_config
from igdet.engine.trainer import Trainer
from igdet.formats.errors import WeightsError
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary, VocabularyError
from igdet.modeling.classifier import ImageClassifier
from igdet.utils.files import expanded
from igdet.utils.messages import printable

MOST_CERTAIN = -1e-12  # log probability; above it the log-odds, 27.6, would lose their digits, and at 0 be infinite


class Scores(NamedTuple):
    """What the classifier says about the images of a batch.

    Attributes:
        image_ids: B names.
        log_odds: float64 (B, L).
        is_bad: bool (B,), which images could not be read and were shown as grey.
    """

    image_ids: list[str]
    log_odds: np.ndarray
    is_bad: np.ndarray


@dataclass(frozen=True)
class Scorer:
    """A classifier of anything.

    Attributes:
        cfg: the config; says how images are read, and in whose OUTPUT_DIR the log of bad ones is.
        model: in evaluation mode; takes samples, and gives a dict with "pred_class_logits", float (L,), for each.
    """

    cfg: CfgNode
    model: nn.Module

    def scores(self, name: str) -> Iterator[Scores]:
        """Yield the scores of a registered data set's images, in its order, with a bar that has rate and time left.

        Raises:
            BadRecordsError: too many images are bad, or all of them.
            WorkerError: a process of the data loader has died.
        """
        loader = build_classification_test_loader(self.cfg, name)
        total = len(loader.loader.dataset)
        with tqdm(total=total, desc=printable(name), unit=" images") as bar, explained_death(), torch.inference_mode():
            for batch in one_ahead(loader):
                logits = torch.stack([output["pred_class_logits"] for output in self.model(batch)])
                odds = log_odds(logits, self.cfg.MODEL.CLASSIFIER.LOSS).cpu().numpy()
                is_bad = np.array([sample["is_bad"] for sample in batch])
                yield Scores([sample["image_id"] for sample in batch], odds, is_bad)
                bar.update(len(batch))


@dataclass(frozen=True)
class Tagger(Scorer):
    """A classifier of hashtags, with its weights.

    Attributes:
        weights: their local file.
        vocabulary: L labels, by the row of the classifier.
    """

    weights: Path
    vocabulary: Vocabulary


def log_odds(logits: Tensor, loss: str) -> Tensor:
    """Return log(p / (1 - p)) of the probability that an image carries each hashtag, as the classifier has learnt it.

    Args:
        logits: float (B, L).
        loss: MODEL.CLASSIFIER.LOSS, "softmax" or "sigmoid".

    Returns:
        float64 (B, L), finite.
    """
    logits = logits.double()
    if loss == "sigmoid":
        return logits
    log_p = logits.log_softmax(dim=1).clamp(max=MOST_CERTAIN)
    return log_p - torch.log(-torch.expm1(log_p))  # log(1 - p) = log(-(e^log p - 1))


def tagger_config(config_file: str, opts: Sequence[str]) -> CfgNode:
    """Read the config of a trained classifier; no data set is opened.

    Args:
        config_file: such as config.yaml in a run's folder.
        opts: KEY VALUE KEY VALUE ... that override it.

    Returns:
        The config, not frozen, for this machine.

    Raises:
        ConfigError: a key is wrong, its model is no classifier, or it names no weights.
    """
    cfg = merged_config(config_file, opts)
    if cfg.MODEL.META_ARCHITECTURE != "ImageClassifier":
        raise ConfigError(
            f"{config_file}: MODEL.META_ARCHITECTURE is {cfg.MODEL.META_ARCHITECTURE}, which has no hashtags: expected "
            "the run of an ImageClassifier"
        )
    if not cfg.MODEL.WEIGHTS:
        raise ConfigError(f"{config_file} has no MODEL.WEIGHTS: name those to use, as in MODEL.WEIGHTS FILE")
    fit_to_device(cfg)
    return cfg


def load_tagger(cfg: CfgNode) -> Tagger:
    """Build the classifier with MODEL.WEIGHTS and its vocabulary.

    Args:
        cfg: what `tagger_config` returns.

    Raises:
        WeightsError: the weights do not fit, or nothing says what the classifier's rows stand for.
    """
    alone = cfg.clone()
    alone.defrost()
    alone.DATASETS.TRAIN = alone.DATASETS.TEST = ()  # the weights are not to be compared with data sets
    model = cast(ImageClassifier, Trainer.build_model(alone)).eval()
    file = IgdetCheckpointer(model, cfg=alone).load_for_evaluation(cfg.MODEL.WEIGHTS)
    return Tagger(cfg, model, file.path, _vocabulary(cfg, file))


def _vocabulary(cfg: CfgNode, file: WeightsFile) -> Vocabulary:
    """The vocabulary that the run was trained with; without it, the names that the weights have of its labels."""
    path = vocabulary_path(cfg)
    if path and path.is_file():
        vocabulary = Vocabulary.read(path)
        if file.class_names in (None, vocabulary.names) and len(vocabulary) == cfg.MODEL.CLASSIFIER.NUM_CLASSES:
            return vocabulary
    if not file.class_names:
        raise WeightsError(
            f"{file.path} does not say which hashtags its {cfg.MODEL.CLASSIFIER.NUM_CLASSES} outputs stand for, and "
            f"{path or 'the data set of DATASETS.TRAIN'} is not their vocabulary: expected weights of igdet's own "
            "training, or the vocabulary where the config says"
        )
    try:
        return Vocabulary([name] for name in file.class_names)
    except VocabularyError as error:
        raise WeightsError(f"{file.path}: its outputs are no hashtags: {error}") from error


def vocabulary_path(cfg: CfgNode) -> Path | None:
    """Return where the vocabulary of a config's training posts should be; None where they are no posts of its own."""
    own = cfg.DATASETS.OWN.get(cfg.DATASETS.TRAIN[0], {}) if cfg.DATASETS.TRAIN else {}
    if own.get("VOCABULARY"):
        return expanded(own["VOCABULARY"])
    return expanded(own["ROOT"]) / VOCABULARY_NAME if own.get("KIND") in ("hashtag_shards", "hashtag_stream") else None
