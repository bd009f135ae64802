"""The two things a run can do: train (and evaluate at the end), or evaluate only; both leave their record as JSON."""

import argparse
import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.evaluation import verify_results
from detectron2.utils import comm

from igdet.checkpoint.checkpointer import IgdetCheckpointer
from igdet.checkpoint.writing import LAST_CHECKPOINT, drop_halves, numbered_checkpoints
from igdet.config import ConfigError
from igdet.data.build import check_detection_tests
from igdet.data.workers import explained_death
from igdet.engine.hooks import AtTheEnd
from igdet.engine.results import (
    CHANGES,
    DIVERGED,
    EVALUATION,
    METRICS,
    RESULTS,
    by_dataset,
    read_record,
    utc_now,
    write_record,
)
from igdet.engine.resuming import is_finished
from igdet.engine.setup import prepare, setup_config
from igdet.engine.trainer import Trainer
from igdet.modeling.costs import trunk_cost
from igdet.utils.cache import locked
from igdet.utils.command_lines import command_line
from igdet.utils.files import atomic_write, read_json_lines

logger = logging.getLogger(__name__)


def run(args: argparse.Namespace) -> Mapping:
    """Prepare this process and do what a command asks, as the only one at work in OUTPUT_DIR.

    Args:
        args: what Detectron2's `default_argument_parser` returns.

    Returns:
        As `train` and `evaluate`.

    Raises:
        ConfigError: as `setup`.
        LockError: another process is at work in OUTPUT_DIR.
    """
    cfg = setup_config(args)
    # Loaders, which outlive a killed run by some seconds, do not keep it from being resumed.
    alone = locked(Path(cfg.OUTPUT_DIR), inherited=False) if comm.is_main_process() else nullcontext()
    with alone:
        prepare(cfg, args)
        return evaluate(cfg, args) if args.eval_only else train(cfg, args)


def train(cfg: CfgNode, args: argparse.Namespace) -> Mapping:
    """Train a config to its end, evaluate it and write OUTPUT_DIR/results.json.

    Args:
        cfg: the frozen config.
        args: the command line; with `resume`, a run that is broken off is continued and a finished one left alone.

    Returns:
        Data set -> task -> metric -> number; empty on other ranks than the main one.

    Raises:
        BadRecordsError: images of a data set are not there.
        FloatingPointError: a loss or a weight is not finite; OUTPUT_DIR/diverged.json says so too.
        SystemExit: the results are not TEST.EXPECTED_RESULTS, or the run was asked to stop (`StopOnRequest`).
        WorkerError: a process of the data loader has died.
    """
    folder = Path(cfg.OUTPUT_DIR)
    record = read_record(folder / RESULTS)
    if args.resume and record is not None and is_finished(cfg):
        logger.info(f"Nothing to do: this run is finished, see {folder / RESULTS}. A new OUTPUT_DIR starts another")
        return record["results"]
    comm.synchronize()  # every rank has looked for the record before the main one moves it
    if comm.is_main_process():
        for half in drop_halves(folder):
            logger.warning(f"Deleted {half}: a checkpoint that was being written when the run was killed")
        (folder / DIVERGED).unlink(missing_ok=True)
        _set_aside(folder / RESULTS, *([] if args.resume else _progress_of(folder, cfg.MODEL.WEIGHTS)))
    if cfg.MODEL.META_ARCHITECTURE != "ImageClassifier":
        check_detection_tests(cfg)
    trainer = Trainer(cfg)
    trainer.resume_or_load(resume=args.resume)
    if comm.is_main_process():
        trainer.register_hooks([AtTheEnd(lambda: _record_training(trainer, args))])
    with explained_death(), _recorded_divergence(folder):
        trainer.train()
    return by_dataset(cfg, trainer.last_results) if comm.is_main_process() else {}


