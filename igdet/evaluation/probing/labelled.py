"""Features of a data set's pictures with their labels.

Shapes: N images, D features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from igdet.utils.errors import UserError

LARGEST = 1e15  # sums of squares are taken in float32, which ends at 3e38
CHECKED = 4096  # images looked at at a time: mapped features stay on the disk


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

    def __post_init__(self):
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
