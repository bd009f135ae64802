"""Posts in shards: by their index, or streamed without it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from igdet.data.draws.epoch import label_factors
from igdet.data.records import Records
from igdet.data.subsets import first_posts, name_hash
from igdet.formats.errors import DatasetError, RecordError
from igdet.formats.shards import (
    ShardError,
    ShardIndex,
    ShardReader,
    ShardStream,
    StreamedPost,
    Summary,
    check_sizes,
    read_summary,
)
from igdet.formats.shards.format import SUMMARY_NAME
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary
from igdet.sampling import count_by_rarest
from igdet.utils.files import atomic_write
from igdet.utils.hashing import sha256
from igdet.utils.messages import shown
from igdet.utils.object_stores import CachedStore, is_remote

ALL_HASHES = 2**64 - 1  # the largest there is


class ShardRecords(Records):
    """The posts of a folder of shards.

    Args:
        folder: the shards, their index and their vocabulary.

    Raises:
        ShardError: the folder is not whole.
        CacheError: what is kept of the index cannot be written.
        DatasetError: there is no post.
    """

    def __init__(self, folder: str):
        index = ShardIndex.open(folder)
        if not len(index):
            raise DatasetError(f"{folder}: its index lists no post; expected at least one")
        self.__setstate__(index)

    def __getstate__(self) -> ShardIndex:
        return self._index  # another process maps the columns itself

    def __setstate__(self, index: ShardIndex) -> None:
        super().__init__(index.label_offsets, index.label_ids)
        self._index = index
        self._reader = ShardReader(index)

    def kept(self, name: str) -> Path:
        """Keep what is computed of the posts beside the columns of their index."""
        return self._index.columns_folder / name

    def image_id(self, index: int) -> str:
        """Return the post's key."""
        return self._index.keys[index].as_py()

    def location(self, index: int) -> dict:
        """Return the shard, and where in it the image lies, in bytes."""
        shard = self._index.folder / self._index.shard_names[self._index.shard_of(index)]
        return {"shard": str(shard), "offset": int(self._index.offsets[index]), "size": int(self._index.sizes[index])}

    def read(self, index: int) -> bytes:
        """Read the image out of its shard."""
        try:
            return self._reader.read(index)
        except (ShardError, OSError) as error:
            raise RecordError(self.image_id(index), str(error)) from error


