"""What must be known of a folder of shards to stream it: the shards, and how often each label is carried.

It is small, whatever the number of posts: 3.5 billion in 350,000 shards take about 15 MB.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.formats.shards.format import (
    INDEX_NAME,
    LABELS,
    SUMMARY_NAME,
    ShardError,
    check_names,
    read_index,
    vocabulary_digest,
)
from igdet.formats.shards.naming import DEFAULT_NAME, SetName
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary
from igdet.sampling import count_by_rarest, count_labels
from igdet.utils.files import atomic_write
from igdet.utils.messages import shown
from igdet.utils.yaml import ConfigError


@dataclass(frozen=True)
class Summary:
    """The content of the file.

    Attributes:
        vocabulary_sha256: of the vocabulary that the shards were written with.
        shards: file name -> number of posts and bytes.
        posts: for each label, the posts that carry it.
        rarest: for each label, the posts whose rarest label it is, as `igdet.sampling.count_by_rarest` counts them.
        name: of the set, `SetName.full` of its counts; files from before there were names lack it.
    """

    vocabulary_sha256: str
    shards: dict[str, tuple[int, int]]
    posts: list[int]
    rarest: list[int]
    name: str = ""

    @property
    def images(self) -> int:
        """The number of images, each of one post."""
        return sum(posts for posts, _ in self.shards.values())

    @property
    def labels(self) -> int:
        """The number of labels of the vocabulary, with those that no post carries."""
        return len(self.posts)

    @property
    def labels_per_image(self) -> float:
        """The mean number of labels of an image; 0 for a set without images."""
        return sum(self.posts) / self.images if self.images else 0.0

    def named(self, name: SetName) -> "Summary":
        """Return it with the whole name that follows from its counts."""
        return replace(self, name=name.full(self.images, self.labels))


def write_summary(folder: str | PathLike, name: SetName = DEFAULT_NAME, sizes: Mapping[str, int] | None = None) -> None:
    """Write the summary of a folder of shards that is complete; goes through the index twice, a batch at a time.

    Args:
        folder: with shards, index and vocabulary.
        name: what the set is called before its counts.
        sizes: shard -> bytes; None looks at the shards, which then lie there.
    """
    folder = Path(folder)
    index, vocabulary = folder / INDEX_NAME, folder / VOCABULARY_NAME
    posts, rarest = np.zeros((2, len(Vocabulary.read(vocabulary))), np.int64)
    shards: dict[str, int] = {}
    for batch in read_index(index, "shard", LABELS):
        posts += count_labels(batch.column(LABELS).flatten().to_numpy(), len(posts))
        for shard in pc.value_counts(batch.column("shard").cast(pa.string())).to_pylist():
            shards[shard["values"]] = shards.get(shard["values"], 0) + shard["counts"]
    for batch in read_index(index, LABELS):
        lengths = pc.list_value_length(batch.column(LABELS)).to_numpy()
        ids = batch.column(LABELS).flatten().to_numpy()
        rarest += count_by_rarest(np.concatenate([[0], np.cumsum(lengths)]), ids, posts)
    if sizes is None:
        sizes = {name: (folder / name).stat().st_size for name in shards}
    of_shards = {name: (count, sizes[name]) for name, count in shards.items()}
    summary = Summary(vocabulary_digest(vocabulary), of_shards, posts.tolist(), rarest.tolist()).named(name)
    with atomic_write(folder / SUMMARY_NAME, "w") as file:
        json.dump(asdict(summary), file)


def read_summary(folder: Path, with_shards: bool = True) -> Summary:
    """Read the summary of a folder of shards and check it against what lies beside it.

    Args:
        folder: with shards, summary and vocabulary; the index need not be there.
        with_shards: whether the shards are there.

    Returns:
        Its content; a file from before there were names has the default one.

    Raises:
        ShardError: a file is missing or cut short, the vocabulary is another, or the name is not that of the counts.
    """
    path, vocabulary = folder / SUMMARY_NAME, folder / VOCABULARY_NAME
    for file in (path, vocabulary):
        if not file.is_file():
            raise ShardError(f"{file} is missing; copy the one that the shards were written with")
    try:
        summary = Summary(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError) as error:
        raise ShardError(f"{path} cannot be read: {error}; copy it again") from error
    if summary.vocabulary_sha256 != vocabulary_digest(vocabulary):
        raise ShardError(f"{vocabulary} is not the vocabulary that {path} was written with: ids would be wrong")
    _check_types(path, summary, len(Vocabulary.read(vocabulary)))
    check_names(path, summary.shards)
    if with_shards:
        paths = {name: folder / name for name in summary.shards}
        check_sizes(summary, folder, {name: path.stat().st_size for name, path in paths.items() if path.is_file()})
    return _checked_name(path, summary)


def check_sizes(summary: Summary, place: str | PathLike, found: Mapping[str, int]) -> None:
    """Refuse shards that are not as long as a summary says.

    Args:
        summary: of the shards.
        place: where they are, for the error.
        found: name -> bytes, of those that are there.

    Raises:
        ShardError: naming the first one that is not.
    """
    for name, (_, length) in summary.shards.items():
        if found.get(name, 0) != length:
            raise ShardError(
                f"{place}/{name} has {found.get(name, 0):,} bytes where {SUMMARY_NAME} says {length:,}: it is missing "
                "or cut short; copy it again. A run that has begun goes on exactly, with --resume, once all shards are "
                "whole"
            )


def _checked_name(path: Path, summary: Summary) -> Summary:
    """Fill in the name that is missing in old files; refuse one that says other counts."""
    try:
        named = summary.named(SetName.of(summary.name) if summary.name else DEFAULT_NAME)
    except ConfigError as error:
        raise ShardError(f"{path}: {error}") from error
    if summary.name not in ("", named.name):
        raise ShardError(
            f"{path}: name holds {shown(summary.name)}, expected {named.name}, which follows from its counts; copy it "
            "again, or write it by igdet.formats.shards.write_summary"
        )
    return named


def _check_types(path: Path, summary: Summary, labels: int) -> None:
    """Refuse a file that holds anything but what `Summary` says, whose numbers are counts."""
    counts = f"{labels} whole numbers, one for each line of {VOCABULARY_NAME}"
    expected = {
        "shards": "a mapping of file names to [posts, bytes]",
        "posts": counts,
        "rarest": counts,
        "name": f"a text such as {DEFAULT_NAME.full(36247, 1512)}",
    }
    fits = {
        "shards": isinstance(summary.shards, dict) and all(_are_counts(pair, 2) for pair in summary.shards.values()),
        "posts": _are_counts(summary.posts, labels),
        "rarest": _are_counts(summary.rarest, labels),
        "name": isinstance(summary.name, str),
    }
    for name, is_right in fits.items():
        if not is_right:
            raise ShardError(
                f"{path}: {name} holds {shown(getattr(summary, name))}, expected {expected[name]}; copy it "
                "again, or write it by igdet.formats.shards.write_summary"
            )


def _are_counts(value: object, number: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == number
        and all(isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 2**63 for count in value)
    )
