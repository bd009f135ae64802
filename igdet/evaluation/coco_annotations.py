"""Annotations that detections are scored by: those that count, by the judge that training asks too."""

import logging
import math
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

from igdet.evaluation.coco_check import FIELD
from igdet.utils.coco_json import FEDERATED, KEYPOINTS, CocoJsonError, read_coco_json
from igdet.utils.coco_verdicts import Verdicts, judge, keypoint_counts
from igdet.utils.keypoint_names import COCO_NAMES, canonical
from igdet.utils.shown import printable

logger = logging.getLogger(__name__)


def read_annotations(path: Path, task: str, lvis: bool = False, sigmas: Sequence[float] = ()) -> dict:
    """Read a file of annotations, and say what had to be computed.

    Args:
        path: the file.
        task: a key of `FIELD`.
        lvis: whether they must say what LVIS' do: where a class was looked for, and how frequent it is.
        sigmas: of the object keypoint similarity, one a keypoint; empty for COCO's 17.

    Returns:
        Its content: "images", "categories", "annotations".

    Raises:
        CocoJsonError: naming the first fault.
    """
    required = {
        "images": ("id", "width", "height", *(FEDERATED if lvis else ())),
        "categories": ("id", "name", *(("frequency",) if lvis else ())),
        "annotations": ("id", "image_id", "category_id", FIELD[task], *(("bbox",) if task == "keypoints" else ())),
    }
    content = read_coco_json(path, required)
    verdicts = checked_annotations(path, content, (task,), sigmas)
    if verdicts.refused:
        (name, why), bad, total = verdicts.refused[0], len(verdicts.refused), len(content["annotations"])
        raise CocoJsonError(
            f"{path}: {name}: {why}; {bad:,} of {total:,} annotations cannot be used. Correct them or take them out; a "
            "run with this data set scores by its copy without them, OUTPUT_DIR/checked_annotations/NAME.json"
        )
    return verdicts.content


def add_sigmas(parser: ArgumentParser) -> None:
    """Add the option --sigmas, a list that is empty for COCO's 17 keypoints."""
    parser.add_argument(
        "--sigmas", type=_sigma, nargs="+", default=[], help="of the keypoints, one each; COCO's 17 unless told"
    )


def _sigma(text: str) -> float:
    if not 0 < float(text) < math.inf:
        raise ValueError(text)
    return float(text)


def checked_annotations(
    path: str | Path, content: dict, tasks: Sequence[str], sigmas: Sequence[float] = ()
) -> Verdicts:
    """Judge annotations for an evaluation, and log what the judge says of the whole file.

    Args:
        path: their file, for messages.
        content: "images", "categories" and "annotations".
        tasks: keys of `FIELD`.
        sigmas: as for `read_annotations`.

    Raises:
        CocoJsonError: there is not one sigma a keypoint, or the boxes are likely something else than x, y, w, h.
    """
    wanted = len(sigmas) or KEYPOINTS
    has_names = "keypoints" in tasks and keypoint_counts(path, content["categories"])
    names = keypoint_names(content) if has_names else ()
    if names and len(names) != wanted:
        raise CocoJsonError(
            f"{path}: its categories have {len(names)} keypoints, and there are {wanted} sigmas: give one a keypoint, "
            "with --sigmas or TEST.KEYPOINT_OKS_SIGMAS"
        )
    verdicts = judge(path, content, tasks, wanted)
    for note in (*verdicts.notes, *_sigma_notes(names, sigmas)):
        logger.warning("%s: %s", path, printable(note))
    return verdicts


def keypoint_names(content: Mapping) -> Sequence[str]:
    """Return the names of the keypoints, those of any category that has some; none where none has."""
    return next((category["keypoints"] for category in content["categories"] if category.get("keypoints")), ())


def _sigma_notes(names: Sequence[str], sigmas: Sequence[float]) -> list[str]:
    if sigmas or not names or [canonical(name) for name in names] == [canonical(name) for name in COCO_NAMES]:
        return []
    return [
        f"the keypoints {', '.join(names)} are not COCO's, but are compared by the sigmas of "
        f"{', '.join(COCO_NAMES)}; set your own with --sigmas or TEST.KEYPOINT_OKS_SIGMAS"
    ]
