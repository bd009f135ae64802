"""Which classes of the target task have posts, and how many."""

import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.report.entries import Section, chips, label_entry, number
from igdet.curation.report.outcome import Outcome, lookup
from igdet.reporting.charts import Series, line_chart, log_spaced_ranks
from igdet.reporting.tables import Entry, Table

SHOWN = 100  # classes without posts
POOREST = 30


def coverage_section(outcome: Outcome) -> Section | None:
    """Posts a class, the classes without any, the poorest others; None for a recipe without target classes."""
    targets = outcome.targets
    if targets is None:
        return None
    targets = targets.append_column("name", _names(targets["key"], outcome)).sort_by([("posts", "descending")])
    has_posts = pc.greater(targets["posts"], 0)
    rich, empty = targets.filter(has_posts), targets.filter(pc.invert(has_posts))
    note = f"{len(rich):,} of {len(targets):,} classes have posts. A post counts for every label of its class."
    tables = [_poorest(rich, outcome.kept), _empty(empty)]
    return Section("Coverage of the target classes", [table for table in tables if table.rows], _chart(rich), note)


def _names(keys: pa.ChunkedArray, outcome: Outcome) -> pa.Array:
    """A hashtag for each class: for a wnid the name of its label, or else any of the lexicon's words for it."""
    known = lookup(outcome.canonicaliser.forms(), keys, "label", "form") | lookup(outcome.labels, keys, "label", "name")
    return pa.array([known.get(key, key) for key in keys.to_pylist()], pa.string())


def _chart(rich: pa.Table) -> list[str]:
    ranks = log_spaced_ranks(len(rich))
    if not len(ranks):
        return []
    line = Series(1, ranks.tolist(), rich["posts"].to_numpy()[ranks - 1].tolist())
    return [line_chart("Posts a target class", ("rank of the class", "posts"), [line], scale="logarithmic")]


def _poorest(rich: pa.Table, kept: pa.Table) -> Table:
    rows = [
        [label_entry(row["key"], row["name"]), number(row["posts"]), chips(_counted(row["labels"], kept))]
        for row in reversed(rich.slice(max(0, len(rich) - POOREST)).to_pylist())
    ]
    return Table("The poorest classes", ["Class", "posts", "Labels"], rows)


def _counted(labels: list[str], kept: pa.Table) -> list[tuple[str, str]]:
    rows = kept.filter(pc.is_in(kept["label"], pa.array(labels, pa.string()))).to_pylist()
    return [(row["name"], f"{row['posts']:,}") for row in rows]


def _empty(empty: pa.Table) -> Table:
    rows = [
        [label_entry(row["key"], row["name"]), Entry(_why(row["rule"]))] for row in empty.slice(0, SHOWN).to_pylist()
    ]
    note = f"And {len(empty) - SHOWN:,} more." if len(empty) > SHOWN else ""
    return Table("Classes without posts", ["Class", "Why"], rows, note)


def _why(rule: str) -> str:
    return "not in the lexicon, and no hashtag" if rule == "unmatched" else "no label of it was kept"
