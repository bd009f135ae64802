"""What the command tag does: tag images, calibrate a classifier, classify without training."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog
from tabulate import tabulate

from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.class_words import words_of
from igdet.curation.vocabularies.target_classes import named_classes
from igdet.curation.vocabularies.zero_shot import SUMS, class_hashtags, weight_matrix
from igdet.data.bad_records import LOG_NAME
from igdet.data.checking import sets_of
from igdet.data.own_datasets import register_own_datasets
from igdet.data.readers.loose_images import read_loose_images
from igdet.engine.results import CONFIG, surroundings, utc_now
from igdet.engine.tagging.calibration import calibrate, calibration_path, read_calibration
from igdet.engine.tagging.classifier import Scorer, Tagger, load_tagger, tagger_config
from igdet.engine.tagging.clip import ClipName, clip_config, load_clip, names_of_imagenet
from igdet.engine.tagging.tags import chosen_labels, tags_of, write_tags
from igdet.engine.tagging.zero_shot import accuracies, predict, target_of
from igdet.evaluation.platt import PlattScaling
from igdet.evaluation.predictions import write_predictions
from igdet.formats.targets import datasets_folder
from igdet.utils.command_lines import command_line
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.utils.messages import clock, first_of, printable

WEIGHTS = "model_final.pth"  # of a finished run
IMAGES = "images"  # the name under which those to tag are registered
TEXTS = "texts"  # CLIP's way to score classes, beside the sums of hashtags
TITLES = {**{kind: f"{kind} sums" for kind in SUMS}, TEXTS: "CLIP's texts"}
SHOWN = 10  # images, or classes, that the terminal shows


def classifier_of(folder: str | None, config_file: str | None, opts: list[str]) -> Tagger:
    """Open the classifier that the command line names."""
    if folder:
        config_file, opts = str(Path(folder, CONFIG)), ["MODEL.WEIGHTS", str(Path(folder, WEIGHTS)), *opts]
    return load_tagger(tagger_config(config_file or "", opts))


def scaling_of(tagger: Tagger) -> PlattScaling:
    """Return the calibration of a classifier, and say whether there is one."""
    scaling = read_calibration(tagger.weights)
    if scaling is None:
        print(f"Probabilities are not calibrated: `{command_line('tag')} calibrate` does it")
        return PlattScaling()
    print(f"Probabilities are calibrated by {calibration_path(tagger.weights)}")
    return scaling


def run_tag(images: list[str], out: Path, top: int, vocabulary: str, **classifier: Any) -> None:
    """Tag images, write the table and show its beginning."""
    if out.suffix != ".parquet":
        raise UserError(f"--out is {out}: expected a .parquet file")
    records = read_loose_images(images)
    tagger = classifier_of(**classifier)
    labels, unknown = chosen_labels(vocabulary, tagger.vocabulary)
    print(f"Tagging {len(records):,} images with {len(labels):,} hashtags of {tagger.weights}")
    if unknown:
        print(f"{vocabulary}: {len(unknown):,} are not in the vocabulary: {printable(first_of(unknown, SHOWN))}")
    scaling, started = scaling_of(tagger), time.perf_counter()
    tagger.cfg.OUTPUT_DIR = str(out.parent)  # of the log of bad images
    DatasetCatalog.pop(IMAGES, None)
    DatasetCatalog.register(IMAGES, lambda: records)
    first = write_tags(out, tags_of(tagger.scores(IMAGES), labels, tagger.vocabulary.names, top, scaling))
    seconds, written = time.perf_counter() - started, pq.read_metadata(out).num_rows
    print(table_of(first))
    print(f"{written:,} images in {clock(seconds)}, {len(records) / seconds:,.0f} a second: {out}")
    if written < len(records):
        print(f"{len(records) - written:,} bad ones are left out: {out.with_name(LOG_NAME)}")


def table_of(tags: pa.Table) -> str:
    """Return the first rows of a table of tags for a terminal."""
    rows = []
    for image, hashtags, probabilities in (row.values() for row in tags[:SHOWN].to_pylist()):
        pairs = zip(hashtags, probabilities, strict=True)
        rows.append((image, "  ".join(f"#{name} {100 * p:.1f}%" for name, p in pairs)))
    return printable(tabulate(rows, tags.column_names[:2], disable_numparse=True))


def run_calibrate(**classifier: Any) -> None:
    """Calibrate a classifier and show what it was worth."""
    tagger = classifier_of(**classifier)
    tagger.cfg.OUTPUT_DIR = str(tagger.weights.parent)
    register_own_datasets(tagger.cfg, training=False)
    record = calibrate(tagger)
    keys = {"ece": "ECE, all hashtags (%)", "ece_top1": "ECE, best hashtag (%)", "log_loss": "log loss (nats a post)"}
    rows = [(title, *(f"{record[when][key]:.3f}" for when in ("before", "after"))) for key, title in keys.items()]
    print(tabulate(rows, ("", "before", "after"), disable_numparse=True))
    print(
        f"Fitted to {record['posts_fitted']:,} posts of {record['posts']}, measured on {record['posts_measured']:,} "
        f"others: {calibration_path(tagger.weights)}"
    )


class ZeroShot(NamedTuple):
    """What scores the classes of a target without training on it: a classifier, and what its outputs say of them.

    Attributes:
        scaling: makes probabilities of its outputs.
        sums: by name, float64 (L, C): how much of each output's probability each class gets.
        weights: where the classifier's are from.
    """

    scorer: Scorer
    scaling: PlattScaling
    sums: dict[str, np.ndarray]
    weights: str


def by_hashtags(tagger: Tagger, target: str, classes: list[str], answers: np.ndarray) -> ZeroShot:
    """Score classes by sums of hashtags."""
    sums = sums_of(tagger, classes, answers, target)
    return ZeroShot(tagger, scaling_of(tagger), sums, str(tagger.weights))


def by_clip(clip: ClipName, cfg: CfgNode, classes: list[str], answers: np.ndarray) -> ZeroShot:
    """Score classes by CLIP, whose texts are their names."""
    words = words_of(named_classes(classes), names_of_imagenet())
    print(f"Texts of {clip.model}: {printable(first_of(words, SHOWN))}")
    return ZeroShot(load_clip(clip, cfg, words), PlattScaling(), {TEXTS: np.diag(answers.astype(float))}, str(clip))


def run_zero_shot(target: str, out: Path, clip: str | None, opts: list[str], **classifier: Any) -> None:
    """Score the images of a target, write predictions and record, and show the accuracies."""
    *_, test = sets_of(target, datasets_folder())
    prepare: Callable[[list[str], np.ndarray], ZeroShot]
    if clip:
        name, cfg = ClipName.parse(clip), clip_config(opts)
        prepare = partial(by_clip, name, cfg)
    else:
        tagger = classifier_of(opts=opts, **classifier)
        cfg, prepare = tagger.cfg, partial(by_hashtags, tagger, target)
    cfg.DATASETS.OWN, cfg.DATASETS.TEST = CfgNode({test.name: dict(test.fields)}), (test.name,)
    cfg.OUTPUT_DIR = str(out)
    register_own_datasets(cfg, training=False)
    dataset, classes, answers = target_of(cfg)
    scorer, scaling, sums, weights = prepare(classes, answers)
    found = predict(scorer.scores(dataset), DatasetCatalog.get(dataset), scaling, sums)
    results = {kind: accuracies(predictions, classes, sums[kind]) for kind, predictions in found.items()}
    for kind, predictions in found.items():
        write_predictions(out / f"{kind}.parquet", predictions)
    missing = {kind: [classes[c] for c in np.flatnonzero(answers & ~of.any(axis=0))] for kind, of in sums.items()}
    record: dict = {"target": target, "weights": weights, "calibration": asdict(scaling)}
    record |= {"results": results, "chance": 100 / int(answers.sum()), "not_covered": missing}
    record |= {"finished": utc_now(), **surroundings(cfg)}
    with atomic_write(out / "zero_shot.json", "w") as file:
        json.dump(record, file, indent=1)
    show_accuracies(record, int(answers.sum()))
    print(f"Predictions and zero_shot.json: {out}")


def sums_of(tagger: Tagger, classes: list[str], answers: np.ndarray, target: str) -> dict[str, np.ndarray]:
    """Return by name the sums that cover any class, float64 (L, C).

    Raises:
        UserError: none does.
    """
    names = tagger.vocabulary.names
    hashtags = class_hashtags(named_classes(classes), named_classes(names), Lexicon.wordnet())
    matrices = {kind: weight_matrix([getattr(of, kind) for of in hashtags], len(names)) * answers for kind in SUMS}
    if sums := {kind: matrix for kind, matrix in matrices.items() if matrix.any()}:
        return sums
    raise UserError(
        f"{target}: none of its {answers.sum():,} classes ({first_of(classes, 3)}) is covered by one of the "
        f"{len(names):,} hashtags ({first_of(names, 3)}): expected class names, or wnids, that WordNet knows"
    )


def show_accuracies(record: Mapping, classes: int) -> None:
    """Print a line for each of the sums, chance, and the classes that no hashtag covers."""
    header = ("score", "top-1 (%)", "top-5 (%)", "ECE (%)", "top-1 of classes covered (%)", "which are")
    rows = []
    for kind, of in record["results"].items():
        covered = f"{classes - len(record['not_covered'][kind])} of {classes}"
        numbers = [f"{of[key]:.1f}" for key in ("top1", "top5", "ece", "top1_covered")]
        rows.append((TITLES[kind], *numbers, covered))
    print(tabulate([*rows, ("chance", f"{record['chance']:.1f}")], header, disable_numparse=True))
    for kind, missing in record["not_covered"].items():
        if missing:
            print(printable(f"No hashtag for {len(missing)} classes by {TITLES[kind]}: {first_of(missing, SHOWN)}"))
