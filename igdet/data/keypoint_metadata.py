"""What the categories of a COCO json say of keypoints."""

from igdet.data.errors import DatasetError

EDGE_COLOUR = (255, 128, 0)  # of a drawn skeleton's lines, RGB


def require_keypoint_names(path: str, category: dict) -> None:
    """Refuse a category whose "keypoints" are no list of names.

    Raises:
        DatasetError: naming the category.
    """
    names = category.get("keypoints") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DatasetError(f"{path}: category {category['id']} has the keypoints {names!r}; expected a list of names")


def keypoint_metadata(categories: list[dict], path: str) -> dict:
    """Work out what Detectron2 wants to know of keypoints: names, left-right pairs by name, and the skeleton.

    Args:
        categories: of the json; names and skeleton are those of any category that has keypoints.
        path: the json, for errors.

    Returns:
        "keypoint_names", "keypoint_flip_map" and "keypoint_connection_rules"; empty where nothing has keypoints.

    Raises:
        DatasetError: two categories have different keypoints, or the skeleton is none.
    """
    with_keypoints = [category for category in categories if category.get("keypoints")]
    if not with_keypoints:
        return {}
    names = with_keypoints[0]["keypoints"]
    if any(category["keypoints"] != names for category in with_keypoints):
        raise DatasetError(f"{path}: its categories have different keypoints; Detectron2 trains one kind at a time")
    pairs = [(left, left.replace("left", "right", 1)) for left in names if left.startswith("left")]
    edges = with_keypoints[0].get("skeleton") or []
    if not _are_edges(edges, range(1, len(names) + 1)):
        raise DatasetError(f"{path}: the skeleton {edges!r} is no list of pairs of keypoints, counted from 1")
    return {
        "keypoint_names": names,
        "keypoint_flip_map": [pair for pair in pairs if pair[1] in names],
        "keypoint_connection_rules": [(names[a - 1], names[b - 1], EDGE_COLOUR) for a, b in edges],
    }


def _are_edges(edges: object, positions: range) -> bool:
    return isinstance(edges, list) and all(
        isinstance(edge, list) and len(edge) == 2 and all(end in positions for end in edge) for edge in edges
    )
