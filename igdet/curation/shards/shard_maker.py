"""Making one shard, or finding that it is made already: checked by reading it back, every post counted."""

import hashlib
import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, NamedTuple, cast

import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.images import BAD_REASONS
from igdet.curation.pace import Pace
from igdet.curation.shards.labelled_posts import ShardingError
from igdet.curation.shards.part import KEPT, SCHEMA, facts_of, part_path, read_part, with_facts, write_part
from igdet.curation.shards.place import Place
from igdet.curation.shards.preparing import Prepared, Preparer, ShardSettings
from igdet.formats.shards.format import FORMAT_VERSION, SHARD_NAME
from igdet.formats.shards.writer import write_shard
from igdet.utils.errors import too_many
from igdet.utils.hashing import sha256
from igdet.utils.stored_folder import Facts

MAKER_VERSION = "2"  # to be raised whenever the same posts and settings give other bytes
_READ_AHEAD = 16  # images for each thread


@dataclass
class Tally:
    """What became of the posts.

    Attributes:
        posts: as far as they were looked at.
        kept: posts in shards.
        left_out: number of posts by reason: a key of `igdet.curation.images.REASONS`, or the name of a list.
        without_restarts: posts in shards whose image could not be given the restart markers that were asked for.
        shards_made: shards written by this run.
        shards_found: shards that an earlier run had finished.
        pace: how fast the others are made.
        stored: files in a store: address -> what was written.
    """

    posts: int = 0
    kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    without_restarts: int = 0
    shards_made: int = 0
    shards_found: int = 0
    pace: Pace = field(default_factory=lambda: Pace("shards"))
    stored: dict[str, Facts] = field(default_factory=dict)

    def add(self, part: pa.Table, is_new: bool) -> None:
        """Count a shard.

        Args:
            part: its record, see `igdet.curation.shards.part`.
            is_new: whether this run wrote it.
        """
        counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(part["reason"]).to_pylist()}
        self.posts += len(part)
        self.kept += counts.pop(KEPT, 0)
        self.left_out.update(counts)
        self.without_restarts += _kept(part)["has_restarts"].to_pylist().count(False)
        self.shards_made += is_new
        self.shards_found += not is_new

    @property
    def bad(self) -> int:
        """The number of posts whose image is bad."""
        return sum(count for reason, count in self.left_out.items() if reason in BAD_REASONS)


def _kept(part: pa.Table) -> pa.Table:
    return part.filter(pc.equal(part["reason"], KEPT))


def bad_posts(posts: list[dict], part: pa.Table) -> list[dict]:
    """Name the posts whose image is bad: id, image, reason and why; posts on a list are not named."""
    return [
        {"id": post["id"], "image": post["image"], "reason": reason, "why": why}
        for post, reason, why in zip(posts, part["reason"].to_pylist(), part["why"].to_pylist(), strict=True)
        if reason in BAD_REASONS
    ]


def check_shard(shard: Path, kept: pa.Table, names: Sequence[str]) -> None:
    """Compare a shard on the disk with its record.

    Args:
        shard: the tar.
        kept: the rows of its record whose posts are in the shard.
        names: the canonical name of each label, by label id.

    Raises:
        ShardingError: the shard holds something else.
    """
    with tarfile.open(shard, "r:") as tar:
        members = list(tar)
        expected = [f"{key}.{suffix}" for key in kept["key"].to_pylist() for suffix in ("jpg", "json")]
        if [member.name for member in members] != expected:
            raise ShardingError(f"{shard} does not hold the {len(kept)} posts written to it; {_ADVICE}")
        for row, image, labels in zip(kept.to_pylist(), members[::2], members[1::2], strict=True):
            data, said = (cast(IO[bytes], tar.extractfile(member)).read() for member in (image, labels))
            found = (image.offset_data, len(data), sha256(data), json.loads(said)["hashtags"])
            hashtags = [names[label] for label in row["labels"]]
            if found != (row["offset"], row["size"], row["image_sha256"], hashtags):
                raise ShardingError(f"{shard}: post {row['key']} came back changed; {_ADVICE}")


_ADVICE = "check the disk and run again"


class MadeShard(NamedTuple):
    """A finished shard.

    Attributes:
        name: of the tar.
        part: its record, see `igdet.curation.shards.part`.
        bad: posts whose image is bad: id, image, reason and why.
        is_new: whether it was made just now.
    """

    name: str
    part: pa.Table
    bad: list[dict]
    is_new: bool

    @property
    def facts(self) -> Facts:
        """Size and hash of the tar; see `igdet.curation.shards.part.facts_of`."""
        return facts_of(self.part)

    @property
    def kept(self) -> pa.Table:
        """The rows of the posts that are in the shard."""
        return _kept(self.part)


