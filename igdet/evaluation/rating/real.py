"""ReaL accuracy: a second opinion on ImageNet's validation labels, which timm ships.

Source: Beyer et al. 2020, "Are we done with ImageNet?", arXiv 2006.07159.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from igdet.formats.imagenet_lists import validation_number
from igdet.utils.errors import UserError


@dataclass(frozen=True)
class Real:
    """Top-1 accuracies, 0..1: by the labels of all images, and by ReaL of the `images` that have ReaL labels."""

    plain: float
    real: float
    images: int


def real_accuracy(predictions: pa.Table, labels: Sequence[Sequence[int]]) -> Real:
    """Score predictions by ReaL labels.

    Args:
        predictions: with image_id, gt_classes and top_classes; class ids are those of ImageNet's sorted synsets.
        labels: of each validation image, by its number less one.

    Raises:
        UserError: there is no image, or one that is not ImageNet's.
    """
    rows = predictions.to_pylist()
    if not rows:
        raise UserError("there are no predictions to score")
    accepted = [labels[validation_number(row["image_id"], len(labels)) - 1] for row in rows]
    plain = [row["top_classes"][0] in row["gt_classes"] for row in rows]
    real = [row["top_classes"][0] in known for row, known in zip(rows, accepted, strict=True) if known]
    if not real:
        raise UserError(f"none of the {len(rows)} images has a ReaL label")
    return Real(sum(plain) / len(plain), sum(real) / len(real), len(real))
