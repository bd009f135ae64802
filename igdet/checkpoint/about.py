"""What igdet's checkpoints say of themselves: how they were fed and what their outputs stand for."""

from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog

from igdet.checkpoint.errors import WeightsError
from igdet.checkpoint.origin import Origin

ABOUT = "igdet"  # the key of a checkpoint under which it stands


def describe_model(cfg: CfgNode) -> dict[str, Any]:
    """Describe a model, in plain values.

    Args:
        cfg: the config that it was built from.

    Returns:
        {"origin": the fields of `Origin`, "backbone": its name, "class_names": a list, or None when unknown}.
    """
    origin = asdict(Origin.of_config(cfg))
    return {"origin": origin, "backbone": cfg.MODEL.BACKBONE.NAME, "class_names": class_names(cfg)}


def class_names(cfg: CfgNode) -> list[str] | None:
    """The classes or hashtags of a config's first data set that knows its own; None when none does."""
    names = (MetadataCatalog.get(name).get("thing_classes") for name in (*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST))
    return next((list(found) for found in names if found), None)


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
