"""Calibrating a tagger: Platt scaling of its log-odds on posts kept out of training, kept beside its weights.

Shape shorthand: N: posts, L: labels.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog

from igdet.checkpoint.origin import check_class_names
from igdet.config import ConfigError
from igdet.data.subsets import name_hashes
from igdet.engine.results import utc_now
from igdet.engine.tagging.classifier import Tagger
from igdet.evaluation.classification import expected_calibration_error
from igdet.evaluation.platt import PlattScaling, fit_platt
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write, read_json
from igdet.utils.hashing import hash_file


def calibration_path(weights: Path) -> Path:
    """Return where the calibration of weights is: model_final.calibration.json beside model_final.pth."""
    return weights.with_suffix(".calibration.json")


def calibrate(tagger: Tagger) -> dict:
    """Fit the scaling to half of the posts of DATASETS.TEST, measure it on the others, and write both.

    Args:
        tagger: the classifier; DATASETS.TEST of its config is registered.

    Returns:
        "slope", "intercept", "weights_sha256", "posts", "posts_fitted", "posts_measured", "finished", and "before" and
        "after", each as `quality` returns it.

    Raises:
        ConfigError: DATASETS.TEST is not one set of posts.
        WeightsError: its labels are others than the classifier's.
        UserError: images are bad, or no post has a label.
    """
    name = posts_of(tagger.cfg)
    check_class_names(tagger.vocabulary.names, list(MetadataCatalog.get(name).thing_classes))
    odds, hits, names = _scored_posts(tagger, name)
    order = np.argsort(name_hashes(names, len(names)), kind="stable")
    fitted, others = np.array_split(order, 2)
    scaling = fit_platt(odds[fitted], hits[fitted])
    record = {
        **asdict(scaling),
        "weights_sha256": hash_file(tagger.weights),
        "posts": name,
        "posts_fitted": len(fitted),
        "posts_measured": len(others),
        "before": quality(PlattScaling().probabilities(odds[others]), hits[others]),
        "after": quality(scaling.probabilities(odds[others]), hits[others]),
        "finished": utc_now(),
    }
    with atomic_write(calibration_path(tagger.weights), "w") as file:
        json.dump(record, file, indent=1)
    return record


def posts_of(cfg: CfgNode) -> str:
    """Return the one set of posts that DATASETS.TEST names.

    Raises:
        ConfigError: it names another number of sets, or a set of classes.
    """
    names = cfg.DATASETS.TEST
    if len(names) != 1 or MetadataCatalog.get(names[0]).get("evaluator_type") != "hashtags":
        raise ConfigError(f"DATASETS.TEST is {names}: calibration needs one set of posts that no training has seen")
    return names[0]


def _scored_posts(tagger: Tagger, name: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return log-odds float64 (N, L), bool (N, L) of which hashtags a post carries, and names; without bad images."""
    found = list(tagger.scores(name))
    odds = np.concatenate([scores.log_odds for scores in found])
    records = DatasetCatalog.get(name)
    hits = np.zeros(odds.shape, bool)
    hits[np.repeat(np.arange(len(records)), np.diff(records.label_offsets)), records.label_ids] = True
    good = ~np.concatenate([scores.is_bad for scores in found])
    names = np.concatenate([scores.image_ids for scores in found])
    return odds[good], hits[good], names[good].tolist()


def quality(probabilities: np.ndarray, hits: np.ndarray) -> dict[str, float]:
    """Measure probabilities of hashtags.

    Args:
        probabilities: float (N, L), 0..1.
        hits: bool (N, L), which hashtags a post carries.

    Returns:
        "ece", the expected calibration error over all hashtags of all posts, and "ece_top1", that of each post's best
        answer, both in percent; "log_loss", nats a post: the cross-entropy summed over the hashtags.
    """
    rows, best = np.arange(len(hits)), probabilities.argmax(axis=1)
    of_truth = np.where(hits, probabilities, 1 - probabilities)
    return {
        "ece": 100 * expected_calibration_error(probabilities.ravel(), hits.ravel()),
        "ece_top1": 100 * expected_calibration_error(probabilities[rows, best], hits[rows, best]),
        "log_loss": float(-np.log(np.maximum(of_truth, np.finfo(float).tiny)).sum(axis=1).mean()),
    }


def read_calibration(weights: Path) -> PlattScaling | None:
    """Return the scaling that was fitted to weights, None where there is none.

    Raises:
        UserError: its file cannot be used, or was made for other weights.
    """
    path = calibration_path(weights)
    if not path.is_file():
        return None
    remedy = "what `calibrate` writes; calibrate again"
    record = read_json(path, remedy)
    numbers = [record.get(key) for key in ("slope", "intercept")]
    if not all(isinstance(number, float) and np.isfinite(number) for number in numbers) or numbers[0] <= 0:
        raise UserError(f"{path}: slope and intercept are {numbers}; expected {remedy}")
    if record.get("weights_sha256") != hash_file(weights):
        raise UserError(f"{path} was made for other weights than {weights}; expected {remedy}, or remove it")
    return PlattScaling(*numbers)
