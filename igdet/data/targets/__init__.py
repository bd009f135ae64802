"""Target tasks by name."""

from igdet.data.targets.naming import SPLITS, datasets_folder, fields_of, target_of
from igdet.data.targets.table import TARGETS
from igdet.data.targets.target import Split, Target

__all__ = ["SPLITS", "TARGETS", "Split", "Target", "datasets_folder", "fields_of", "target_of"]
