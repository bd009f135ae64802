"""The hashtag vocabulary: which hashtags count as which label."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.utils.messages import shown

VOCABULARY_NAME = "vocabulary.txt"  # in a folder of shards, and beside a table of posts

# White space, underscores, hyphens (ASCII, U+2010, soft) and what has no width: joiners, direction marks, variation
# selectors, the BOM.
_DROPPED = re.compile("[\\s_\\-\u2010\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe0e\ufe0f\ufeff]+")

_DOTTED_I = "i\u0307"  # what case-folding makes of the Turkish "İ"; its "ı" stays another letter


class VocabularyError(UserError):
    """A vocabulary that says two things about one hashtag, or nothing about a label."""


def normalise_tag(tag: str) -> str:
    """Return the form under which two spellings of one hashtag are the same.

    Args:
        tag: a hashtag as a user wrote it, with or without "#".

    Returns:
        The tag NFKC-normalised and case-folded, without leading "#", white space, underscores, hyphens and
        zero-width characters, and without the second dot of an "i": #İstanbul is #istanbul; "" when nothing is left.
    """
    folded = unicodedata.normalize("NFKC", tag).casefold().replace(_DOTTED_I, "i")
    return unicodedata.normalize("NFKC", _DROPPED.sub("", folded).lstrip("#"))  # case-folding can undo NFKC


class Vocabulary:
    """Labels, each with the hashtags that count as it; a label's id is its position.

    Args:
        labels: for each label its canonical name, then the other hashtags that count as it.

    Raises:
        VocabularyError: a hashtag is under two labels, a label is empty, or a name holds white space.
    """

    def __init__(self, labels: Iterable[Sequence[str]]):
        self._labels = [tuple(label) for label in labels]
        self._id_of: dict[str, int] = {}
        for label_id, label in enumerate(self._labels):
            self._add(label_id, label)

    def _add(self, label_id: int, label: tuple[str, ...]) -> None:
        line = label_id + 1
        if not label:
            raise VocabularyError(f"vocabulary line {line} is empty: each line is one label and must name it")
        for tag in label:
            key = normalise_tag(tag)
            if not key or len(tag.split()) != 1:
                raise VocabularyError(f"vocabulary line {line}: {shown(tag)} is no hashtag; write it as one word")
            owner = self._id_of.setdefault(key, label_id)
            if owner != label_id:
                raise VocabularyError(
                    f"hashtag {shown(tag)} counts as two labels: line {owner + 1} ({self._labels[owner][0]}) and "
                    f"line {line} ({label[0]}); leave it in one of them"
                )

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def names(self) -> list[str]:
        """The canonical name of each label, by label id."""
        return [label[0] for label in self._labels]

    def id_of(self, tag: str) -> int:
        """Return the label id that a raw hashtag counts as, or -1 when it is not in the vocabulary."""
        return self._id_of.get(normalise_tag(tag), -1)

    def ids(self, tags: Iterable[str]) -> np.ndarray:
        """Return the labels of a post.

        Args:
            tags: the post's raw hashtags; unknown ones are left out.

        Returns:
            The distinct label ids, ascending, int32 (k,); k is 0 when none is known.
        """
        return np.array(sorted({self.id_of(tag) for tag in tags} - {-1}), dtype=np.int32)

    @classmethod
    def read(cls, path: str | PathLike) -> "Vocabulary":
        """Read a vocabulary file: UTF-8, one label a line, its canonical name then other hashtags, by spaces.

        Raises:
            VocabularyError: the file is not UTF-8 text, is empty or contradicts itself; the message names it.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
            # Not splitlines(): it also splits at characters that are no line ends to an editor, which would shift ids.
            return cls(line.split() for line in text.removesuffix("\n").split("\n"))
        except (UnicodeDecodeError, VocabularyError) as error:
            raise VocabularyError(f"{path}: {error}") from error

    def text(self) -> str:
        """Return the vocabulary as the content of a vocabulary file."""
        return "".join(" ".join(label) + "\n" for label in self._labels)

    def write(self, path: str | PathLike) -> None:
        """Write the vocabulary file that `read` reads back, atomically."""
        with atomic_write(path, "w") as file:
            file.write(self.text())
