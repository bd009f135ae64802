"""Names of sets of posts, `role-source-I-L`: I images, L labels; the paper's largest is train-IG-3.5B-17k."""

import re
from dataclasses import dataclass

from igdet.utils.messages import shown
from igdet.utils.yaml import ConfigError

_WORD = re.compile(r"[A-Za-z0-9_.]+")  # a dash is what parts the name
_UNITS = ("", "k", "M", "B")  # powers of 1,000


@dataclass(frozen=True)
class SetName:
    """What a set is called before its counts.

    Attributes:
        role: what the set is for, such as "train" or "val".
        source: where its posts come from, such as "IG" for Instagram.
    """

    role: str = "train"
    source: str = "own"

    def __post_init__(self) -> None:
        for field, word in vars(self).items():
            if not _WORD.fullmatch(word):
                raise ConfigError(
                    f"the {field} in the name of a set is {shown(word)}: expected ASCII letters, digits, '_' or '.', "
                    "for role-source-I-L is parted at its dashes"
                )

    def full(self, images: int, labels: int) -> str:
        """Return the whole name, such as "train-IG-940M-1.5k".

        Args:
            images: number of images of the set, >= 0.
            labels: number of labels of its vocabulary, >= 0.
        """
        return f"{self.role}-{self.source}-{short_count(images)}-{short_count(labels)}"

    @classmethod
    def of(cls, name: str) -> "SetName":
        """Return what a whole name begins with.

        Raises:
            ConfigError: it is no such name.
        """
        words = name.split("-")
        if len(words) != 4:
            raise ConfigError(f"{shown(name)} is no name of a set; expected one such as {SetName().full(36247, 1512)}")
        return cls(*words[:2])


DEFAULT_NAME = SetName()


def short_count(count: int) -> str:
    """Return a count as names have it.

    From 1,000 on it is rounded, halves up, to two significant digits, with k, M or B: 36,247 is 36k, 1,512 1.5k,
    999,600 1M. Smaller ones stay as they are, for without a letter nobody takes 210 for a rounded 214.

    Args:
        count: >= 0.
    """
    if count < 1000:
        return str(count)
    step = 10 ** (len(str(count)) - 2)
    rounded = (count + step // 2) // step * step
    power = min((len(str(rounded)) - 1) // 3, len(_UNITS) - 1)  # of the rounded one: 999,600 has become 1,000,000
    return f"{rounded / 1000**power:.1f}".removesuffix(".0") + _UNITS[power]
