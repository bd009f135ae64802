"""Weights: published ones by name, read safely, fitted strictly, written atomically; registers `igdet://`."""

from igdet.checkpoint.catalog import WEIGHTS, Publication, Weights
from igdet.checkpoint.checkpointer import IgdetCheckpointer
from igdet.checkpoint.convert import TARGETS, convert_checkpoint
from igdet.checkpoint.download import fetch, find_weights
from igdet.checkpoint.inspection import documents_blocks, inspect_weights, list_weights
from igdet.checkpoint.path_handler import CatalogHandler
from igdet.checkpoint.weights_file import WeightsFile, open_weights
from igdet.formats.errors import WeightsError
from igdet.modeling.origin import TORCHVISION, Origin

__all__ = [
    "TARGETS",
    "TORCHVISION",
    "WEIGHTS",
    "CatalogHandler",
    "IgdetCheckpointer",
    "Origin",
    "Publication",
    "Weights",
    "WeightsError",
    "WeightsFile",
    "convert_checkpoint",
    "documents_blocks",
    "fetch",
    "find_weights",
    "inspect_weights",
    "list_weights",
    "open_weights",
]
