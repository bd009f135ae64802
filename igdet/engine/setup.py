"""From a command line to a checked, frozen config and a prepared process."""

import argparse
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.engine import default_setup
from detectron2.utils import comm
from detectron2.utils.logger import setup_logger

from igdet.checkpoint.checkpointer import check_published
from igdet.checkpoint.hub import is_on_hub, parse
from igdet.checkpoint.library_weights import check_library_weights
from igdet.checkpoint.writing import LAST_CHECKPOINT
from igdet.config import ConfigError
from igdet.config.check import check_config
from igdet.config.strict import merge_all
from igdet.data.own_datasets import register_own_datasets
from igdet.engine.derived import derive
from igdet.engine.probe_in_training import check_probe_in_training
from igdet.engine.results import CONFIG
from igdet.engine.resuming import check_resumption, note_changes, pin_weights
from igdet.engine.schedule import resolve_schedule
from igdet.engine.sharding import check_sharding
from igdet.engine.trackers import check_trackers
from igdet.formats.catalog import is_published
from igdet.modeling import check_backbone, check_execution, check_levels
from igdet.utils.files import atomic_write

logger = logging.getLogger(__name__)


def setup_config(args: argparse.Namespace) -> CfgNode:
    """Read and check the config of a command; at most the log of bad records is written yet.

    Args:
        args: with Detectron2's `config_file`, `opts` and `eval_only`.

    Returns:
        The resolved config, not frozen; its own data sets are registered.

    Raises:
        ConfigError: naming the key or file that is wrong.
        WeightsError: MODEL.WEIGHTS is an igdet:// name that does not exist or is of another network, or no name of a
            file on a hub.
    """
    cfg = merged_config(args.config_file, args.opts)
    register_own_datasets(cfg, training=not args.eval_only)
    check_merged(cfg, training=not args.eval_only)
    return cfg


def merged_config(config_file: str, opts: Sequence[str]) -> CfgNode:
    """Read a config; no data set is opened.

    Args:
        config_file: its file; "" for the defaults.
        opts: KEY VALUE KEY VALUE ... that override it.

    Returns:
        The config, not frozen: its schedule is resolved, and what follows from its file and its data is filled in.

    Raises:
        ConfigError: naming the key or file that is wrong.
    """
    cfg = get_cfg()
    derive(cfg, merge_all(cfg, config_file, opts), config_file)
    resolve_schedule(cfg)
    return cfg


def check_merged(cfg: CfgNode, training: bool = True, processes: int | None = None) -> None:
    """Refuse a config that cannot run, whose own data sets are registered.

    Args:
        cfg: what `merged_config` returns.
        training: whether it trains.
        processes: those that would share a batch; None: as many as run now.

    Raises:
        ConfigError, WeightsError: as `setup_config`.
    """
    check_config(cfg, training, processes)
    if is_published(cfg.MODEL.WEIGHTS):
        check_published(cfg.MODEL.WEIGHTS, cfg.MODEL.BACKBONE.NAME)
    check_library_weights(cfg)
    if is_on_hub(cfg.MODEL.WEIGHTS):
        parse(cfg.MODEL.WEIGHTS)  # refuses what is no such name; the hub is asked when a run begins
    check_backbone(cfg)  # the builder would refuse it too, but only after the data are opened
    check_levels(cfg)
    check_execution(cfg)
    check_sharding(cfg)
    check_probe_in_training(cfg)
    check_trackers(cfg)


def setup(args: argparse.Namespace) -> CfgNode:
    """Prepare this process for a command: config, logs, random seeds.

    Args:
        args: what Detectron2's `default_argument_parser` returns.

    Returns:
        The frozen config.

    Raises:
        ConfigError: as `setup_config`.
    """
    return prepare(setup_config(args), args)