def evaluate(cfg: CfgNode, args: argparse.Namespace) -> Mapping:
    """Evaluate MODEL.WEIGHTS (with `resume`: the run's last checkpoint) and write OUTPUT_DIR/evaluation.json.

    Args:
        cfg: the frozen config.
        args: the command line.

    Returns:
        Data set -> task -> metric -> number; empty on other ranks than the main one.

    Raises:
        ConfigError: there are no weights to evaluate.
        SystemExit: the results are not TEST.EXPECTED_RESULTS.
    """
    started, clock = utc_now(), time.perf_counter()
    model = Trainer.build_model(cfg)
    checkpointer = IgdetCheckpointer(model, cfg.OUTPUT_DIR, cfg=cfg)
    weights = checkpointer.get_checkpoint_file() if args.resume else cfg.MODEL.WEIGHTS
    if not weights:
        raise ConfigError("--eval-only needs weights: set MODEL.WEIGHTS, or add --resume for the last checkpoint")
    checkpointer.load_for_evaluation(weights)
    flat_results = Trainer.test(cfg, model)
    if not comm.is_main_process():
        return {}
    results = by_dataset(cfg, flat_results)
    progress = {"images_seen": 0, "seconds": round(time.perf_counter() - clock, 1), "started": started}
    write_record(Path(cfg.OUTPUT_DIR, EVALUATION), cfg, _arguments(args) | {"weights": weights}, results, progress)
    logger.info(f"Results: {Path(cfg.OUTPUT_DIR, EVALUATION)}")
    verify_results(cfg, flat_results)
    return results


@contextmanager
def _recorded_divergence(folder: Path) -> Iterator[None]:
    """Leave a file by which a sweep tells a setting that does not train from a machine that failed."""
    try:
        yield
    except FloatingPointError as error:
        if comm.is_main_process():
            with atomic_write(folder / DIVERGED, "w") as file:
                json.dump({"why": str(error)}, file)
        raise


def _record_training(trainer: Trainer, args: argparse.Namespace) -> None:
    cfg, clock = trainer.cfg, trainer.progress
    progress = {"images_seen": clock.images_seen, "seconds": round(clock.seconds, 1), "started": clock.started}
    folder = Path(cfg.OUTPUT_DIR)
    progress |= {"posts_per_hashtag": _posts_per_hashtag(cfg), "changes": read_json_lines(folder / CHANGES)}
    progress |= {"lost_foreground": trainer.foreground.since, "trunk": trunk_cost(trainer.model, cfg)}
    write_record(folder / RESULTS, cfg, _arguments(args), by_dataset(cfg, trainer.last_results), progress)
    logger.info(
        f"Finished: results in {folder / RESULTS}, weights in {folder / 'model_final.pth'}. Evaluate them again with\n"
        f"  {command_line('train_net')} --config-file {folder / 'config.yaml'} --eval-only "
        f"MODEL.WEIGHTS {folder / 'model_final.pth'}"
    )


def _posts_per_hashtag(cfg: CfgNode) -> list[int]:
    """How many training posts carry each hashtag, by its id; empty for other kinds of data."""
    name = cfg.DATASETS.TRAIN[0]
    if MetadataCatalog.get(name).evaluator_type != "hashtags":
        return []
    return DatasetCatalog.get(name).label_counts(cfg.MODEL.CLASSIFIER.NUM_CLASSES).tolist()


def _arguments(args: argparse.Namespace) -> dict:
    return {"config_file": args.config_file, "opts": list(args.opts)}


def _progress_of(folder: Path, weights: str) -> list[Path]:
    """The files by which an earlier run could be taken for this one, but for those that this one starts from."""
    files = [folder / METRICS, folder / CHANGES, folder / LAST_CHECKPOINT, *numbered_checkpoints(folder)]
    return [file for file in files if file.resolve() != Path(weights).resolve()]


def _set_aside(*paths: Path) -> None:
    """Keep an earlier run's file as *.previous, so that the folder tells of one run only and nothing is lost."""
    for path in paths:
        if path.is_file():
            path.replace(path.with_name(f"{path.name}.previous"))
            logger.warning(f"{path} of an earlier run is kept as {path.name}.previous")
