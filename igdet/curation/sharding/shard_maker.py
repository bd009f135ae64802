"""Making one shard, or finding that it is made already."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.sharding.checking import check_shard
from igdet.curation.sharding.part import KEPT, SCHEMA, part_path, read_part, write_part
from igdet.curation.sharding.preparing import Prepared, Preparer
from igdet.curation.sharding.settings import ShardSettings
from igdet.curation.sharding.tally import bad_posts
from igdet.shards.format import FORMAT_VERSION, INDEX_NAME, SHARD_NAME
from igdet.shards.tar import write_shard
from igdet.utils.bad_share import too_many

MAKER_VERSION = "2"  # to be raised whenever the same posts and settings give other bytes
_READ_AHEAD = 16  # pictures for each thread


class MadeShard(NamedTuple):
    """A finished shard.

    Attributes:
        name: of the tar.
        part: its record, see `igdet.curation.sharding.part`.
        bad: posts whose picture is bad: id, image, reason and why.
        is_new: whether it was made just now.
    """

    name: str
    part: pa.Table
    bad: list[dict]
    is_new: bool

    @property
    def kept(self) -> pa.Table:
        """The rows of the posts that are in the shard."""
        return self.part.filter(pc.equal(self.part["reason"], KEPT))


@dataclass(frozen=True)
class ShardMaker:
    """Makes shards; can be sent to other processes.

    Attributes:
        folder: where the shards go.
        names: the canonical name of each label, by label id.
        settings: how shards are made.
        preparer: gives the posts' pictures.
    """

    folder: Path
    names: Sequence[str]
    settings: ShardSettings
    preparer: Preparer

    def make(self, number: int, table: pa.Table) -> MadeShard:
        """Make a shard, unless an earlier run has made the same one.

        Args:
            number: of the shard, from 0.
            table: its posts, with the columns of `igdet.curation.sharding.labelled_posts.SCHEMA`.

        Raises:
            ShardingError: the shard does not come back as it was written.
            OSError: the disk is full or not writable; the folder then has no index.
        """
        shard, posts = self.folder / SHARD_NAME.format(number), table.to_pylist()
        digest = self._digest(posts)
        part = read_part(shard, digest)
        is_new = part is None or not all(map(self.preparer.is_current, posts, part.to_pylist()))
        if is_new:
            part = self._make_anew(shard, posts, digest)
        return MadeShard(shard.name, part, bad_posts(posts, part), is_new)

    def _make_anew(self, shard: Path, posts: list[dict], digest: str) -> pa.Table:
        # What speaks of the old shard goes first: should this process be killed, nothing may vouch for half of both.
        (shard.parent / INDEX_NAME).unlink(missing_ok=True)
        part_path(shard).unlink(missing_ok=True)
        part = pa.Table.from_pylist(self._write(shard, posts), schema=SCHEMA)
        kept = part.filter(pc.equal(part["reason"], KEPT))
        if len(kept):
            check_shard(shard, kept, self.names)
        else:
            shard.unlink()
        # Where most pictures are bad, a server or a disk may be away: such a shard is tried again at the next run.
        if not too_many(len(bad_posts(posts, part)), len(posts), self.settings.max_bad_share):
            write_part(shard, part, digest)
        return part

    def _write(self, shard: Path, posts: list[dict]) -> list[dict]:
        records = []
        with write_shard(shard, self.names) as tar:
            for record, picture in self._prepared(posts):
                if picture is not None:
                    tar.add(record["key"], picture, record["hashtags"])
                    record |= {name: tar.rows[-1][name] for name in ("offset", "size")}
                records.append(record)
        return records

    def _prepared(self, posts: list[dict]) -> Iterator[Prepared]:
        """Prepare posts in order, with several threads some ahead."""
        threads = self.settings.reads_at_a_time
        if threads == 1:  # a second thread would take turns with this one, which makes small pictures slower by half
            yield from map(self.preparer.prepare, posts)
            return
        step = threads * _READ_AHEAD
        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(posts), step):
                yield from pool.map(self.preparer.prepare, posts[start : start + step])

    def _digest(self, posts: list[dict]) -> str:
        """Give a fingerprint of everything that decides on the shard's bytes, but for the picture files and lists."""
        made_of = [FORMAT_VERSION, MAKER_VERSION, asdict(self.settings.pictures), self.preparer.salt.hex()]
        made_of.append(self.preparer.source.web.respect_noai)
        made_of += [[post["id"], post["image"], [(i, self.names[i]) for i in post["labels"]]] for post in posts]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
