"""Target tasks by name."""

from igdet.formats.targets.table import SPLITS, TARGETS, datasets_folder, fields_of, target_of, transfer_options
from igdet.formats.targets.target import Split, TargetTask

__all__ = ["SPLITS", "TARGETS", "Split", "TargetTask", "datasets_folder", "fields_of", "target_of", "transfer_options"]
