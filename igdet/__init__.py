"""igdet: what hashtag pretraining buys on detection, segmentation, keypoints and classification; a Detectron2 plugin.

`import igdet` registers its backbones, its classifier and the `igdet://` weights with Detectron2. Without Detectron2,
only what needs no network works: the synthetic world, shards, curation and reports.
"""

from importlib.util import find_spec

__version__ = "0.2.0"
__all__ = ["__version__", "add_igdet_config"]

if find_spec("detectron2"):
    from igdet import checkpoint, modeling  # noqa: F401  registration only
    from igdet.config import add_igdet_config


def __getattr__(name: str) -> object:
    if name == "add_igdet_config":
        raise ImportError(
            "igdet is a plugin of Detectron2, which is not installed here: run `python tools/install_detectron2.py` "
            "from igdet's source tree, or follow Detectron2's own installation page"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
