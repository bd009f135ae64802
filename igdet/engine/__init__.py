"""Training and evaluation runs: set-up, schedule, trainer, records."""

from igdet.engine.run import evaluate, run, train
from igdet.engine.schedule import resolve_schedule
from igdet.engine.setup import check_merged, merged_config, setup, setup_config
from igdet.engine.trainer import Trainer

__all__ = [
    "Trainer",
    "check_merged",
    "evaluate",
    "merged_config",
    "resolve_schedule",
    "run",
    "setup",
    "setup_config",
    "train",
]
