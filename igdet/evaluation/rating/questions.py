"""What raters are asked: the images whose best answer is not their label, in random order, kept beside the pages."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.utils.hashing import fingerprint
from igdet.utils.messages import shown
from igdet.utils.yaml import NAMES

FILE_NAME = "questions.json"


class Disagreement(NamedTuple):
    """An image whose best answer is not its label; both are class ids."""

    image_id: str
    label: int
    prediction: int


@dataclass(frozen=True)
class Questions:
    """What was asked about one model's predictions.

    Attributes:
        fingerprint: of the data set: its class folders and image ids.
        images: number of images.
        right: how many have their label as best answer.
        disagreements: those that are shown; all of them, or a random sample.
        unreadable: what is wrong with each image among them that cannot be shown; its name comes first.
    """

    fingerprint: str
    images: int
    right: int
    disagreements: list[Disagreement]
    unreadable: list[str] = field(default_factory=list)

    def write(self, folder: str | PathLike) -> None:
        """Write questions.json, which `read` needs."""
        with atomic_write(Path(folder) / FILE_NAME, "w") as file:
            json.dump(asdict(self), file)

    @classmethod
    def read(cls, folder: str | PathLike) -> "Questions":
        """Read them back.

        Raises:
            UserError: nothing was exported there, or a value is of another type than the one written, or cannot be.
        """
        path = Path(folder) / FILE_NAME
        try:
            saved = {_OLD.get(name, name): value for name, value in json.loads(path.read_text("utf-8")).items()}
            questions = cls(**{name: _READ[name](value, name) for name, value in saved.items()})
            questions.check_counts()
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            why = f"{type(error).__name__}: {error}"  # a KeyError alone is but a word
            raise UserError(f"{path}: expected the folder of an export, as it was written: {why}") from error
        return questions

    def check_counts(self) -> None:
        """Raise ValueError where more images are right or asked about than there are."""
        asked = len(self.disagreements) + len(self.unreadable)
        if min(self.right, asked - 1) < 0 or self.right + asked > self.images:
            raise ValueError(f"{self.right} right and {asked} other images cannot be of {self.images}")


def _typed(kind: type) -> Callable[[object, str], Any]:
    """Make what takes a JSON value of one type as it is; to Python, true is a number."""

    def read(value: object, name: str) -> Any:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise TypeError(f"{name} must be {NAMES[kind]}, got {shown(value)}")
        return value

    return read


_text, _number, _list = _typed(str), _typed(int), _typed(list)


def _disagreement(row: object, name: str) -> Disagreement:
    image_id, label, prediction = _list(row, name)
    image, class_id = f"the image in {name}", f"each class in {name}"
    return Disagreement(_text(image_id, image), _number(label, class_id), _number(prediction, class_id))


_READ: dict[str, Callable[[object, str], Any]] = {
    "fingerprint": _text,
    "images": _number,
    "right": _number,
    "disagreements": lambda rows, name: [_disagreement(row, f"each row of {name}") for row in _list(rows, name)],
    "unreadable": lambda lines, name: [_text(line, f"each line of {name}") for line in _list(lines, name)],
}
_OLD = {"pictures": "images"}  # a name in files of igdet 0.1 -> today's


def find_disagreements(
    predictions: pa.Table, labels: Mapping[str, int], class_names: Sequence[str], sample: int | None, seed: int
) -> Questions:
    """Compare predictions with labels.

    Args:
        predictions: with image_id, gt_classes and top_classes.
        labels: class id of each image of the data set.
        class_names: its classes, by id.
        sample: how many disagreements to ask about; None for all.
        seed: of their order.

    Raises:
        UserError: the predictions are those of another data set, or there is nothing to ask.
    """
    if sample is not None and sample < 1:
        raise UserError(f"a sample of {sample} disagreements: expected 1 or more")
    rows = predictions.to_pylist()
    _check_same_set(rows, labels, len(class_names))
    wrong = [
        Disagreement(row["image_id"], labels[row["image_id"]], row["top_classes"][0])
        for row in rows
        if row["top_classes"][0] != labels[row["image_id"]]
    ]
    if not wrong:
        raise UserError(f"there is nothing to rate: the best answer is the label of all {len(rows):,} images")
    chosen = random.Random(seed).sample(wrong, len(wrong) if sample is None else min(sample, len(wrong)))
    return Questions(_fingerprint(class_names, labels), len(rows), len(rows) - len(wrong), chosen)


def _fingerprint(class_names: Sequence[str], image_ids: Mapping[str, int]) -> str:
    return fingerprint(list(class_names), sorted(image_ids))[:16]


def _check_same_set(rows: list[dict], labels: Mapping[str, int], classes: int) -> None:
    ids = [row["image_id"] for row in rows]
    missing, unknown = labels.keys() - set(ids), set(ids) - labels.keys()
    if missing or unknown or len(ids) != len(labels):
        raise UserError(
            f"the predictions are of another data set: {len(ids)} predictions for {len(labels)} images, "
            f"{len(unknown)} of them unknown to the data set {sorted(unknown)[:3]}, {len(missing)} images have none "
            f"{sorted(missing)[:3]}; give the folder and class list that were evaluated"
        )
    for row in rows:
        expected = labels[row["image_id"]]
        if row["gt_classes"] != [expected] or not 0 <= row["top_classes"][0] < classes:
            raise UserError(
                f"the predictions are of another data set: {row['image_id']} has the labels {row['gt_classes']} and "
                f"the best answer {row['top_classes'][0]}; expected the label {expected} and an answer below {classes}"
            )
