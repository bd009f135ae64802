"""Training samples of a stream: each loader process makes those of its reader, from where the run (re)starts."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from torch.utils.data import IterableDataset, get_worker_info

from igdet.data.records import Records
from igdet.data.samples import TrainingSamples
from igdet.data.shard_stream import StreamReader, StreamSettings
from igdet.data.streamed_shards import StreamedShards
from igdet.utils.files import read_json_lines


@dataclass(frozen=True)
class Share:
    """What one process takes of each batch.

    Attributes:
        batch: samples of a batch, over all processes.
        start_batch: the first batch of this run.
        rank: this process, 0..world_size - 1.
        world_size: number of processes.
    """

    batch: int
    start_batch: int
    rank: int
    world_size: int


class StreamSamples(IterableDataset):
    """Endless training samples; batch b of a process is made by its loader process b modulo their number.

    A resumed run goes on exactly where it has as many processes and loader processes as before; with others it is a
    stream of its own, of the same posts.

    Args:
        shards: the posts.
        settings: how they are read.
        make_samples: makes training samples of records.
        share: what this process takes of each batch.
        journal: folder where the readers note how far they are, so that resuming need not read everything again.
    """

    def __init__(
        self,
        shards: StreamedShards,
        settings: StreamSettings,
        make_samples: Callable[[Records], TrainingSamples],
        share: Share,
        journal: Path,
    ):
        self._shards = shards
        self._settings = settings
        self._make_samples = make_samples
        self._share = share
        self._journal = journal

    def __iter__(self) -> Iterator[dict]:
        worker = get_worker_info()
        workers, first_batch = (worker.num_workers, worker.id) if worker else (1, 0)
        first_batch += self._share.start_batch
        number = self._share.rank * workers + first_batch % workers
        reader = StreamReader(self._shards, self._settings, number, self._share.world_size * workers)
        journal = Journal(self._journal / f"{reader.fingerprint()}.jsonl")
        draws = self._draws(first_batch, workers)
        wanted = first_batch // workers * (self._share.batch // self._share.world_size)  # what the reader gave before
        buffer_number, given = journal.last_before(wanted)
        for buffer, order in reader.buffers(buffer_number):
            journal.note(buffer_number, given)
            samples = self._make_samples(buffer)
            for index in order[max(0, wanted - given) :].tolist():
                yield samples[next(draws), index]
            buffer_number, given = buffer_number + 1, given + len(order)

    def _draws(self, first_batch: int, workers: int) -> Iterator[int]:
        """Number the draws as `NumberedSampler` does: over all processes, which take turns."""
        share = self._share
        for batch in count(first_batch, workers):
            yield from range(batch * share.batch + share.rank, (batch + 1) * share.batch, share.world_size)


class Journal:
    """How many samples a reader had given when it began each buffer, one line of JSON a buffer.

    Args:
        path: a file of this reader alone.
    """

    def __init__(self, path: Path):
        self._path = path
        self._noted = dict(read_json_lines(path))  # number of a buffer -> samples given before it

    def last_before(self, samples: int) -> tuple[int, int]:
        """Give the last buffer that began before so many samples were given, and how many were when it began."""
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
