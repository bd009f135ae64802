"""igdet: what hashtag pretraining buys on detection, segmentation, keypoints and classification; a Detectron2 plugin.

`import igdet` registers its backbones, its classifier and the `igdet://` weights with Detectron2, whichever of the two
is imported first. Without Detectron2, only what needs no network works: the synthetic world, shards, curation and
reports.
"""

from importlib import import_module
from types import ModuleType

from igdet.config.defaults import add_igdet_config
from igdet.registration import register_with_detectron2

__version__ = "0.2.0"
__all__ = ["__version__", "add_igdet_config"]

register_with_detectron2()


def __getattr__(name: str) -> ModuleType:
    """Import the packages that scripts use as igdet's attributes, once they are asked for."""
    if name in ("checkpoint", "modeling"):
        return import_module(f"igdet.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
