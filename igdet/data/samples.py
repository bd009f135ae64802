"""From a record to what the classifier takes: decoding, transforms, label noise, and what happens to a bad record."""

from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from igdet.data.bad_records import MAX_REPLACEMENTS, bad_in_a_row
from igdet.data.draws.randomness import Stream, generator, keys, name_number, uniform
from igdet.data.images.decoding import CroppableImage, DecodedImage, open_croppable
from igdet.data.images.transforms import TestTransform, TrainTransforms
from igdet.data.records import Records
from igdet.formats.errors import RecordError

GREY = np.full((64, 64, 3), 128, dtype=np.uint8)


class LabelNoise:
    """Replaces hashtags, each with a probability, by hashtags drawn from the marginal distribution.

    What becomes of a hashtag depends on the seed, the record's id and the hashtag's position among the record's only:
    a post keeps its wrong hashtags, as it would in data that are wrong, whenever and however often it is drawn.

    Args:
        probability: chance, 0..1, that a hashtag is replaced.
        label_counts: int (L,): how many records carry each label.
        seed: the run's seed, >= 0.
    """

    def __init__(self, probability: float, label_counts: np.ndarray, seed: int):
        if not 0 <= probability <= 1:
            raise ValueError(f"DATALOADER.LABEL_NOISE is a probability, 0..1, not {probability}")
        self.probability = probability
        self._cumulative = np.cumsum(label_counts)
        self._keys = keys(seed, Stream.LABEL_NOISE, 0, 2)

    def __call__(self, ids: np.ndarray, image_id: str) -> np.ndarray:
        """Replace some of a record's labels.

        Args:
            ids: int32 (k,): distinct label ids, in the record's order.
            image_id: of the record.

        Returns:
            int32 (1..k,): distinct ascending ids; fewer than k where a replacement was there already.
        """
        places = np.array([name_number(image_id)], np.uint64) + np.arange(len(ids), dtype=np.uint64)
        replaced, chosen = (uniform(key, places) for key in self._keys)
        uses = (chosen * self._cumulative[-1]).astype(np.int64)  # a random use of a hashtag is a marginal draw
        random_ids = np.searchsorted(self._cumulative, uses, side="right").astype(ids.dtype)
        return np.unique(np.where(replaced < self.probability, random_ids, ids))


class TrainingSamples(Dataset):
    """Training samples by numbered draw; a bad record is replaced by a random one and reported.

    Args:
        records: the data set.
        transforms: the crop and flip of a draw, by its number.
        noise: label noise.
        channel_order: "RGB" or "BGR".
        seed: the run's seed, >= 0: a sample depends on it and on the draw's number only.
        one_label: whether a sample has one of its record's labels, drawn at random, instead of all.
    """

    def __init__(
        self,
        records: Records,
        transforms: TrainTransforms,
        noise: LabelNoise,
        channel_order: str,
        seed: int,
        one_label: bool = False,
    ) -> None:
        self._records = records
        self._transforms = transforms
        self._noise = noise
        self._channel_order = channel_order
        self._seed = seed
        self._one_label = one_label

    def __getitem__(self, numbered: tuple[int, int]) -> dict:
        """Make the sample of one draw.

        Args:
            numbered: the draw's number and the record's index.

        Returns:
            What `_sample` returns, and in "bad_records" the name and reason of each record that was replaced.

        Raises:
            BadRecordsError: `MAX_REPLACEMENTS` records in a row were bad.
        """
        draw, index = numbered
        rng = generator(self._seed, Stream.DRAW, draw)
        transform = self._transforms.of(draw)
        bad: list[tuple[str, str]] = []
        while len(bad) < MAX_REPLACEMENTS:
            try:
                image = transform(_open(self._records, index, self._channel_order), rng)
            except RecordError as error:
                bad.append((error.name, error.why))
                index = int(rng.integers(len(self._records)))
                continue
            labels = self._noise(self._records.labels(index), self._records.image_id(index))
            if self._one_label:
                labels = rng.choice(labels, 1)
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
        """Make the sample of one record: what `_sample` returns, and "is_bad", whether it is shown as grey."""
        try:
            image, bad = self._transform(_open(self._records, index, self._channel_order)), []
        except RecordError as error:
            image, bad = self._transform(DecodedImage(GREY)), [(error.name, error.why)]
        return {**_sample(self._records, index, image, self._records.labels(index), bad), "is_bad": bool(bad)}


def _open(records: Records, index: int, channel_order: str) -> CroppableImage:
    return open_croppable(records.read(index), channel_order, records.image_id(index))


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
    packed: dict[str, Any] = {key: [sample[key] for sample in samples] for key in samples[0]}
    packed["image"] = torch.stack(packed["image"])  # (B, 3, S, S)
    packed["gt_classes"] = [labels.numpy() for labels in packed["gt_classes"]]
    return packed


def unpack(packed: dict) -> list[dict]:
    """Undo `pack`."""
    labels = [torch.from_numpy(ids) for ids in packed["gt_classes"]]
    columns = {**packed, "gt_classes": labels}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