def prepare(cfg: CfgNode, args: argparse.Namespace) -> CfgNode:
    """Prepare this process for a checked config: logs, random seeds, config.yaml in the run's folder.

    Args:
        cfg: what `setup_config` returns; it is frozen.
        args: as for `setup`.

    Returns:
        `cfg`.

    Raises:
        ConfigError: the machine, or the run that is resumed, does not go with the config.
        WeightsError: MODEL.WEIGHTS names a file on a hub that cannot be had.
    """
    setup_logger(cfg.OUTPUT_DIR, distributed_rank=comm.get_rank(), name="igdet")
    fit_to_device(cfg)
    pin_weights(cfg, args.resume)
    cfg.freeze()
    changes = check_resumption(cfg) if args.resume and not args.eval_only else []
    comm.synchronize()  # every rank has read the run's config.yaml before the main one replaces it
    with _kept_config(Path(cfg.OUTPUT_DIR)) if args.eval_only else nullcontext():
        default_setup(cfg, args)
    logger.info(f"This run will\n{plan(cfg, args.eval_only)}")
    if comm.is_main_process():
        note_changes(Path(cfg.OUTPUT_DIR), changes)
    return cfg


@contextmanager
def _kept_config(folder: Path) -> Iterator[None]:
    """Put the config.yaml of a training back that an evaluation in its folder replaces: evaluation.json has its own."""
    path, is_trained = folder / CONFIG, (folder / LAST_CHECKPOINT).is_file()
    kept = path.read_text(encoding="utf-8") if comm.is_main_process() and is_trained and path.is_file() else None
    yield
    if kept is not None:
        with atomic_write(path, "w") as file:
            file.write(kept)


def fit_to_device(cfg: CfgNode) -> None:
    """Fall back, in place, to what the machine has: the CPU where there is no GPU, and what runs on it.

    Args:
        cfg: a config, not frozen.

    Raises:
        ConfigError: the GPU cannot compute in SOLVER.AMP.DTYPE.
    """
    amp = cfg.SOLVER.AMP
    if cfg.MODEL.DEVICE.startswith("cuda") and not torch.cuda.is_available():
        logger.warning("No GPU is visible to PyTorch: running on the CPU (MODEL.DEVICE cpu)")
        cfg.MODEL.DEVICE = "cpu"
        if amp.ENABLED:  # meant for the GPU; with MODEL.DEVICE cpu it is done as asked
            logger.warning("Mixed precision is slow on most CPUs: running in float32 (SOLVER.AMP.ENABLED False)")
            amp.ENABLED = False
    if cfg.MODEL.DEVICE == "cpu":
        _use_cpu_norms(cfg)
    elif amp.ENABLED and amp.DTYPE == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        name = torch.cuda.get_device_name()
        raise ConfigError(f"SOLVER.AMP.DTYPE is bf16, in which {name} cannot compute: set it to fp16")


def _use_cpu_norms(cfg: CfgNode) -> None:
    """PyTorch synchronises batch norm on GPUs only; Detectron2 has a version that runs anywhere."""
    if comm.get_world_size() > 1:
        for section in (cfg.MODEL.RESNETS, cfg.MODEL.FPN, cfg.MODEL.SEM_SEG_HEAD):
            if section.NORM == "SyncBN":
                logger.warning("SyncBN needs GPUs: Detectron2's naiveSyncBN takes its place")
                section.NORM = "naiveSyncBN"


def plan(cfg: CfgNode, eval_only: bool) -> str:
    """What a command will do and where its results go, for a person to read before it starts.

    Args:
        cfg: the resolved config.
        eval_only: whether it only evaluates.
    """
    solver, weights = cfg.SOLVER, cfg.MODEL.WEIGHTS or "nothing (from scratch)"
    images = solver.MAX_ITER * solver.IMS_PER_BATCH
    train = (
        f"  train     {cfg.MODEL.META_ARCHITECTURE} on {cfg.MODEL.BACKBONE.NAME}, from {weights}\n"
        f"  for       {images:,} images: {solver.MAX_ITER:,} iterations of {solver.IMS_PER_BATCH}, "
        f"peak learning rate {solver.BASE_LR:g}\n"
        f"  on        {', '.join(cfg.DATASETS.TRAIN)}, with {cfg.MODEL.DEVICE}\n"
    )
    evaluate = f"  evaluate  {weights if eval_only else 'it'} on {', '.join(cfg.DATASETS.TEST)}\n"
    outcome = f"  write     everything to {cfg.OUTPUT_DIR}"
    return evaluate + outcome if eval_only else train + evaluate + outcome
