"""Pages on which raters say which classes a picture shows, blind to which of them is the label."""

import random
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import cv2
import numpy as np

from igdet.evaluation.rating.questions import Disagreement, Questions
from igdet.utils.cards import PICTURE_SIDE, jpeg_uri, write_card_pages

CARDS_ON_PAGE = 200  # pictures; about 3 MB


def write_rating_pages(
    folder: str | PathLike, questions: Questions, read_picture: Callable[[str], np.ndarray], names: Sequence[str]
) -> list[Path]:
    """Write the pages, in place of earlier ones.

    Args:
        folder: where the pages go.
        questions: what is asked.
        read_picture: picture id -> uint8 (H, W, 3) RGB.
        names: what raters read for each class id.

    Returns:
        the paths of the pages.
    """
    asked = questions.disagreements

    def cards(part: slice) -> list[dict]:
        return [_card(row, questions.fingerprint, read_picture, names) for row in asked[part]]

    values = {"fingerprint": questions.fingerprint}
    return write_card_pages(folder, "igdet.evaluation.rating", "rating", cards, len(asked), CARDS_ON_PAGE, **values)


def _card(row: Disagreement, fingerprint: str, read_picture: Callable, names: Sequence[str]) -> dict:
    classes = [row.label, row.prediction]
    random.Random(row.image_id).shuffle(classes)  # the order must not tell which one is the label
    return {
        "id": f"{fingerprint} {row.image_id} {sorted(classes)}",
        "image_id": row.image_id,
        "picture": jpeg_uri(_smaller(read_picture(row.image_id))),
        "classes": [(class_id, names[class_id]) for class_id in classes],
    }


def _smaller(pixels: np.ndarray) -> np.ndarray:
    scale = min(1, PICTURE_SIDE / max(pixels.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return pixels if scale == 1 else cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
