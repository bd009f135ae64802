"""What is known of a target task: its parts, where their files are expected and what they should hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OFFICIAL_TEST, OFFICIAL_VAL = "the official test set", "the official validation set"
ONLY_EVALUATION = "evaluation only"
FIT, CHOICE = "fit", "choice"


@dataclass(frozen=True)
class Split:
    """One part of a target.

    Attributes:
        fields: KIND and the kind's fields.
        images: how many there should be; None where it depends on the files.
    """

    fields: Mapping[str, Any]
    images: int | None


@dataclass(frozen=True)
class TargetTask:
    """A target task.

    Attributes:
        title: what people call it.
        classes: their number.
        splits: by name; training uses the first, but where the target is for evaluation only.
        held_out: which images training does not see.
        source: where the files come from.
        folders: what the class folders should be called, as `read_class_list` takes it, those of a larger set where it
            has more than `classes`; "" where anything may be.
        images_seen: length of our finetuning recipe; 0 where the target is not one of training a classifier.
    """

    title: str
    classes: int
    splits: Mapping[str, Split]
    held_out: str
    source: str
    folders: str = ""
    images_seen: int = 0


def whole_of(name: str) -> str:
    """Return the data set that a part belongs to: "cub2011_train" of "cub2011_train_fit"; "" of another name."""
    whole, _, part = name.rpartition("_")
    return whole if part in (FIT, CHOICE) else ""


def is_part(name: str, other: str) -> bool:
    """Whether one of two names is a part of the other."""
    return whole_of(name) == other or whole_of(other) == name
