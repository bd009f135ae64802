"""ReaL accuracy: a second opinion on ImageNet's validation labels, which timm ships.

Source: Beyer et al. 2020, "Are we done with ImageNet?", arXiv 2006.07159.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import pyarrow as pa

from igdet.utils.errors import UserError

IMAGENET_VAL = 50_000  # pictures
_ID = re.compile(r"ILSVRC2012_val_(\d{8})")


@dataclass(frozen=True)
class Real:
    """Top-1 accuracies, 0..1: by the labels of all pictures, and by ReaL of the `pictures` that have ReaL labels."""

    plain: float
    real: float
    pictures: int


def real_labels() -> list[list[int]]:
    """Class ids of each of ImageNet's validation pictures; none where the makers of ReaL found no class.

    Raises:
        UserError: timm is not there.
    """
    try:
        from timm.data.real_labels import RealLabelsImagenet
    except ImportError as error:
        raise UserError("ReaL labels come with timm: pip install timm") from error
    names = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, IMAGENET_VAL + 1)]
    shipped = RealLabelsImagenet(names).real_labels
    return [shipped[name] for name in names]


def real_accuracy(predictions: pa.Table, labels: Sequence[Sequence[int]]) -> Real:
    """Score predictions by ReaL labels.

    Args:
        predictions: with image_id, gt_classes and top_classes; class ids are those of ImageNet's sorted synsets.
        labels: of each validation picture, by its number less one.

    Raises:
        UserError: there is no picture, or one that is not ImageNet's.
    """
    rows = predictions.to_pylist()
    if not rows:
        raise UserError("there are no predictions to score")
    accepted = [labels[_number(row["image_id"], len(labels)) - 1] for row in rows]
    plain = [row["top_classes"][0] in row["gt_classes"] for row in rows]
    real = [row["top_classes"][0] in known for row, known in zip(rows, accepted, strict=True) if known]
    if not real:
        raise UserError(f"none of the {len(rows)} pictures has a ReaL label")
    return Real(sum(plain) / len(plain), sum(real) / len(real), len(real))


def _number(image_id: str, count: int) -> int:
    match = _ID.fullmatch(PurePath(image_id).stem)
    if not match or not 1 <= int(match[1]) <= count:
        raise UserError(f"{image_id}: ReaL labels are for ImageNet's ILSVRC2012_val_00000001 to {count:08d} only")
    return int(match[1])