@dataclass(frozen=True)
class ShardMaker:
    """Makes shards; can be sent to other processes and machines.

    Attributes:
        place: where the shards go.
        names: the canonical name of each label, by label id.
        settings: how shards are made.
        preparer: gives the posts' images.
        earlier: where shards of an earlier curation lie, which are taken over as they are.
    """

    place: Place
    names: Sequence[str]
    settings: ShardSettings
    preparer: Preparer
    earlier: Place | None = None

    def make(self, number: int, table: pa.Table) -> MadeShard:
        """Make a shard, unless an earlier run, or the earlier curation, has made the same one.

        Args:
            number: of the shard, from 0.
            table: its posts, with the columns of `igdet.curation.shards.labelled_posts.SCHEMA`.

        Raises:
            ShardingError: the shard does not come back as it was written.
            StoreError: a store does not take the shard.
            OSError: the disk is full or not writable; the folder then has no index.
        """
        name, posts = SHARD_NAME.format(number), table.to_pylist()
        found = self._found(self.place, name, posts)
        if found is None and self.earlier:
            found = self._take_over(self.earlier, name, posts)
        part = self._make_again(name, posts) if found is None else found
        return MadeShard(name, part, bad_posts(posts, part), is_new=found is None)

    def _found(self, place: Place, name: str, posts: list[dict]) -> pa.Table | None:
        """Return the record of a shard that lies somewhere just as it would be made."""
        part = read_part(part_path(place.folder, name), self._digest(place, posts))
        if part is None or not place.has(name, facts_of(part)):
            return None
        return part if all(map(self.preparer.is_current, posts, part.to_pylist())) else None

    def _take_over(self, earlier: Place, name: str, posts: list[dict]) -> pa.Table | None:
        part = self._found(earlier, name, posts)
        if part is None:
            return None
        record = self._begin(name)
        part = with_facts(part, self._digest(self.place, posts), self.place.take(earlier, name, facts_of(part)))
        write_part(record, part)
        return part

    def _make_again(self, name: str, posts: list[dict]) -> pa.Table:
        record = self._begin(name)
        with self.place.workshop() as folder:
            part = self._write_checked(folder / name, posts)
            part = with_facts(part, self._digest(self.place, posts), self.place.keep(folder / name))
        # Where most images are bad, a server or a disk may be away: such a shard is tried again at the next run.
        if not too_many(len(bad_posts(posts, part)), len(posts), self.settings.max_bad_share):
            write_part(record, part)
        return part

    def _begin(self, name: str) -> Path:
        """Remove what speaks of an old shard: should this process be killed, nothing may vouch for half of both.

        Returns:
            Where the record of the new one goes.
        """
        self.place.retract()
        record = part_path(self.place.folder, name)
        record.unlink(missing_ok=True)
        return record

    def _write_checked(self, shard: Path, posts: list[dict]) -> pa.Table:
        part = pa.Table.from_pylist(self._write(shard, posts), schema=SCHEMA)
        kept = _kept(part)
        if len(kept):
            check_shard(shard, kept, self.names)
        else:
            shard.unlink(missing_ok=True)
        return part

    def _write(self, shard: Path, posts: list[dict]) -> list[dict]:
        records = []
        with write_shard(shard, self.names) as tar:
            for record, image in self._prepared(posts):
                if image is not None:
                    tar.add(record["key"], image, record["labels"])
                    record |= {name: tar.rows[-1][name] for name in ("offset", "size")}
                records.append(record)
        return records

    def _prepared(self, posts: list[dict]) -> Iterator[Prepared]:
        """Prepare posts in order, with several threads some ahead."""
        threads = self.settings.reads_at_a_time
        if threads == 1:  # a second thread would take turns with this one, which makes small images slower by half
            yield from map(self.preparer.prepare, posts)
            return
        step = threads * _READ_AHEAD
        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(posts), step):
                yield from pool.map(self.preparer.prepare, posts[start : start + step])

    def _digest(self, place: Place, posts: list[dict]) -> str:
        """Return a fingerprint of everything that decides on the shard's bytes, but for the image files and lists."""
        made_of: list[object] = [FORMAT_VERSION, MAKER_VERSION, asdict(self.settings.cleaning)]
        made_of += [self.preparer.salt.hex(), self.preparer.source.web.respect_noai]
        made_of += [place.root] if place.root else []  # elsewhere an older shard may be as long
        made_of += [[post["id"], post["image"], [(i, self.names[i]) for i in post["labels"]]] for post in posts]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
