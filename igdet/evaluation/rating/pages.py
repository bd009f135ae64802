"""Pages on which raters say which classes an image shows, blind to which of them is the label."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import cv2
import numpy as np

from igdet.evaluation.rating.questions import Disagreement, Questions
from igdet.reporting.pages import IMAGE_SIDE, jpeg_uri, write_card_pages
from igdet.utils.errors import USUAL_SHARE, UserError, too_many

CARDS_ON_PAGE = 200  # images; about 3 MB


@dataclass(frozen=True)
class LabelledImages:
    """Images by their ids.

    Attributes:
        classes: names of the classes, by class id.
        readable: what raters read for each class id.
        labels: class id of each image.
        read: image id -> uint8 (H, W, 3) RGB; raises UserError where there is nothing that can be shown.
    """

    classes: Sequence[str]
    readable: Sequence[str]
    labels: Mapping[str, int]
    read: Callable[[str], np.ndarray]


def set_aside_unreadable(questions: Questions, read_pixels: Callable[[str], np.ndarray]) -> Questions:
    """Ask only about images that can be read.

    Args:
        questions: what would be asked.
        read_pixels: image id -> pixels; raises UserError where there is nothing that can be shown.

    Returns:
        The same without the images that cannot be read, which are named in `unreadable`.

    Raises:
        UserError: no image can be read, or too many cannot: by the share that an evaluation allows.
    """
    kept: list[Disagreement] = []
    unreadable: list[str] = []
    for row in questions.disagreements:
        try:
            read_pixels(row.image_id)
        except UserError as error:
            unreadable.append(str(error))
        else:
            kept.append(row)
    # The images of the data set that these disagreements stand for: all, unless they are a sample.
    seen = questions.images * len(questions.disagreements) // (questions.images - questions.right)
    if not kept or too_many(len(unreadable), seen, USUAL_SHARE):
        raise UserError(
            f"{len(unreadable)} of {len(questions.disagreements)} images to be rated cannot be read, the last one "
            f"{unreadable[-1]}; fix them, or take them out of the data set, and evaluate again"
        )
    return replace(questions, disagreements=kept, unreadable=unreadable)


def write_rating_pages(
    folder: str | PathLike, questions: Questions, read_pixels: Callable[[str], np.ndarray], names: Sequence[str]
) -> list[Path]:
    """Write the pages, in place of earlier ones.

    Args:
        folder: where the pages go.
        questions: what is asked.
        read_pixels: image id -> uint8 (H, W, 3) RGB.
        names: what raters read for each class id.

    Returns:
        The paths of the pages.
    """
    asked = questions.disagreements

    def cards(part: slice) -> list[dict]:
        return [_card(row, questions.fingerprint, read_pixels, names) for row in asked[part]]

    values = {"fingerprint": questions.fingerprint}
    return write_card_pages(folder, "igdet.evaluation.rating", "rating", cards, len(asked), CARDS_ON_PAGE, **values)


def _card(row: Disagreement, fingerprint: str, read_pixels: Callable, names: Sequence[str]) -> dict:
    classes = [row.label, row.prediction]
    random.Random(row.image_id).shuffle(classes)  # the order must not tell which one is the label
    return {
        "id": f"{fingerprint} {row.image_id} {sorted(classes)}",
        "image_id": row.image_id,
        "image": jpeg_uri(_smaller(read_pixels(row.image_id))),
        "classes": [(class_id, names[class_id]) for class_id in classes],
    }


def _smaller(pixels: np.ndarray) -> np.ndarray:
    scale = min(1, IMAGE_SIDE / max(pixels.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return pixels if scale == 1 else cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
