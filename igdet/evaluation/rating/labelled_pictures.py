"""The data set that was evaluated, as raters are to see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures by their ids.

    Attributes:
        classes: names of the classes, by class id.
        readable: what raters read for each class id.
        labels: class id of each picture.
        read: picture id -> uint8 (H, W, 3) RGB; raises UserError where there is nothing that can be shown.
    """

    classes: Sequence[str]
    readable: Sequence[str]
    labels: Mapping[str, int]
    read: Callable[[str], np.ndarray]
