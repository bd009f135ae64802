"""What became of posts and labels, stage by stage: by which rules, and which labels were kept."""

import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.labels.canonical import RULES
from igdet.curation.manifest import Manifest
from igdet.curation.pace import Step
from igdet.curation.report.entries import Section, chips, label_entry, number, percent, share
from igdet.curation.report.outcome import Outcome
from igdet.curation.stages import vocabulary
from igdet.reporting.tables import EMPTY, Entry, Table

# What became of a word with several labels, by the names of `igdet.curation.labels.canonical.AMBIGUOUS`.
AMBIGUOUS_RULES = {
    "first_sense": "it is a word with several labels and counts as the first of them",
    "own_label": "it is a word with several labels and is a label of its own",
    "drop": "it is a word with several labels and has none",
    "context": "it is a word with several labels, of which the post’s other hashtags choose one",
}
_MEANINGS = RULES | AMBIGUOUS_RULES
SHOWN = 50


def posts_section(outcome: Outcome) -> Section:
    """What went into and came out of each stage, and why there is a difference."""
    rows = [
        [
            Entry(stage),
            number(manifest.rows_in),
            number(manifest.rows_out),
            share(manifest.rows_out, manifest.rows_in),
            chips((reason, _count(reason, count, manifest)) for reason, count in manifest.counts.items() if count),
        ]
        for stage, manifest in outcome.manifests.items()
    ]
    absent = [reason for manifest in outcome.manifests.values() for reason, n in manifest.counts.items() if not n]
    note = f"There were none of these: {', '.join(absent)}." if absent else ""
    header = ["Stage", "posts in", "posts out", "share", "Left out, and counted"]
    return Section("What became of the posts", [Table("", header, rows, note)])


def _count(reason: str, count: int, manifest: Manifest) -> str:
    of_posts = f" ({percent(count, manifest.rows_in)})" if reason.startswith("posts") else ""
    return f"{count:,}{of_posts}"


def pace_section(outcome: Outcome) -> Section | None:
    """How fast each step went, and its slowest item; None where no log is left."""
    rows = [
        [
            Entry(stage),
            Entry(step.name),
            number(step.items),
            number(step.rows_per_second),
            Entry(f"{step.bytes_per_second / 1e6:,.1f}", "number"),
            Entry(f"{step.median:,.1f}", "number"),
            *_straggler(step),
        ]
        for stage, log in outcome.logs.items()
        for step in log.steps
    ]
    header = ["Stage", "step", "items", "posts/s", "MB/s", "median s", "most s", "slowest item"]
    note = "Of the last run, all machines together; items that an earlier run had finished do not count."
    return Section("How fast it went", [Table("", header, rows, note)]) if rows else None


def _straggler(step: Step) -> list[Entry]:
    if not step.slowest:
        return [Entry(EMPTY)] * 2
    worst = step.slowest[0]
    return [Entry(f"{worst.seconds:,.1f}", "number"), Entry(f"{worst.item} on {worst.host}")]


def rules_section(outcome: Outcome) -> Section:
    """How many hashtags got their label by which rule."""
    counted = outcome.tags.group_by("rule").aggregate([("tag", "count"), ("posts", "sum")]).to_pylist()
    total = pc.sum(outcome.tags["posts"]).as_py()
    rows = [
        [
            Entry(row["rule"].replace("_", " ")),
            number(row["tag_count"]),
            number(row["posts_sum"]),
            share(row["posts_sum"], total),
            Entry(_MEANINGS[row["rule"]], "text"),
        ]
        for row in sorted(counted, key=lambda row: list(_MEANINGS).index(row["rule"]))
    ]
    header = ["Rule", "different hashtags", "occurrences", "share", "Why a hashtag has its label"]
    note = "A hashtag counts once a post, whatever its spelling."
    return Section("How hashtags got their labels", [Table("", header, rows, note)])


def reasons_section(outcome: Outcome) -> Section:
    """Why labels were dropped."""
    kept = outcome.kept.append_column("reason", pa.array(["kept"] * len(outcome.kept), pa.string()))
    labels = pa.concat_tables([kept, outcome.dropped.select(kept.column_names)])
    by_reason = labels.group_by("reason").aggregate([("label", "count"), ("posts", "sum")]).to_pylist()
    total = sum(row["posts_sum"] for row in by_reason)
    rows = [
        [Entry(row["reason"]), number(row["label_count"]), number(row["posts_sum"]), share(row["posts_sum"], total)]
        for row in sorted(by_reason, key=lambda row: (row["reason"] != "kept", -row["posts_sum"]))
    ]
    note = "Posts of a label, summed over labels: a post with several counts for each."
    return Section("What became of the labels", [Table("", ["", "labels", "posts, summed", "share"], rows, note)])


def frequent_section(outcome: Outcome) -> Section:
    """The most frequent labels kept and dropped."""
    posts = outcome.manifests[vocabulary.FOLDER].rows_in
    kept = [
        [label_entry(row["label"], row["name"]), number(row["posts"]), share(row["posts"], posts)]
        for row in outcome.kept.slice(0, SHOWN).to_pylist()
    ]
    dropped = [
        [label_entry(row["label"], row["name"]), Entry(row["reason"]), number(row["posts"]), share(row["posts"], posts)]
        for row in outcome.dropped.sort_by([("posts", "descending")]).slice(0, SHOWN).to_pylist()
    ]
    tables = [
        Table("Kept", ["Label", "posts", "of posts"], kept),
        Table("Dropped", ["Label", "Reason", "posts", "of posts"], dropped),
    ]
    return Section("The most frequent labels", [table for table in tables if table.rows])
