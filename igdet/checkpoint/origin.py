"""Whether a config feeds weights as they were trained, and what a file that does not say it tells."""

from collections.abc import Mapping

from detectron2.config import CfgNode
from torch import Tensor

from igdet.checkpoint.catalog import is_published
from igdet.checkpoint.download import find_weights
from igdet.checkpoint.errors import WeightsError
from igdet.modeling.origin import Origin
from igdet.modeling.trunk import family_of_tensors
from igdet.modeling.trunk_building import before_building


def check_fed(path: str, origin: Origin | None, cfg: CfgNode) -> None:
    """Refuse a config that feeds weights something else than they were trained on.

    Args:
        path: of the weights.
        origin: theirs; None when unknown.
        cfg: the config.

    Raises:
        WeightsError: naming each key, its value and the value it should have.
    """
    wrong = origin.contradictions(cfg) if origin else []
    if wrong:
        raise WeightsError(f"{path}: the config feeds these weights the wrong way: {'; '.join(wrong)}")


@before_building
def check_published_fed(cfg: CfgNode) -> None:
    """As `check_fed`, where MODEL.WEIGHTS is published: Detectron2's own checkpointer would not ask."""
    if is_published(cfg.MODEL.WEIGHTS):
        check_fed(cfg.MODEL.WEIGHTS, find_weights(cfg.MODEL.WEIGHTS).origin, cfg)


def recognise_origin(naming: str, author: str, tensors: Mapping[str, Tensor]) -> Origin | None:
    """Tell the origin of a file that does not state it.

    Args:
        naming: as `key_maps.to_bare` gives it.
        author: the file's "__author__", or "".
        tensors: its tensors under bare names.

    Returns:
        the origin, or None when nothing tells it.
    """
    family = family_of_tensors(tensors)
    return family.recognise_origin(naming, author, tensors) if family else None
