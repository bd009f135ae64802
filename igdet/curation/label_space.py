"""The label space of a pretraining that fits a target task: chosen among curated labels, beside other label spaces."""

from collections.abc import Sequence
from os import PathLike
from typing import NamedTuple

import pyarrow as pa

from igdet.curation.block_lists import DEFAULT, blocked_rows, read_block_lists
from igdet.curation.candidates import Candidate, Reach, find_candidates
from igdet.curation.comparison import Comparison, measure
from igdet.curation.greedy_choice import Choice, Goal, LabelSpaceError, choose
from igdet.curation.label_table import read_label_lists, read_labels, rows_of_tags
from igdet.curation.lexicon import Lexicon
from igdet.curation.matching import TargetMatch, match_targets
from igdet.curation.targets import read_targets
from igdet.vocabulary import Vocabulary

CHOSEN, ALL = "chosen", "all labels"  # names of label spaces; the others are named by their vocabulary's path


class LabelSpace(NamedTuple):
    """The labels chosen for a target, and how they came to be chosen.

    Attributes:
        labels: the table of all labels.
        matches: what each target class is.
        candidates: the labels that may stand for a class.
        choices: what was decided about them.
        spaces: label spaces by name, as rows of the table: `CHOSEN`, `ALL`, and those to compare with.
        measured: each of them on the posts.
    """

    labels: pa.Table
    matches: list[TargetMatch]
    candidates: list[Candidate]
    choices: list[Choice]
    spaces: dict[str, list[int]]
    measured: dict[str, Comparison]


def match_label_space(
    labels: str | PathLike,
    posts: str | PathLike,
    targets: str | PathLike,
    lexicon: Lexicon,
    goal: Goal,
    reach: Reach,
    block_lists: Sequence[str] = (DEFAULT,),
    others: Sequence[str] = (),
) -> LabelSpace:
    """Choose the labels for a target, and compare them with other label spaces.

    Args:
        labels: the table of labels, a Parquet file or a folder of them.
        posts: the labelled posts, likewise.
        targets: the target's classes, see `read_targets`.
        lexicon: the words that the labels were made with.
        goal: image budget and images wanted.
        reach: how far from a class its labels may be.
        block_lists: files of hashtags that are no candidates, see `read_block_lists`.
        others: vocabulary files to compare with.

    Raises:
        LabelTableError, TargetError, VocabularyError, ConfigError: a file cannot be read; the message names it.
        LabelSpaceError: the posts carry labels that the table does not have.
    """
    table = read_labels(labels)
    offsets, ids = read_label_lists(posts)
    if ids.max(initial=-1) >= len(table):
        raise LabelSpaceError(
            f"{posts} has label {ids.max()}, but {labels} ends at {len(table) - 1}: not of one curation"
        )
    matches = match_targets(read_targets(targets), table, lexicon)
    blocked = blocked_rows(table, read_block_lists(block_lists))
    candidates = find_candidates(table, matches, lexicon, offsets, ids, reach)
    candidates = [candidate for candidate in candidates if not blocked[candidate.row]]
    choices = choose(candidates, len(matches), offsets, ids, goal)
    chosen = sorted(choice.row for choice in choices if choice.reason == "chosen")
    spaces = {CHOSEN: chosen, ALL: list(range(len(table)))} | {path: _rows_of(path, table) for path in others}
    measured = {
        name: measure(rows, candidates, len(matches), offsets, ids, goal.wanted) for name, rows in spaces.items()
    }
    return LabelSpace(table, matches, candidates, choices, spaces, measured)


def _rows_of(path: str, labels: pa.Table) -> list[int]:
    """Find a vocabulary's labels in the table, by their hashtags."""
    vocabulary = Vocabulary.read(path)
    return sorted({row for tag, row in rows_of_tags(labels).items() if vocabulary.id_of(tag) >= 0})
