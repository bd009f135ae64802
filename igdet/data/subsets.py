"""Some records of others: the first of a hash order, and posts under another vocabulary."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from igdet.data.records import Records
from igdet.formats.errors import DatasetError
from igdet.formats.vocabulary import Vocabulary


def name_hash(name: str) -> int:
    """Return the place, 0..2^64 - 1, of a record in the hash order: by its file name, or key, wherever it lies."""
    return int.from_bytes(blake2b(name.rpartition("/")[2].encode(), digest_size=8).digest(), "little")


def name_hashes(names: Iterable[str], count: int) -> np.ndarray:
    """Return `name_hash` of each name, uint64 (count,)."""
    return np.fromiter(map(name_hash, names), np.uint64, count)


class SubsetRecords(Records):
    """Some records of another sequence.

    Shapes: N records of the whole, M of the subset, K labels of it in all.

    Args:
        whole: the other sequence.
        positions: int (M,): the records to keep, 0..N-1.
        label_offsets, label_ids: of the subset, where they are not those of the whole.
    """

    def __init__(
        self,
        whole: Records,
        positions: np.ndarray,
        label_offsets: np.ndarray | None = None,
        label_ids: np.ndarray | None = None,
    ):
        if label_offsets is None or label_ids is None:
            label_offsets, label_ids = _labels_of(whole, positions)
        super().__init__(label_offsets, label_ids)
        self._whole = whole
        self._positions = positions
        self.note = whole.note

    def image_id(self, index: int) -> str:
        """Return the record's name in the whole."""
        return self._whole.image_id(self._positions[index])

    def location(self, index: int) -> dict:
        """Say where the record's bytes are."""
        return self._whole.location(self._positions[index])

    def read(self, index: int) -> bytes:
        """Read the record's image file; raises what the whole does."""
        return self._whole.read(self._positions[index])


def _labels_of(whole: Records, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets and ids of some records' labels, int64 (M + 1,) and int32 (K,)."""
    starts, counts = whole.label_offsets[positions], np.diff(whole.label_offsets)[positions]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    # Within a record the ids lie together: position of its first one, + 0, 1, ...
    places = np.repeat(starts - offsets[:-1], counts) + np.arange(offsets[-1])
    return offsets, whole.label_ids[places]


def first_posts(records: Records, posts: int) -> Records:
    """Return the first posts of the hash order, in the order of the whole; larger numbers contain smaller ones.

    Args:
        records: the whole.
        posts: how many, >= 1; 0 for all.

    Raises:
        DatasetError: there are not so many.
    """
    if posts == 0:
        return records
    count = len(records)
    if not 1 <= posts <= count:
        raise DatasetError(f"POSTS is {posts:,}, but there are {count:,} posts; expected 1 to {count:,}, or 0 for all")
    hashes = name_hashes(map(records.image_id, range(count)), count)
    # Names that hash alike, which 2^64 places make rare, keep the order of the whole.
    return SubsetRecords(records, np.sort(np.argsort(hashes, kind="stable")[:posts]))


def under_vocabulary(records: Records, whole: Vocabulary, cut: Vocabulary) -> Records:
    """Return posts under another vocabulary, without writing them again; posts without a label of it are left out.

    A label of the whole is that label of the cut one which has its canonical name among its hashtags.

    Args:
        records: labelled by `whole`.
        whole: the vocabulary that the posts were labelled with.
        cut: the one to label them with.

    Raises:
        DatasetError: no post is left.
    """
    mapped = np.array([next(iter(cut.ids([name])), -1) for name in whole.names], np.int64)  # (L,), -1: none
    counts = np.diff(records.label_offsets)
    posts = np.repeat(np.arange(len(records)), counts)
    ids = mapped[records.label_ids]
    pairs = np.unique(np.stack([posts, ids])[:, ids >= 0], axis=1)  # several labels may have become one
    kept, new_counts = np.unique(pairs[0], return_counts=True)
    if not len(kept):
        raise DatasetError(f"none of the {len(records):,} posts has a label of the {len(cut):,} in VOCABULARY")
    offsets = np.concatenate([[0], np.cumsum(new_counts)])
    subset = SubsetRecords(records, kept, offsets, pairs[1].astype(np.int32))
    subset.note = (
        f"{len(records) - len(kept):,} of {len(records):,} posts left out: no label of VOCABULARY. {records.note}"
    )
    return subset
