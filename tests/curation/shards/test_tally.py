"""Counting posts."""

import pyarrow as pa

from igdet.curation.shards.part import KEPT, SCHEMA
from igdet.curation.shards.shard_maker import Tally, bad_posts

PART = pa.Table.from_pylist(
    [
        {"reason": reason, "why": f"about {reason}"}
        for reason in (KEPT, "missing", "opted_out", KEPT, "empty", "missing")
    ],
    schema=SCHEMA,
)


def test_posts_are_counted_by_reason():
    tally = Tally()
    tally.add(PART, is_new=True)
    tally.add(PART.slice(0, 2), is_new=False)
    assert (tally.posts, tally.kept, tally.shards_made, tally.shards_found) == (8, 3, 1, 1)
    assert tally.left_out == {"missing": 3, "opted_out": 1, "empty": 1} and tally.bad == 4


def test_images_in_shards_that_lack_the_markers_asked_for_are_counted():
    reasons, restarts = [KEPT, KEPT, KEPT, "opted_out", "missing"], [True, False, None, False, None]
    rows = [{"reason": reason, "has_restarts": has} for reason, has in zip(reasons, restarts, strict=True)]
    tally = Tally()
    tally.add(pa.Table.from_pylist(rows, schema=SCHEMA), is_new=True)
    assert tally.without_restarts == 1


def test_only_bad_images_are_named():
    posts = [{"id": str(i), "image": f"{i}.jpg"} for i in range(6)]
    assert [post["id"] for post in bad_posts(posts, PART)] == ["1", "4", "5"]
    assert bad_posts(posts, PART)[0] == {"id": "1", "image": "1.jpg", "reason": "missing", "why": "about missing"}
