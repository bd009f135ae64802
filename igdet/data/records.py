"""Labelled pictures as columns: sparse label ids in memory or mapped, picture bytes read one by one."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from igdet.formats.errors import DatasetError, RecordError
from igdet.sampling import count_labels
from igdet.utils.files import other_spelling


class Records(Sequence, ABC):
    """A lazy sequence of `{"image_id", "gt_classes", ...}`, the form in which DatasetCatalog gives classification sets.

    Shapes: N records, M labels in all.

    Args:
        hashtag_offsets: int64 (N + 1,): where each record's labels begin in `hashtag_ids`, and where the last's end.
        hashtag_ids: int32 (M,): label ids, distinct within a record, at least one.

    Attributes:
        note: what was left out when the records were read, for the log.
        passed_over: the number of files beside the pictures that were taken for none, by suffix.
    """

    note = ""

    def __init__(self, hashtag_offsets: np.ndarray, hashtag_ids: np.ndarray):
        self.hashtag_offsets = hashtag_offsets
        self.hashtag_ids = hashtag_ids
        self.passed_over: Counter[str] = Counter()

    @abstractmethod
    def image_id(self, index: int) -> str:
        """Name a record the way its user knows it."""

    @abstractmethod
    def location(self, index: int) -> dict:
        """Say where a record's bytes are."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """Read a record's picture file.

        Raises:
            RecordError: there is nothing to read.
        """

    def labels(self, index: int) -> np.ndarray:
        """Give the label ids of a record, int32 (k,), k >= 1."""
        return self.hashtag_ids[self.hashtag_offsets[index] : self.hashtag_offsets[index + 1]]

    def kept(self, name: str) -> Path | None:
        """Say where what is worked out of all records may be kept; None for records few enough to do it every time."""
        return None

    def label_counts(self, num_labels: int = 0) -> np.ndarray:
        """Count the records that carry each label, int64 (L,); L is `num_labels` or more."""
        return count_labels(self.hashtag_ids, num_labels)

    def __len__(self) -> int:
        return len(self.hashtag_offsets) - 1

    def __getitem__(self, index: int) -> dict:
        if not 0 <= index < len(self):
            raise IndexError(f"record {index} of {len(self)}")
        return {"image_id": self.image_id(index), "gt_classes": self.labels(index), **self.location(index)}


class FileRecords(Records):
    """Records whose pictures are files of one folder.

    Args:
        root: the folder.
        paths: string (N,): the files, relative to `root`.
        hashtag_offsets, hashtag_ids: as `Records` has them.

    Raises:
        DatasetError: there is no record, or one without a label.
    """

    def __init__(self, root: str, paths: pa.Array, hashtag_offsets: np.ndarray, hashtag_ids: np.ndarray):
        counts = np.diff(hashtag_offsets)
        if not len(counts) or counts.min() < 1:
            raise DatasetError(f"{(counts < 1).sum()} of {len(counts)} records have no label; each needs at least one")
        super().__init__(hashtag_offsets, hashtag_ids)
        self.root = root
        self.paths = paths  # one Arrow buffer: a list of strings would be copied into every loader process

    def image_id(self, index: int) -> str:
        """Give the file's path relative to the root."""
        return self.paths[index].as_py()

    def location(self, index: int) -> dict:
        """Give the file's path."""
        return {"file_name": str(Path(self.root, self.image_id(index)))}

    def read(self, index: int) -> bytes:
        """Read the file."""
        try:
            return Path(self.root, self.image_id(index)).read_bytes()
        except FileNotFoundError:
            name = self.image_id(index)
            raise RecordError(name, f"does not exist under {self.root}{other_spelling(self.root, name)}") from None
        except (OSError, ValueError) as error:  # ValueError: the path holds a NUL byte
            raise RecordError(self.image_id(index), f"cannot be read under {self.root}: {error}") from error


class ArrayRecords(Records):
    """Records of one label each whose pictures are in memory; a picture's file is made, without loss, when it is read.

    Args:
        pictures: uint8 (N, H, W, 3) RGB.
        class_ids: int32 (N,).
    """

    def __init__(self, pictures: np.ndarray, class_ids: np.ndarray):
        super().__init__(np.arange(len(class_ids) + 1), class_ids)
        self._pictures = pictures
        self._header = b"P6 %d %d 255\n" % pictures.shape[2:0:-1]  # PPM: width, height, largest value, then the bytes

    def image_id(self, index: int) -> str:
        """Give the position in the set."""
        return f"{index:06d}"

    def location(self, index: int) -> dict:
        """Nothing: there is no file."""
        return {}

    def read(self, index: int) -> bytes:
        """Write the picture as PPM."""
        return self._header + self._pictures[index].tobytes()


def files_of_one_label(root: str, paths: Sequence[str], class_ids: np.ndarray) -> FileRecords:
    """Make records of files that carry one label each.

    Shapes: N files.

    Args:
        root: the folder.
        paths: (N,): the files, relative to `root`.
        class_ids: int (N,).

    Raises:
        DatasetError: there is no file.
    """
    return FileRecords(root, pa.array(paths, pa.large_string()), np.arange(len(paths) + 1), class_ids.astype(np.int32))
