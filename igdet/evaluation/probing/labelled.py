"""Features of a data set's pictures with their labels.

Shapes: N images, D features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from igdet.utils.errors import UserError

CHECKED = 4096  # images looked at at a time: mapped features stay on the disk


@dataclass(frozen=True)
class LabelledFeatures:
    """A data set as a frozen trunk sees it.

    Attributes:
        name: of the data set.
        features: float16 or float32 (N, D), finite; may be mapped.
        labels: int64 (N,), one class each.
        image_ids: N names.

    Raises:
        UserError: a feature is not finite.
    """

    name: str
    features: np.ndarray
    labels: np.ndarray
    image_ids: Sequence[str]

    def __post_init__(self):
        for start in range(0, len(self.features), CHECKED):
            bad = np.flatnonzero(~np.isfinite(self.features[start : start + CHECKED]).all(axis=1))
            if len(bad):
                raise UserError(
                    f"{self.name}: the features of {self.image_ids[start + int(bad[0])]} are not finite; are the "
                    "weights sound, and do INPUT.FORMAT and MODEL.PIXEL_* fit them? Float16 overflows above 65,504: "
                    "then set PROBE.FEATURES to float32"
                )

    def __len__(self) -> int:
        return len(self.labels)
