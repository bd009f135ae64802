"""What raters are asked: the pictures whose best answer is not their label, in random order.

The order is random so that the first pages are a sample: a rater may stop anywhere.
"""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write

FILE_NAME = "questions.json"


class Disagreement(NamedTuple):
    """A picture whose best answer is not its label; both are class ids."""

    image_id: str
    label: int
    prediction: int


@dataclass(frozen=True)
class Questions:
    """What was asked about one model's predictions.

    Attributes:
        fingerprint: of the data set: its class folders and picture ids.
        pictures: number of pictures.
        right: how many have their label as best answer.
        disagreements: those that are shown; all of them, or a random sample.
    """

    fingerprint: str
    pictures: int
    right: int
    disagreements: list[Disagreement]

    def write(self, folder: str | PathLike) -> None:
        """Write questions.json, which `read` needs."""
        with atomic_write(Path(folder) / FILE_NAME, "w") as file:
            json.dump(asdict(self), file)

    @classmethod
    def read(cls, folder: str | PathLike) -> "Questions":
        """Read them back.

        Raises:
            UserError: nothing was exported there.
        """
        path = Path(folder) / FILE_NAME
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**fields, "disagreements": [Disagreement(*row) for row in fields["disagreements"]]})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"{path}: expected the folder of an export: {error}") from error


def find_disagreements(
    predictions: pa.Table, labels: Mapping[str, int], class_names: Sequence[str], sample: int | None, seed: int
) -> Questions:
    """Compare predictions with labels.

    Args:
        predictions: with image_id, gt_classes and top_classes.
        labels: class id of each picture of the data set.
        class_names: its classes, by id.
        sample: how many disagreements to ask about; None for all.
        seed: of their order.

    Raises:
        UserError: the predictions are those of another data set.
    """
    rows = predictions.to_pylist()
    _check_same_set(rows, labels, len(class_names))
    wrong = [
        Disagreement(row["image_id"], labels[row["image_id"]], row["top_classes"][0])
        for row in rows
        if row["top_classes"][0] != labels[row["image_id"]]
    ]
    chosen = random.Random(seed).sample(wrong, len(wrong) if sample is None else min(sample, len(wrong)))
    return Questions(_fingerprint(class_names, labels), len(rows), len(rows) - len(wrong), chosen)


def _fingerprint(class_names: Sequence[str], image_ids: Mapping[str, int]) -> str:
    return hashlib.sha256(json.dumps([list(class_names), sorted(image_ids)]).encode()).hexdigest()[:16]


def _check_same_set(rows: list[dict], labels: Mapping[str, int], classes: int) -> None:
    ids = [row["image_id"] for row in rows]
    missing, unknown = labels.keys() - set(ids), set(ids) - labels.keys()
    if missing or unknown or len(ids) != len(labels):
        raise UserError(
            f"the predictions are of another data set: {len(ids)} predictions for {len(labels)} pictures, "
            f"{len(unknown)} of them unknown to the data set {sorted(unknown)[:3]}, {len(missing)} pictures have none "
            f"{sorted(missing)[:3]}; give the folder and class list that were evaluated"
        )
    for row in rows:
        expected = labels[row["image_id"]]
        if row["gt_classes"] != [expected] or not 0 <= row["top_classes"][0] < classes:
            raise UserError(
                f"the predictions are of another data set: {row['image_id']} has the labels {row['gt_classes']} and "
                f"the best answer {row['top_classes'][0]}; expected the label {expected} and an answer below {classes}"
            )
