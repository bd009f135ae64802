"""What became of the posts, stage by stage, and by which rules hashtags got their labels."""

import pyarrow.compute as pc

from igdet.curation.canonical import RULES
from igdet.curation.manifest import Manifest
from igdet.curation.report.entries import number, share
from igdet.curation.report.outcome import Outcome
from igdet.curation.report.section import Section
from igdet.utils.table import Entry, Table

# What became of a word with several labels, by the names of `igdet.curation.canonical.AMBIGUOUS`.
AMBIGUOUS_RULES = {
    "first_sense": "it is a word with several labels and counts as the first",
    "own_label": "it is a word with several labels and is a label of its own",
    "drop": "it is a word with several labels and has none",
    "context": "it is a word with several labels; the other hashtags of the post choose",
}
_MEANINGS = RULES | AMBIGUOUS_RULES
# Reasons that begin so do not count posts.
_NO_POSTS = ("different", "files", "hashtags", "labels", "pairs", "pictures")


def posts_section(outcome: Outcome) -> Section:
    """What went into and came out of each stage, and why there is a difference."""
    rows = [row for stage, manifest in outcome.manifests.items() for row in _stage_rows(stage, manifest)]
    absent = [reason for manifest in outcome.manifests.values() for reason, n in manifest.counts.items() if not n]
    note = f"There are none of these: {', '.join(absent)}." if absent else ""
    return Section("What became of the posts", [Table("", ["Stage", "", "", "of its posts"], rows, note)])


def _stage_rows(stage: str, manifest: Manifest) -> list[list[Entry]]:
    def row(name: str, what: str, count: int) -> list[Entry]:
        of_posts = Entry("", "number") if what.startswith(_NO_POSTS) else share(count, manifest.rows_in)
        return [Entry(name), Entry(what), number(count), of_posts]

    reasons = [row("", reason, count) for reason, count in manifest.counts.items() if count]
    return [row(stage, "posts in", manifest.rows_in), *reasons, row("", "posts out", manifest.rows_out)]


def rules_section(outcome: Outcome) -> Section:
    """How many hashtags got their label by which rule."""
    tags = outcome.tags
    by_rule = tags.group_by("rule").aggregate([("tag", "count"), ("posts", "sum")]).sort_by("posts_sum")
    total = pc.sum(tags["posts"]).as_py()
    rows = [
        [
            Entry(row["rule"]),
            number(row["tag_count"]),
            number(row["posts_sum"]),
            share(row["posts_sum"], total),
            Entry(f"#tag: {_MEANINGS[row['rule']]}", "text"),
        ]
        for row in reversed(by_rule.to_pylist())
    ]
    header = ["Rule", "different hashtags", "occurrences", "share", "Meaning"]
    note = "A hashtag is counted once a post, whatever its spelling."
    return Section("How hashtags got their labels", [Table("", header, rows, note)])
