"""A training set of one label a picture in two parts: settings are tried on NAME_fit and chosen on NAME_choice."""

import numpy as np

from igdet.data.errors import DatasetError
from igdet.data.held_out import is_held_out
from igdet.data.records import Records
from igdet.utils.tuning_parts import CHOICE

SHARE = 0.2  # of each class, for NAME_choice; our choice, as PROBE.HELD_OUT's default is


class PartRecords(Records):
    """Some records of another sequence, each of one label.

    Shapes: N records of the whole, M of the part.

    Args:
        whole: the other sequence, one label a record.
        positions: int (M,): the records to keep, 0..N-1.
    """

    def __init__(self, whole: Records, positions: np.ndarray):
        super().__init__(np.arange(len(positions) + 1), whole.hashtag_ids[positions])
        self._whole = whole
        self._positions = positions

    def image_id(self, index: int) -> str:
        """Give the record's name in the whole."""
        return self._whole.image_id(self._positions[index])

    def location(self, index: int) -> dict:
        """Say where the record's bytes are."""
        return self._whole.location(self._positions[index])

    def read(self, index: int) -> bytes:
        """Read the record's picture file; raises what the whole does."""
        return self._whole.read(self._positions[index])


def tuning_part(whole: Records, part: str) -> PartRecords:
    """Cut a part out of a training set.

    Of a class with n pictures n // 5, but at least one and at most n // 2, are for the choice, by their file names as
    `is_held_out` takes them; the others are to fit on.

    Args:
        whole: one label a record.
        part: "fit" or "choice".

    Raises:
        DatasetError: no class has two pictures.
    """
    names = [whole.image_id(index) for index in range(len(whole))]
    counts = np.maximum(1, (SHARE * np.bincount(whole.hashtag_ids)).astype(int))
    chosen = is_held_out(names, whole.hashtag_ids, counts)
    if not chosen.any():
        raise DatasetError("no class has two pictures, of which one could be held out")
    return PartRecords(whole, np.flatnonzero(chosen if part == CHOICE else ~chosen))
