"""Features with their labels, and which of them a protocol fits on and chooses by: seeded, a matter of labels alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from igdet.utils.errors import UserError

LARGEST = 1e15  # sums of squares are taken in float32, which ends at 3e38
CHECKED = 4096  # images looked at at a time: mapped features stay on the disk
MOST_CHOOSING = 4  # images a class that choose a k-shot classifier's strength, as in Zhou et al. 2022, 2109.01134


@dataclass(frozen=True)
class LabelledFeatures:
    """A data set as a frozen trunk sees it.

    Attributes:
        name: of the data set.
        features: float16 or float32 (N, D), finite, at most `LARGEST`; may be mapped.
        labels: int64 (N,), one class each.
        image_ids: N names.

    Raises:
        UserError: a feature is not finite, or too large to work with.
    """

    name: str
    features: np.ndarray
    labels: np.ndarray
    image_ids: Sequence[str]

    def __post_init__(self) -> None:
        for start in range(0, len(self.features), CHECKED):
            block = np.abs(self.features[start : start + CHECKED].astype(np.float32))
            bad = np.flatnonzero(~(block <= LARGEST).all(axis=1))  # no NaN is less
            if len(bad):
                raise UserError(
                    f"{self.name}: the features of {self.image_ids[start + int(bad[0])]} are not finite, or beyond "
                    f"{LARGEST:g}; are the weights sound, and do INPUT.FORMAT and MODEL.PIXEL_* fit them? Float16 "
                    "overflows above 65,504: then set PROBE.FEATURES to float32"
                )

    def __len__(self) -> int:
        return len(self.labels)


def hold_out(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split a training set into a part to fit on and a part to choose by, class by class.

    Args:
        labels: int (N,).
        share: of each class that is held out, 0..1, rounded, and at least one image; a class of one keeps it.
        seed: of the choice, >= 0.

    Returns:
        Rows to fit on, rows held out; both int64, ascending.

    Raises:
        UserError: every class has one image only.
    """
    held = []
    for rows in _shuffled_classes(labels, seed):
        held.append(rows[: min(max(1, round(share * len(rows))), len(rows) - 1)])
    held_out = np.sort(np.concatenate(held))
    if not len(held_out):
        raise UserError("no image can be held out: every class has only one; a protocol needs some to choose by")
    return np.setdiff1d(np.arange(len(labels)), held_out), held_out


def draw_shots(labels: np.ndarray, shots: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw k images of each class to fit on, and up to `MOST_CHOOSING` others to choose by.

    Draws of one seed are nested: those of more shots hold those of fewer.

    Args:
        labels: int (N,).
        shots: k, >= 1.
        seed: of the draw, >= 0.

    Returns:
        Rows to fit on, rows to choose by; both int64, ascending.

    Raises:
        UserError: a class has too few images.
    """
    fit, choose, others = [], [], min(shots, MOST_CHOOSING)
    for rows in _shuffled_classes(labels, seed):
        if len(rows) < shots + others:
            raise UserError(
                f"{shots} shots: class {labels[rows[0]]} has {len(rows)} images, expected at least {shots} to fit on "
                f"and {others} to choose by; take {shots} out of PROBE.SHOTS"
            )
        fit.append(rows[:shots])
        choose.append(rows[len(rows) - others :])
    return np.sort(np.concatenate(fit)), np.sort(np.concatenate(choose))


def _shuffled_classes(labels: np.ndarray, seed: int) -> list[np.ndarray]:
    """The rows of each class that occurs, in an order that follows from the seed and the class."""
    rows = np.argsort(labels, kind="stable")
    classes, starts = np.unique(labels[rows], return_index=True)
    groups = np.split(rows, starts[1:])
    return [np.random.default_rng([seed, int(c)]).permutation(group) for c, group in zip(classes, groups, strict=True)]
