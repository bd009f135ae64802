"""The hashtags of many posts: the normal form and the label of each, and how many posts carry them."""

import numpy as np
import pyarrow as pa

from igdet.curation.labels.strings import BINDING, CompiledStrings, Strings

FORM, LABEL, POSTS, LABEL_POSTS = range(4)  # columns of `Hashtags.words`
_COLUMNS = 6  # two more are of _hashtags.c
_FEWEST = 1024  # rows


class Hashtags:
    """Hashtags, their normal forms and their labels, numbered together; 0 is the empty string.

    Most hashtags are their own form, and most forms their own label, so that one table of all takes the least memory.
    One thread at a time may use it.

    Args:
        strings: empty; hashtags are added to it.
    """

    def __init__(self, strings: Strings):
        self.strings = strings
        self.known = 0  # strings whose form and label have been set
        self._rows = np.zeros((_FEWEST, _COLUMNS), np.int32)
        self._posts = 0
        strings.add(pa.array([""]))

    @property
    def words(self) -> np.ndarray:
        """Of each known string, int32 (k, 6): its form; its label as a form; the posts that carry it as form, as label.

        Form and label are numbers; the label 0 is none.
        """
        return self._rows[: self.known]

    def learn(self, forms: np.ndarray, labels: np.ndarray) -> None:
        """Set the form and the label, as a form, of the next n strings that are not known.

        Args:
            forms: int32 (n,), numbers.
            labels: int32 (n,), numbers, 0 for none.
        """
        first, self.known = self.known, self.known + len(forms)
        if self.known > len(self._rows):  # doubled at least, so that growing costs little
            rows = np.zeros((max(self.known, 2 * len(self._rows)), _COLUMNS), np.int32)
            rows[:first] = self._rows[:first]
            self._rows = rows
        self.words[first:, FORM], self.words[first:, LABEL] = forms, labels

    def label(self, offsets: np.ndarray, hashtags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Label posts, and count what they carry.

        Args:
            offsets: int32 (n + 1,), from 0: where the hashtags of each post begin and end.
            hashtags: int32 (m,), numbers of strings; all are known, and so are their forms and labels.

        Returns:
            Such offsets and numbers of labels: of each post in the order of its hashtags, each once.

        Raises:
            OverflowError: more than 2**31 - 2 posts in all.
        """
        if BINDING is None or not isinstance(self.strings, CompiledStrings):
            return _label(self.words, offsets, hashtags)
        label_offsets, labels = np.empty_like(offsets), np.empty_like(hashtags)
        BINDING.label(self.words, self._posts + 1, offsets, hashtags, label_offsets, labels)
        self._posts += len(offsets) - 1
        return label_offsets, labels[: label_offsets[-1]]


def _label(words: np.ndarray, offsets: np.ndarray, hashtags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Do what the function of this name does in _hashtags.c, at a third of its speed."""
    posts = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    posts, forms = _once(posts, words[hashtags, FORM])
    labels = words[forms, LABEL]
    posts, labels = _once(posts[labels > 0], labels[labels > 0])
    words[:, POSTS] += np.bincount(forms, minlength=len(words)).astype(np.int32)
    words[:, LABEL_POSTS] += np.bincount(labels, minlength=len(words)).astype(np.int32)
    return np.searchsorted(posts, np.arange(len(offsets))).astype(np.int32), labels


def _once(posts: np.ndarray, carried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave what each post carries once, where it comes first."""
    first = np.sort(np.unique(posts << 31 | carried, return_index=True)[1])
    return posts[first], carried[first]
