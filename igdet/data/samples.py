"""From a record to what the classifier takes: decoding, transforms, label noise, and what happens to a bad record."""

import numpy as np
import torch
from torch.utils.data import Dataset

from igdet.data.bad_records import MAX_REPLACEMENTS, bad_in_a_row
from igdet.data.errors import RecordError
from igdet.data.label_noise import LabelNoise
from igdet.data.pictures import DecodedPicture, Picture, open_picture
from igdet.data.randomness import Stream, generator
from igdet.data.records import Records
from igdet.data.transforms import TestTransform, TrainTransform

GREY = np.full((64, 64, 3), 128, dtype=np.uint8)


class TrainingSamples(Dataset):
    """Training samples by numbered draw; a bad record is replaced by a random one and reported.

    Args:
        records: the data set.
        transform: crop and flip.
        noise: label noise.
        channel_order: "RGB" or "BGR".
        seed: the run's seed, >= 0: a sample depends on it and on the draw's number only.
    """

    def __init__(
        self, records: Records, transform: TrainTransform, noise: LabelNoise, channel_order: str, seed: int
    ) -> None:
        self._records = records
        self._transform = transform
        self._noise = noise
        self._channel_order = channel_order
        self._seed = seed

    def __getitem__(self, numbered: tuple[int, int]) -> dict:
        """Make the sample of one draw.

        Args:
            numbered: the draw's number and the record's index.

        Returns:
            What `_sample` gives, and in "bad_records" the name and reason of each record that was replaced.

        Raises:
            BadRecordsError: `MAX_REPLACEMENTS` records in a row were bad.
        """
        draw, index = numbered
        rng = generator(self._seed, Stream.DRAW, draw)
        bad = []
        while len(bad) < MAX_REPLACEMENTS:
            try:
                image = self._transform(_open(self._records, index, self._channel_order), rng)
            except RecordError as error:
                bad.append((error.name, error.why))
                index = int(rng.integers(len(self._records)))
                continue
            labels = self._noise(self._records.labels(index), self._records.image_id(index))
            return _sample(self._records, index, image, labels, bad)
        raise bad_in_a_row(bad)


class EvaluationSamples(Dataset):
    """Evaluation samples by record; a bad record is shown as plain grey, so that it counts as a wrong answer.

    Args:
        records: the data set.
        transform: resizing and centre crop.
        channel_order: "RGB" or "BGR".
    """

    def __init__(self, records: Records, transform: TestTransform, channel_order: str) -> None:
        self._records = records
        self._transform = transform
        self._channel_order = channel_order

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> dict:
        """Make the sample of one record: what `_sample` gives."""
        try:
            image, bad = self._transform(_open(self._records, index, self._channel_order)), []
        except RecordError as error:
            image, bad = self._transform(DecodedPicture(GREY)), [(error.name, error.why)]
        return _sample(self._records, index, image, self._records.labels(index), bad)


def _open(records: Records, index: int, channel_order: str) -> Picture:
    return open_picture(records.read(index), channel_order, records.image_id(index))


def _sample(records: Records, index: int, image: np.ndarray, labels: np.ndarray, bad: list[tuple[str, str]]) -> dict:
    """Put a sample together.

    Returns:
        "image" uint8 (3, S, S), "gt_classes" int64 (k,), "image_id", "bad_records" [(name, why), ...].
    """
    return {
        "image": torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))),  # (S, S, 3) -> (3, S, S)
        "gt_classes": torch.from_numpy(labels.astype(np.int64)),
        "image_id": records.image_id(index),
        "bad_records": bad,
    }


def pack(samples: list[dict]) -> dict:
    """Collate samples of one size for the way between processes, where each tensor costs a file descriptor."""
    packed = {key: [sample[key] for sample in samples] for key in samples[0]}
    packed["image"] = torch.stack(packed["image"])  # (B, 3, S, S)
    packed["gt_classes"] = [labels.numpy() for labels in packed["gt_classes"]]
    return packed


def unpack(packed: dict) -> list[dict]:
    """Undo `pack`."""
    labels = [torch.from_numpy(ids) for ids in packed["gt_classes"]]
    columns = {**packed, "gt_classes": labels}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
