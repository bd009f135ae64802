"""The labels that were kept and those that were dropped: how many, and the most frequent ones."""

import pyarrow as pa

from igdet.curation.report.entries import label_entry, number, share
from igdet.curation.report.outcome import Outcome
from igdet.curation.report.section import Section
from igdet.curation.stages import vocabulary
from igdet.utils.table import Entry, Table

SHOWN = 50


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
