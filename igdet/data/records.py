"""Labelled images as columns: sparse label ids in memory or mapped, image bytes read one by one."""

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
        label_offsets: int64 (N + 1,): where each record's labels begin in `label_ids`, and where the last's end.
        label_ids: int32 (M,): label ids, distinct within a record, at least one.

    Attributes:
        note: what was left out when the records were read, for the log.
        passed_over: the number of files beside the images that were taken for none, by suffix.
    """

    note = ""

    def __init__(self, label_offsets: np.ndarray, label_ids: np.ndarray):
        self.label_offsets = label_offsets
        self.label_ids = label_ids
        self.passed_over: Counter[str] = Counter()

    @abstractmethod
    def image_id(self, index: int) -> str:
        """Name a record the way its user knows it."""

    @abstractmethod
    def location(self, index: int) -> dict:
        """Say where a record's bytes are."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """Read a record's image file.

        Raises:
            RecordError: there is nothing to read.
        """

    def labels(self, index: int) -> np.ndarray:
        """Return the label ids of a record, int32 (k,), k >= 1."""
        return self.label_ids[self.label_offsets[index] : self.label_offsets[index + 1]]

    def kept(self, name: str) -> Path | None:
        """Say where what is computed of all records may be kept; None for records few enough to do it every time."""
        return None

    def label_counts(self, num_labels: int = 0) -> np.ndarray:
        """Count the records that carry each label, int64 (L,); L is `num_labels` or more."""
        return count_labels(self.label_ids, num_labels)

    def __len__(self) -> int:
        return len(self.label_offsets) - 1

    def __getitem__(self, index: int) -> dict:  # type: ignore[override]  # no slices
        if not 0 <= index < len(self):
            raise IndexError(f"record {index} of {len(self)}")
        return {"image_id": self.image_id(index), "gt_classes": self.labels(index), **self.location(index)}


class FileRecords(Records):
    """Records whose images are files of one folder.

    Args:
        root: the folder.
        paths: string (N,): the files, relative to `root`.
        label_offsets, label_ids: as `Records` has them.

    Raises:
        DatasetError: there is no record, or one without a label.
    """

    def __init__(self, root: str, paths: pa.Array, label_offsets: np.ndarray, label_ids: np.ndarray):
        counts = np.diff(label_offsets)
        if not len(counts) or counts.min() < 1:
            raise DatasetError(f"{(counts < 1).sum()} of {len(counts)} records have no label; each needs at least one")
        super().__init__(label_offsets, label_ids)
        self.root = root
        self.paths = paths  # one Arrow buffer: a list of strings would be copied into every loader process

    def image_id(self, index: int) -> str:
        """Return the file's path relative to the root."""
        return self.paths[index].as_py()

    def location(self, index: int) -> dict:
        """Return the file's path."""
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
    """Records of one label each whose images are in memory; an image's file is made, without loss, when it is read.

    Args:
        images: uint8 (N, H, W, 3) RGB.
        class_ids: int32 (N,).
    """

    def __init__(self, images: np.ndarray, class_ids: np.ndarray):
        super().__init__(np.arange(len(class_ids) + 1), class_ids)
        self._images = images
        self._header = b"P6 %d %d 255\n" % images.shape[2:0:-1]  # PPM: width, height, largest value, then the bytes

    def image_id(self, index: int) -> str:
        """Return the position in the set."""
        return f"{index:06d}"

    def location(self, index: int) -> dict:
        """Nothing: there is no file."""
        return {}

    def read(self, index: int) -> bytes:
        """Write the image as PPM."""
        return self._header + self._images[index].tobytes()


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
