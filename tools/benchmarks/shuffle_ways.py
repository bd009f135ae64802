"""Ways of shuffling posts that lie in shards: through the index, as a stream, and through a sliding buffer."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from igdet.data.draws.epoch import EpochList, EpochPlan
from igdet.data.draws.samplers import NumberedSampler
from igdet.data.draws.streams import StreamReader, StreamSettings
from igdet.formats.shards import StreamedPost, Summary

READERS, BATCH = 8, 256
SHARDS_AT_A_TIME, BUFFER = 16, 4096


class SimulatedShards:
    """Posts without images in shards that lie in memory: stands for `igdet.data.readers.shards.StreamedShards`.

    Args:
        ids: int32 (N, 2): the hashtags of the posts.
        size: posts in a shard.
    """

    def __init__(self, ids: np.ndarray, size: int):
        self.folder = Path("simulated")
        self.names = [str(first) for first in range(0, len(ids), size)]
        self.summary = Summary("", {name: (min(size, len(ids) - int(name)), 0) for name in self.names}, [], [])
        self.subset: list[int] = []
        self._ids = ids

    def is_taken(self, key: str) -> bool:
        """All posts are."""
        return True

    def expect(self, names: Sequence[str]) -> None:
        """Nothing has to be fetched."""

    def open(self, name: str) -> "SimulatedStream":
        """Open a shard: its name is its first post."""
        return SimulatedStream(int(name))

    def label_ids(self, post: StreamedPost) -> np.ndarray:
        """Return a post's hashtags."""
        return self._ids[int(post.key)]


class SimulatedStream:
    """A shard in memory: stands for `igdet.formats.shards.ShardStream`."""

    def __init__(self, first: int):
        self._next = first

    def read(self, count: int) -> list[StreamedPost]:
        """Return the next posts; a post's key is its number."""
        self._next += count
        return [StreamedPost(str(key), b"", []) for key in range(self._next - count, self._next)]

    def close(self) -> None:
        """There is nothing to close."""


def exact(_: np.ndarray, plan: EpochPlan, size: int, seed: int) -> np.ndarray:
    """The first epoch drawn through the index."""
    return NumberedSampler(EpochList(plan, seed), seed).records(0)


def streamed(ids: np.ndarray, plan: EpochPlan, size: int, seed: int, passes: int = 1) -> np.ndarray:
    """An epoch of the stream."""
    shards, settings = SimulatedShards(ids, size), StreamSettings(seed, plan.factors, SHARDS_AT_A_TIME, BUFFER, passes)
    readers = [_posts(StreamReader(shards, settings, reader, READERS)) for reader in range(READERS)]
    return _in_turn(readers, int(plan.block_ends[-1]) >> 24)


def sliding(ids: np.ndarray, plan: EpochPlan, size: int, seed: int) -> np.ndarray:
    """An epoch through sliding buffers: repeated posts enter the buffer one after the other."""
    rng = np.random.default_rng(seed)
    copies = (plan.factors[ids].max(axis=1) + rng.integers(2**24, size=len(ids))) >> 24
    shards = rng.permutation(np.arange(0, len(ids), size))
    readers = [_slide(shards[reader::READERS], size, copies, rng) for reader in range(READERS)]
    return _in_turn(readers, int(plan.block_ends[-1]) >> 24)


def _posts(reader: StreamReader) -> Iterator[int]:
    for buffer, order in reader.buffers():
        yield from (int(buffer.image_id(index)) for index in order)


def _slide(shards: np.ndarray, size: int, copies: np.ndarray, rng: np.random.Generator) -> Iterator[int]:
    buffer = []
    for first in shards:
        for post in np.repeat(np.arange(first, first + size), copies[first : first + size]).tolist():
            buffer.append(post)
            if len(buffer) > BUFFER:
                place = int(rng.integers(len(buffer)))
                buffer[place], buffer[-1] = buffer[-1], buffer[place]
                yield buffer.pop()
    yield from rng.permutation(buffer).tolist()


def _in_turn(readers: list[Iterator[int]], draws: int) -> np.ndarray:
    """A batch of each reader in turn, as a data loader takes them."""
    rounds = range(-(-draws // BATCH // READERS))
    return np.concatenate([list(islice(reader, BATCH)) for _ in rounds for reader in readers])[:draws].astype(np.int64)


WAYS = {
    "through the index": exact,
    "streamed": streamed,
    "streamed, 4 passes": partial(streamed, passes=4),
    "sliding buffer": sliding,
}
