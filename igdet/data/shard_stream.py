"""Posts of shards in random order without an index: what one reader, of several, takes from the stream.

The shards are put in a new random order every epoch and dealt out to the readers. A reader opens some at a time and
reads them side by side, some posts of each, into a buffer; it empties the buffer in random order, each post as often
as it is replicated, and fills it again. So a buffer depends on the seed and its place in the stream only, and a
resumed run begins with the buffer at which it stopped.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from itertools import count

import numpy as np

from igdet.data.epoch_plan import FRACTION_BITS
from igdet.data.permutation import ROUNDS, Permutation
from igdet.data.randomness import Stream, generator, hashed, keys, name_number
from igdet.data.records import Records
from igdet.data.streamed_shards import StreamedShards
from igdet.shards import StreamedPost


class Buffer(Records):
    """The posts of a reader's buffer, as records that are read from memory."""

    def __init__(self, posts: list[StreamedPost], labels: list[np.ndarray]):
        super().__init__(np.cumsum([0, *map(len, labels)]), np.concatenate(labels))
        self._posts = posts

    def image_id(self, index: int) -> str:
        """Give the post's key."""
        return self._posts[index].key

    def location(self, index: int) -> dict:
        """A post in memory has no place on the disk."""
        return {}

    def read(self, index: int) -> bytes:
        """Give the picture."""
        return self._posts[index].picture


@dataclass(frozen=True)
class StreamSettings:
    """How a stream is read.

    Attributes:
        seed: the run's seed, >= 0.
        factors: int64 (L,): r(h) in units of 2^-24.
        shards_at_a_time: shards that a reader has open, >= 1.
        buffer: posts that a reader holds in memory, at least one of each open shard.
        passes: how often the shards are read in an epoch, >= 1; a post's copies are shared among them.
    """

    seed: int
    factors: np.ndarray
    shards_at_a_time: int
    buffer: int
    passes: int = 1


class StreamReader:
    """One of the readers of a stream, which share the shards of every epoch among them.

    Args:
        shards: the posts.
        settings: how they are read.
        reader: which of the readers this is, 0..readers - 1.
        readers: their number, at most that of the shards.
    """

    def __init__(self, shards: StreamedShards, settings: StreamSettings, reader: int, readers: int):
        self._shards = shards
        self._settings = settings
        self._reader = reader
        self._readers = readers

    def fingerprint(self) -> str:
        """Name everything that decides on what this reader gives."""
        settings = asdict(self._settings) | {"factors": self._settings.factors.tolist()}
        made_of = [settings, self._shards.summary.shards, self._reader, self._readers]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]

    def buffers(self, first: int = 0) -> Iterator[tuple[Buffer, np.ndarray]]:
        """Fill buffers without end.

        Args:
            first: number of the first buffer; those before it are not read.

        Yields:
            the posts, and int64 (n,): which of them to show, in order, each as often as it is replicated.
        """
        number = 0
        for turn in count():  # a pass over the shards
            for names in self._side_by_side(turn):
                share = max(1, self._settings.buffer // len(names))
                parts = max(-(-self._posts(name) // share) for name in names)
                for part, posts in self._fill(names, share, parts, max(0, first - number)):
                    yield self._buffer(posts, turn, number + part)
                number += parts

    def _side_by_side(self, turn: int) -> list[list[str]]:
        """The shards of this reader in a pass, in groups that are open together."""
        seed, names = self._settings.seed, self._shards.names
        order = Permutation(len(names), keys(seed, Stream.SHARD_ORDER, turn, ROUNDS))
        mine = [names[i] for i in order(np.arange(self._reader, len(names), self._readers))]
        step = self._settings.shards_at_a_time
        return [mine[start : start + step] for start in range(0, len(mine), step)]

    def _posts(self, name: str) -> int:
        return self._shards.summary.shards[name][0]

    def _fill(self, names: list[str], share: int, parts: int, first: int) -> Iterator[tuple[int, list[StreamedPost]]]:
        if first >= parts:
            return
        with ExitStack() as stack:
            streams = [stack.enter_context(closing(self._shards.open(name))) for name in names]
            left = [self._posts(name) for name in names]
            for part in range(parts):
                counts = [min(share, posts) for posts in left]
                left = [posts - taken for posts, taken in zip(left, counts, strict=True)]
                pairs = zip(streams, counts, strict=True)
                if part >= first:
                    yield part, [post for stream, taken in pairs for post in stream.read(taken)]
                else:
                    for stream, taken in pairs:
                        stream.skip(taken)

    def _buffer(self, posts: list[StreamedPost], turn: int, number: int) -> tuple[Buffer, np.ndarray]:
        labels = [self._shards.label_ids(post) for post in posts]
        factors = np.array([self._settings.factors[ids].max() for ids in labels])
        copies = self._copies(factors, [post.key for post in posts], turn)
        order = np.repeat(np.arange(len(posts)), copies)
        generator(self._settings.seed, Stream.BUFFER_ORDER, number * self._readers + self._reader).shuffle(order)
        return Buffer(posts, labels), order

    def _copies(self, factors: np.ndarray, names: list[str], turn: int) -> np.ndarray:
        """Round the factors of some posts, up with the probability of the fraction, and give the share of one pass.

        Pass p of P gives floor((p + 1) r / P + u) - floor(p r / P + u) copies: over an epoch, floor(r + u).
        """
        epoch, step = divmod(turn, self._settings.passes)
        [key] = keys(self._settings.seed, Stream.ROUNDING, epoch)
        chances = hashed(key, np.array([name_number(name) for name in names], np.uint64))
        u = (chances >> np.uint64(64 - FRACTION_BITS)).astype(np.int64)
        before, after = (factors * k // self._settings.passes + u >> FRACTION_BITS for k in (step, step + 1))
        return after - before
