"""A data set on disk against what it should be, before any training."""

from igdet.data.checking.checks import Options, check
from igdet.data.checking.named_sets import sets_of
from igdet.data.checking.report import report

__all__ = ["Options", "check", "report", "sets_of"]
