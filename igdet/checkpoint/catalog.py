"""Published weights by name, under the name that scripts for igdet 0.1 know."""

from igdet.formats.catalog import WEIGHTS, Publication, Weights

__all__ = ["WEIGHTS", "Publication", "Weights"]
