"""Where shards lie: in the output folder, beside their records, or in an object store; how the two differ."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from uuid import uuid4

from igdet.curation.shards.labelled_posts import ShardingError
from igdet.curation.shards.part import FOLDER
from igdet.formats.shards.format import INDEX_NAME, SHARD_PATTERN, SUMMARY_NAME
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.utils.files import atomic_write, link_or_copy
from igdet.utils.object_stores import FULL, WAITS, StoreError
from igdet.utils.scratch import scratch_folder
from igdet.utils.stored_folder import Facts, StoredFolder

STORE_NAME = "store.txt"  # among the records: the address of the shards, where a store has them
OWNER_NAME = "owner.txt"  # a random text, the same among the records and in the store: whose shards these are
_AT_START = WAITS[:3]  # seconds between attempts: whoever starts a run waits for its first error
PUBLISHED = (VOCABULARY_NAME, INDEX_NAME, SUMMARY_NAME)  # beside the shards, in the order in which a store gets them


@dataclass(frozen=True)
class Place:
    """The output folder of the shards, which holds them too; can be sent to other processes.

    Attributes:
        folder: with the records, the index, the summary and the vocabulary.
    """

    folder: Path

    @property
    def root(self) -> str:
        """The address of a store, which tells its shards from others; "" for the output folder."""
        return ""

    def check(self) -> None:
        """Refuse, without writing anything, what cannot hold the shards of this curation.

        Raises:
            StoreError: it cannot be read, or another curation writes there.
        """

    def claim(self) -> "Place":
        """Take the place for this curation, and return it with what is known of it from then on.

        Raises:
            StoreError: it cannot be written, or another curation writes there.
        """
        (self.folder / FOLDER / STORE_NAME).unlink(missing_ok=True)
        return self

    def shards(self) -> list[str]:
        """Return the names of the shards that are there."""
        return sorted(path.name for path in self.folder.glob(SHARD_PATTERN))

    def has(self, shard: str, facts: Facts) -> bool:
        """Whether a shard is there as its record says."""
        return _size(self.folder / shard) == facts.bytes

    @contextmanager
    def workshop(self) -> Iterator[Path]:
        """Yield the folder of a file system in which shards are written and checked."""
        yield self.folder

    def keep(self, shard: Path) -> Facts:
        """Put a shard of the workshop, or none where it has no post, into its place."""
        return Facts(_size(shard), "")

    def take(self, earlier: "Place", shard: str, facts: Facts) -> Facts:
        """Let a shard of an earlier curation be in its place here too.

        Args:
            earlier: where it lies.
            shard: its name.
            facts: what its record says of it; of a shard without a post that there is no file.
        """
        (self.folder / shard).unlink(missing_ok=True)
        if facts.bytes:
            earlier.give(shard, facts, self.folder / shard)
        return facts._replace(sha256="")

    def give(self, shard: str, facts: Facts, path: Path) -> None:
        """Let a shard, of which its record says the facts, be in another file too."""
        link_or_copy(self.folder / shard, path)

    def remove(self, shard: str) -> None:
        """Remove a shard."""
        (self.folder / shard).unlink()

    def retract(self) -> None:
        """Remove what speaks of all shards, before one of them changes."""
        (self.folder / INDEX_NAME).unlink(missing_ok=True)

    def publish(self, shards: Mapping[str, Facts]) -> dict[str, Facts]:
        """Put what speaks of all shards beside them.

        Args:
            shards: those that are there, by name.

        Returns:
            Address -> facts, of these and all beside them; empty where they lie in the output folder.
        """
        return {}


@dataclass(frozen=True)
class StoredPlace(Place):
    """A folder of an object store; records stay in the output folder, and so do copies of index and summary.

    Attributes:
        store: the folder.
    """

    store: StoredFolder

    @property
    def root(self) -> str:
        return self.store.root

    def check(self) -> None:
        self._check_owner(replace(self.store, waits=_AT_START).read(OWNER_NAME))

    def claim(self) -> Place:
        if not _read(self.folder, OWNER_NAME):
            _write(self.folder, OWNER_NAME, uuid4().hex)
        if self.store.read(OWNER_NAME) is None:
            self.store.create(OWNER_NAME, _read(self.folder, OWNER_NAME).encode())
        self._check_owner(self.store.read(OWNER_NAME))
        _write(self.folder, STORE_NAME, self.root)
        return replace(self, store=replace(self.store, has_md5=self.store.knows_md5(OWNER_NAME)))

    def _check_owner(self, owner: bytes | None) -> None:
        if owner is not None and owner != _read(self.folder, OWNER_NAME).encode():
            raise StoreError(
                f"SHARDS.TO: another curation than that of {self.folder} has written to {self.root}; name "
                f"another folder, or remove {self.store.address(OWNER_NAME)} if that one is over"
            )

    def shards(self) -> list[str]:
        return sorted(name for name in self.store.sizes() if fnmatchcase(name, SHARD_PATTERN))

    def has(self, shard: str, facts: Facts) -> bool:
        return (self.store.size(shard) or 0) == facts.bytes

    @contextmanager
    def workshop(self) -> Iterator[Path]:
        try:
            with scratch_folder("shards") as folder:
                yield folder
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise ShardingError(
                f"{error.strerror}: shards are made on the local disk before they go to {self.root}; set TMPDIR "
                "to a folder with room for one shard for each process, and run again"
            ) from error

    def keep(self, shard: Path) -> Facts:
        if shard.exists():
            return self.store.upload(shard)
        self.store.remove(shard.name)
        return Facts(0, "")

    def take(self, earlier: Place, shard: str, facts: Facts) -> Facts:
        if isinstance(earlier, StoredPlace) and self.store.is_beside(earlier.store):
            self.store.copy(earlier.store, shard, facts.bytes)
            return facts
        with self.workshop() as folder:
            if facts.bytes:
                earlier.give(shard, facts, folder / shard)
            return self.keep(folder / shard)

    def give(self, shard: str, facts: Facts, path: Path) -> None:
        self.store.download(shard, facts, path)

    def remove(self, shard: str) -> None:
        self.store.remove(shard)

    def retract(self) -> None:
        super().retract()
        for name in (SUMMARY_NAME, INDEX_NAME):  # streams need the summary alone
            self.store.remove(name)

    def publish(self, shards: Mapping[str, Facts]) -> dict[str, Facts]:
        published = {name: self.store.upload(self.folder / name) for name in PUBLISHED}
        return {self.store.address(name): facts for name, facts in {**shards, **published}.items()}


def place_of(folder: Path, to: str) -> Place:
    """Return the place of the shards of an output folder.

    Args:
        folder: the output folder.
        to: the address of a folder of a store; "" for the output folder itself.
    """
    return StoredPlace(folder, StoredFolder(to.rstrip("/"))) if to else Place(folder)


def earlier_place(folder: Path) -> Place:
    """Return the place of the shards of a curation that has ended."""
    return place_of(folder, _read(folder, STORE_NAME))


def store_of(folder: Path) -> StoredFolder | None:
    """Return the store that holds the shards of an output folder; None where they lie in it."""
    root = _read(folder, STORE_NAME)
    return StoredFolder(root) if root else None


def _read(folder: Path, name: str) -> str:
    """Read a line among the records; "" where it was not written."""
    path = folder / FOLDER / name
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""


def _write(folder: Path, name: str, line: str) -> None:
    with atomic_write(folder / FOLDER / name, "w") as file:
        file.write(f"{line}\n")


def _size(shard: Path) -> int:
    """Return the bytes of a shard; one without any post has no file."""
    return shard.stat().st_size if shard.exists() else 0
