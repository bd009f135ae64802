"""Names of the two parts of a training set on which settings are tried and chosen: NAME_fit and NAME_choice."""

FIT, CHOICE = "fit", "choice"


def whole_of(name: str) -> str:
    """Give the data set that a part belongs to: "cub2011_train" of "cub2011_train_fit"; "" of another name."""
    whole, _, part = name.rpartition("_")
    return whole if part in (FIT, CHOICE) else ""


def is_part(name: str, other: str) -> bool:
    """Whether one of two names is a part of the other."""
    return whole_of(name) == other or whole_of(other) == name
