"""How many posts became what."""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.pictures import BAD_REASONS
from igdet.curation.sharding.part import KEPT


@dataclass
class Tally:
    """What became of the posts.

    Attributes:
        posts: as far as they were looked at.
        kept: posts in shards.
        left_out: number of posts by reason: a key of `igdet.curation.pictures.REASONS`, or the name of a list.
        shards_made: shards written by this run.
        shards_found: shards that an earlier run had finished.
    """

    posts: int = 0
    kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    shards_made: int = 0
    shards_found: int = 0

    def add(self, part: pa.Table, is_new: bool) -> None:
        """Count a shard.

        Args:
            part: its record, see `igdet.curation.sharding.part`.
            is_new: whether this run wrote it.
        """
        counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(part["reason"]).to_pylist()}
        self.posts += len(part)
        self.kept += counts.pop(KEPT, 0)
        self.left_out.update(counts)
        self.shards_made += is_new
        self.shards_found += not is_new

    @property
    def bad(self) -> int:
        """The number of posts whose picture is bad."""
        return sum(count for reason, count in self.left_out.items() if reason in BAD_REASONS)


def bad_posts(posts: list[dict], part: pa.Table) -> list[dict]:
    """Name the posts whose picture is bad: id, image, reason and why; posts on a list are not named."""
    return [
        {"id": post["id"], "image": post["image"], "reason": reason, "why": why}
        for post, reason, why in zip(posts, part["reason"].to_pylist(), part["why"].to_pylist(), strict=True)
        if reason in BAD_REASONS
    ]
