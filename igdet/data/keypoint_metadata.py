"""What the categories of a COCO json say of keypoints, as Detectron2 wants to know it."""

import logging
from collections.abc import Sequence

from detectron2.data import MetadataCatalog

from igdet.data.errors import DatasetError
from igdet.utils.coco_verdicts import keypoint_counts
from igdet.utils.keypoint_names import flip_pairs, has_side
from igdet.utils.shown import printable, shown

logger = logging.getLogger(__name__)

EDGE_COLOUR = (255, 128, 0)  # of a drawn skeleton's lines, RGB


def keypoint_metadata(categories: list[dict], path: str, pairs: Sequence[Sequence[str]] = ()) -> dict:
    """Return what Detectron2 wants to know of keypoints: names, left-right pairs, and the skeleton.

    Args:
        categories: of the json; names and skeleton are those of any category that has keypoints.
        path: the json, for errors.
        pairs: the left and the right keypoint of each part; none for those that the names tell.

    Returns:
        "keypoint_names", "keypoint_flip_map" and "keypoint_connection_rules"; empty where nothing has keypoints.

    Raises:
        CocoJsonError: two categories have different keypoints, or names that are none.
        DatasetError: the skeleton or a pair is none of these keypoints.
    """
    with_keypoints = [category for category in categories if category.get("keypoints")]
    if not keypoint_counts(path, categories):
        return {}
    names = with_keypoints[0]["keypoints"]
    edges = with_keypoints[0].get("skeleton") or []
    if not _are_pairs(edges, range(1, len(names) + 1)):
        raise DatasetError(f"{path}: the skeleton {shown(edges)} is no list of pairs of keypoints, counted from 1")
    if not _are_pairs(pairs, names) or len({name for pair in pairs for name in pair}) < 2 * len(pairs):
        raise DatasetError(
            f"KEYPOINT_PAIRS {shown(pairs)} is no list of pairs [left, right] of different keypoints of {path}: "
            f"{', '.join(names)}"
        )
    return {
        "keypoint_names": names,
        "keypoint_flip_map": [tuple(pair) for pair in pairs] or flip_pairs(names),
        "keypoint_connection_rules": [(names[a - 1], names[b - 1], EDGE_COLOUR) for a, b in edges],
    }


def warn_of_sides(data_sets: Sequence[str]) -> None:
    """Warn of keypoints that a horizontal flip leaves where they are, though they may be those of one side.

    Args:
        data_sets: names of registered data sets with keypoints.
    """
    for data_set in data_sets:
        metadata = MetadataCatalog.get(data_set)
        names, pairs = metadata.get("keypoint_names", []), metadata.get("keypoint_flip_map", [])
        alone = [name for name in names if has_side(name) and not any(name in pair for pair in pairs)]
        if not pairs or alone:
            logger.warning(
                "%s: INPUT.RANDOM_FLIP mirrors images, but the keypoints %s have no other side, so that left and right "
                "are not exchanged. If they have sides, set the field KEYPOINT_PAIRS to [[left, right], ...], or "
                "INPUT.RANDOM_FLIP to none",
                data_set,
                ", ".join(map(printable, alone or names)),
            )


def _are_pairs(pairs: object, known: Sequence) -> bool:
    return isinstance(pairs, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 and all(end in known for end in pair) for pair in pairs
    )