class StreamedShards:
    """A folder of shards that is only ever streamed.

    Args:
        folder: with the shards, their summary and their vocabulary; the index is used for `posts` alone. A path, or the
            address of an object store.
        posts: the first so many of the hash order are streamed; 0 for all.
        cache: bytes of a store's shards that are kept on the local disk.

    Attributes:
        summary: what is known of it.
        names: the shards.
        labels: canonical name -> label id.

    Raises:
        ShardError: the folder is not whole.
        StoreError: a store does not give a file.
        DatasetError: there is no post, or there are not so many.
    """

    def __init__(self, folder: str, posts: int = 0, cache: int = 0):
        self._store: CachedStore | None = None
        self.folder = Path(folder)
        if is_remote(folder):
            self._store = self._opened(CachedStore(folder, cache), posts)
            self.folder = self._store.folder
        self.summary: Summary = read_summary(self.folder, with_shards=self._store is None)
        if self._store and (listed := self._store.sizes()):
            check_sizes(self.summary, self._store.root, listed)
        self.names = list(self.summary.shards)
        if not self.names:
            raise DatasetError(f"{folder}: its summary lists no post; expected at least one")
        self._posts = posts
        self._last_hash = ALL_HASHES
        if posts:
            self._take_first(posts)
        self.labels = {name: i for i, name in enumerate(Vocabulary.read(self.folder / VOCABULARY_NAME).names)}

    @staticmethod
    def _opened(store: CachedStore, posts: int) -> CachedStore:
        """Fetch the small files, and make their digest the version of the shards."""
        if posts:
            raise DatasetError(
                f"{store.root}: POSTS is {posts}, but posts are counted by an index: stream a local copy"
            )
        small = {name: store.fetch(name).read_bytes() for name in (SUMMARY_NAME, VOCABULARY_NAME)}
        versioned = CachedStore(store.root, store.limit, sha256(b"".join(small.values()))[:16])
        for name, content in small.items():
            with atomic_write(versioned.folder / name) as file:
                file.write(content)
        return versioned

    def expect(self, names: Sequence[str]) -> None:
        """Have a store's shards fetched in the background: they are opened next."""
        if self._store:
            self._store.expect({name: self.summary.shards[name][1] for name in names})

    def __len__(self) -> int:
        return self._posts or sum(count for count, _ in self.summary.shards.values())

    @property
    def weighted(self) -> list[tuple["StreamedShards", float]]:
        """Itself, as the one part of a mixture."""
        return [(self, 1.0)]

    def label_counts(self, num_labels: int = 0) -> np.ndarray:
        """Count the posts that carry each label, int64 (L,)."""
        return np.array(self.summary.posts, np.int64)

    def label_factors(self, resampling: str, epoch_factor: float) -> np.ndarray:
        """Work out r(h) of every label, int64 (L,), in units of 2^-24: the same as with an index."""
        return label_factors(self.label_counts(), np.array(self.summary.rarest, np.int64), resampling, epoch_factor)

    def _take_first(self, posts: int) -> None:
        """Find the last hash that is taken, and count the labels of the posts up to there."""
        first = first_posts(ShardRecords(str(self.folder)), posts)
        self._last_hash = max(name_hash(first.image_id(i)) for i in range(posts))
        counts = first.label_counts(len(self.summary.posts))
        rarest = count_by_rarest(first.label_offsets, first.label_ids, counts)
        self.summary = replace(self.summary, posts=counts.tolist(), rarest=rarest.tolist())

    @property
    def subset(self) -> list[int]:
        """What decides on the posts that are taken; [] for all."""
        return [self._last_hash] if self._posts else []

    def is_taken(self, key: str) -> bool:
        """Whether a post is among the first that are streamed."""
        return self._last_hash == ALL_HASHES or name_hash(key) <= self._last_hash

    def check_shared_by(self, readers: int) -> None:
        """Refuse more readers than there are shards, one of which would have nothing to read.

        Raises:
            DatasetError: there are more.
        """
        if readers > len(self.names):
            raise DatasetError(
                f"{self.folder}: {len(self.names)} shards cannot be shared by {readers} readers; lower "
                "DATALOADER.NUM_WORKERS, STREAM_RANKS or STREAM_WORKERS, or write more and smaller shards"
            )

    def open(self, name: str) -> ShardStream:
        """Open one of the shards."""
        if not self._store:
            return ShardStream(self.folder / name)
        return ShardStream(f"{self._store.root}/{name}", self._store.open(name, self.summary.shards[name][1]))

    def label_ids(self, post: StreamedPost) -> np.ndarray:
        """Return the label ids of a post, int32 (k,), ascending, as the index has them.

        Raises:
            ShardError: a hashtag is outside of the vocabulary, or there is none.
        """
        try:
            ids = sorted(self.labels[name] for name in post.hashtags)
        except KeyError as error:
            raise ShardError(f"{self.folder}: post {post.key} has {error}, which {VOCABULARY_NAME} lacks") from None
        if not ids:
            raise ShardError(f"{self.folder}: post {post.key} has no hashtag; write the shards again")
        return np.array(ids, np.int32)


class StreamMixture:
    """Several folders of shards of the same labels, streamed side by side.

    Args:
        parts: the folders.
        weights: > 0, one each: how often each is drawn from, beside the others.

    Attributes:
        weighted: each folder with its weight.
        labels: canonical name -> label id.

    Raises:
        DatasetError: there are not as many weights, one is not above 0, a folder comes twice, or labels differ.
    """

    def __init__(self, parts: Sequence[StreamedShards], weights: Sequence[float]):
        if not parts or len(weights) != len(parts) or not all(map(_is_weight, weights)):
            raise DatasetError(
                f"WEIGHTS is {shown(list(weights))} for {len(parts)} ROOTS: expected a number above 0 for each, one "
                "folder at least"
            )
        folders = [part.folder for part in parts]
        for number, part in enumerate(parts):
            if part.folder in folders[:number]:
                raise DatasetError(f"ROOTS names {part.folder} twice: name it once, with the sum of its weights")
            if list(part.labels) != list(parts[0].labels):
                raise DatasetError(
                    f"{part.folder} has other labels than {parts[0].folder}: write both with one {VOCABULARY_NAME}"
                )
        self.weighted = list(zip(parts, weights, strict=True))
        self.labels = parts[0].labels

    def __len__(self) -> int:
        return sum(len(part) for part, _ in self.weighted)

    def label_counts(self) -> np.ndarray:
        """Count the posts that carry each label, int64 (L,)."""
        return np.sum([part.label_counts() for part, _ in self.weighted], axis=0)


def _is_weight(weight: object) -> bool:
    return isinstance(weight, int | float) and not isinstance(weight, bool) and 0 < weight < math.inf
