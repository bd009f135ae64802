"""Training samples of shards without an index: what one reader of several takes, from where the run (re)starts."""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from igdet.data.draws.epoch import FRACTION_BITS
from igdet.data.draws.randomness import ROUNDS, Permutation, Stream, generator, hashed, keys, name_number, uniform
from igdet.data.readers.shards import StreamedShards
from igdet.data.records import Records
from igdet.data.samples import TrainingSamples
from igdet.formats.shards import StreamedPost
from igdet.utils.files import read_json_lines

_COUNTED = 2**20  # draws at a time


class Buffer(Records):
    """The posts of a reader's buffer, as records that are read from memory."""

    def __init__(self, posts: list[StreamedPost], labels: list[np.ndarray]):
        super().__init__(np.cumsum([0, *map(len, labels)]), np.concatenate(labels))
        self._posts = posts

    def image_id(self, index: int) -> str:
        """Return the post's key."""
        return self._posts[index].key

    def location(self, index: int) -> dict:
        """A post in memory has no place on the disk."""
        return {}

    def read(self, index: int) -> bytes:
        """Return the image."""
        return self._posts[index].image


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
        made_of = [settings, self._shards.summary.shards, self._reader, self._readers, *self._shards.subset]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]

    def buffers(self, first: int = 0) -> Iterator[tuple[Buffer, np.ndarray]]:
        """Fill buffers without end.

        Args:
            first: number of the first buffer; those before it are not read.

        Yields:
            the posts, and int64 (n,): which of them to show, in order, each as often as it is replicated.
        """
        number = 0
        for (turn, names), (_, following) in pairwise(self._groups()):
            # Each open shard gives an equal share of every buffer, and the longest of them says how many buffers a
            # group fills. That follows from the summary alone: buffers are numbered before anything is read.
            share = max(1, self._settings.buffer // len(names))
            parts = max(-(-self._posts(name) // share) for name in names)
            if first < number + parts:
                self._shards.expect(names)
                self._shards.expect(following)
            for part, posts in self._fill(names, share, parts, max(0, first - number)):
                yield self._buffer(posts, turn, number + part)
            number += parts

    def _groups(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the shards that are open together, each time with the number of the pass over all, without end."""
        for turn in count():
            for names in self._side_by_side(turn):
                yield turn, names

    def _side_by_side(self, turn: int) -> list[list[str]]:
        """The shards of this reader in a pass, in groups that are open together."""
        seed, names = self._settings.seed, self._shards.names
        order = Permutation(len(names), keys(seed, Stream.SHARD_ORDER, turn, ROUNDS))
        # Every R-th of one order that all readers compute: a pass reads each shard once, and no reader asks another.
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
        # A post that is not among the first POSTS is read with its shard, and shown no time.
        taken = np.array([self._shards.is_taken(post.key) for post in posts])
        factors = taken * np.array([self._settings.factors[ids].max() for ids in labels])
        copies = self._copies(factors, [post.key for post in posts], turn)
        order = np.repeat(np.arange(len(posts)), copies)
        generator(self._settings.seed, Stream.BUFFER_ORDER, number * self._readers + self._reader).shuffle(order)
        return Buffer(posts, labels), order

    def _copies(self, factors: np.ndarray, names: list[str], turn: int) -> np.ndarray:
        """Round the factors of some posts, up with the probability of the fraction, and give the share of one pass.

        Pass p of P gives floor((p + 1) r / P + u) - floor(p r / P + u) copies: over an epoch, floor(r + u).
        """
        epoch, step = divmod(turn, self._settings.passes)
        # u is a hash of the post's name, not of its place: whichever reader has the post, its passes round as one.
        [key] = keys(self._settings.seed, Stream.ROUNDING, epoch)
        chances = hashed(key, np.array([name_number(name) for name in names], np.uint64))
        u = (chances >> np.uint64(64 - FRACTION_BITS)).astype(np.int64)
        before, after = (factors * k // self._settings.passes + u >> FRACTION_BITS for k in (step, step + 1))
        return after - before


@dataclass(frozen=True)
class Share:
    """What one process takes of each batch, and the readers that all batches are put together from.

    Sample s of batch b comes from reader (s mod `ranks`, b mod `workers`), whichever process makes it. So batches do
    not depend on how many processes there are, as long as their number divides `ranks`, and that of their loader
    processes `workers`: then no reader is needed by two of them.

    Attributes:
        batch: samples of a batch, over all processes; a multiple of `ranks`.
        start_batch: the first batch of this run.
        rank: this process, 0..world_size - 1.
        world_size: number of processes.
        ranks: readers that share a batch.
        workers: readers that take turns.
    """

    batch: int
    start_batch: int
    rank: int
    world_size: int
    ranks: int
    workers: int


class Source(NamedTuple):
    """A stream that draws are taken from.

    Attributes:
        shards: the posts.
        settings: how they are read.
        make_samples: makes training samples of records.
        weight: > 0: how often it is drawn from, beside the other sources' weights.
    """

    shards: StreamedShards
    settings: StreamSettings
    make_samples: Callable[[Records], TrainingSamples]
    weight: float = 1.0


class StreamSamples(IterableDataset):
    """Endless training samples; batch b of a process is made by its loader process b modulo their number.

    Args:
        sources: at least one; which of several a draw is taken from, its number and the seed say.
        share: what this process takes of each batch.
        journal: folder where the readers note how far they are, so that resuming need not read everything again.
    """

    def __init__(self, sources: Sequence[Source], share: Share, journal: Path):
        self._sources = sources
        self._share = share
        self._journal = journal
        weights = np.cumsum([source.weight for source in sources])
        self._ends = weights / weights[-1]
        [self._key] = keys(sources[0].settings.seed, Stream.SOURCE, 0)

    def __iter__(self) -> Iterator[dict]:
        share, worker = self._share, get_worker_info()
        workers, first_batch = (worker.num_workers, worker.id) if worker else (1, 0)
        # PyTorch takes batches from its processes in turn, so process w makes batches w, w + workers, ... of this run.
        readers: dict[tuple[int, int, int], Iterator[tuple[TrainingSamples, int]]] = {}
        for draws in self._draws(share.start_batch + first_batch, workers):
            for draw, source in zip(draws.tolist(), self._chosen(draws).tolist(), strict=True):
                batch, slot = divmod(draw, share.batch)
                place = source, slot % share.ranks, batch % share.workers
                if place not in readers:
                    readers[place] = self._read(*place)
                samples, index = next(readers[place])
                yield samples[draw, index]

    def _read(self, source: int, rank: int, worker: int) -> Iterator[tuple[TrainingSamples, int]]:
        """Yield what a reader gives from the first batch of this run on: samples, and which of them."""
        share, (shards, settings, make_samples, _) = self._share, self._sources[source]
        reader = StreamReader(shards, settings, rank * share.workers + worker, share.ranks * share.workers)
        journal = Journal(self._journal / f"{reader.fingerprint()}.jsonl")
        wanted = self._given_before(source, rank, worker)
        number, given = journal.last_before(wanted)
        for buffer, order in reader.buffers(number):
            journal.note(number, given)
            samples = make_samples(buffer)
            yield from ((samples, index) for index in order[max(0, wanted - given) :].tolist())
            number, given = number + 1, given + len(order)

    def _given_before(self, source: int, rank: int, worker: int) -> int:
        """Count what a reader has given before the first batch of this run."""
        share = self._share
        batches, samples = range(worker, share.start_batch, share.workers), np.arange(rank, share.batch, share.ranks)
        if len(self._sources) == 1:
            return len(batches) * len(samples)
        step = max(1, _COUNTED // len(samples))
        parts = (np.array(batches[start : start + step]) for start in range(0, len(batches), step))
        return sum(int((self._chosen(np.add.outer(part * share.batch, samples)) == source).sum()) for part in parts)

    def _chosen(self, draws: np.ndarray) -> np.ndarray:
        """Return which source each draw is taken from, int64."""
        return np.searchsorted(self._ends, uniform(self._key, draws), side="right")

    def _draws(self, first_batch: int, workers: int) -> Iterator[np.ndarray]:
        """Number the draws of each batch as `NumberedSampler` does: over all processes, which take turns."""
        share = self._share
        for batch in count(first_batch, workers):
            yield np.arange(batch * share.batch + share.rank, (batch + 1) * share.batch, share.world_size)


class Journal:
    """How many samples a reader had given when it began each buffer, one line of JSON a buffer.

    Args:
        path: a file of this reader alone.
    """

    def __init__(self, path: Path):
        self._path = path
        self._noted = dict(read_json_lines(path))  # number of a buffer -> samples given before it

    def last_before(self, samples: int) -> tuple[int, int]:
        """Return the last buffer that began before so many samples were given, and how many were when it began."""
        numbers = sorted(self._noted)
        place = bisect_right([self._noted[number] for number in numbers], samples)
        return (numbers[place - 1], self._noted[numbers[place - 1]]) if place else (0, 0)

    def note(self, number: int, samples: int) -> None:
        """Add a line; what is noted already, before a run was broken off, is not noted again."""
        if number not in self._noted:
            self._noted[number] = samples
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([number, samples]) + "\n")
