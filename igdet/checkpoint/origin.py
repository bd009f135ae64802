"""Whether a config feeds weights as they were trained, and what igdet's checkpoints say of themselves."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog
from torch import Tensor

from igdet.checkpoint.download import find_weights
from igdet.formats.catalog import is_published
from igdet.formats.errors import WeightsError
from igdet.formats.origin import Origin
from igdet.modeling.origin import contradictions, origin_of_config
from igdet.modeling.trunk import family_of_tensors
from igdet.modeling.trunk_building import before_building

ABOUT = "igdet"  # the key of a checkpoint under which it stands
_MIXTURE = ("EXPERTS", "TOP_K", "STAGES", "EVERY")  # keys of MODEL.MOE that say which network it is


def check_fed(path: str, origin: Origin | None, cfg: CfgNode) -> None:
    """Refuse a config that feeds weights something else than they were trained on.

    Args:
        path: of the weights.
        origin: theirs; None when unknown.
        cfg: the config.

    Raises:
        WeightsError: naming each key, its value and the value it should have.
    """
    wrong = contradictions(origin, cfg) if origin else []
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
        naming: as `key_maps.to_bare` returns it.
        author: the file's "__author__", or "".
        tensors: its tensors under bare names.

    Returns:
        The origin, or None when nothing tells it.
    """
    family = family_of_tensors(tensors)
    return family.recognise_origin(naming, author, tensors) if family else None


def describe_model(cfg: CfgNode) -> dict[str, Any]:
    """Describe a model, in plain values.

    Args:
        cfg: the config that it was built from.

    Returns:
        {"origin": the fields of `Origin`, "backbone": its name, "class_names": a list, or None when unknown,
        "mixture": keys of MODEL.MOE and their values, None where the network has no experts}.
    """
    moe = cfg.MODEL.MOE
    return {
        "origin": asdict(origin_of_config(cfg)),
        "backbone": cfg.MODEL.BACKBONE.NAME,
        "class_names": class_names(cfg),
        "mixture": {key: moe[key] for key in _MIXTURE} if moe.EXPERTS else None,
    }


def class_names(cfg: CfgNode) -> list[str] | None:
    """The classes or hashtags of a config's first data set that knows its own; None when none does."""
    names = (MetadataCatalog.get(name).get("thing_classes") for name in (*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST))
    return next((list(found) for found in names if found), None)


def check_mixture(theirs: Mapping[str, Any] | None, cfg: CfgNode) -> None:
    """Refuse experts that would be used in another way than in training, which tensors that fit do not show.

    Args:
        theirs: keys of MODEL.MOE and their values, None when unknown or without experts.
        cfg: of the model, which the tensors fit: its other keys of MODEL.MOE then say the same network.

    Raises:
        WeightsError: an image would go to more or fewer experts.
    """
    ours = cfg.MODEL.MOE.TOP_K
    if theirs is not None and theirs.get("TOP_K", ours) != ours:
        raise WeightsError(
            f"it was trained with MODEL.MOE.TOP_K {theirs['TOP_K']}, the config has {ours}: each image would go to "
            f"another number of experts. Set it to {theirs['TOP_K']}"
        )


def check_class_names(theirs: list[str] | None, ours: list[str] | None) -> None:
    """Refuse outputs that stand for something else than the config's data.

    Args:
        theirs: names of the file's classes in order, None when unknown.
        ours: the config's.

    Raises:
        WeightsError: both are known and differ.
    """
    if theirs is None or ours is None or theirs == ours:
        return
    pairs = enumerate(zip_longest(theirs, ours))
    differing = [f"{position}: {their} / {our}" for position, (their, our) in pairs if their != our]
    raise WeightsError(
        f"its outputs stand for other classes than the config's data sets: {len(differing)} differ (class: file / "
        f"config: {', '.join(differing[:3])}). Use the data it was trained on, or train a new classifier from it"
    )
