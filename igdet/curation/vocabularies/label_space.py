"""The label space of a pretraining that fits a target task, beside other label spaces, and its files."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from igdet.curation.labels.label_table import read_label_lists, read_labels, rows_of_tags, vocabulary_of
from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.candidates import Candidate, Reach, SparseRows, find_candidates
from igdet.curation.vocabularies.greedy_choice import Choice, Goal, LabelSpaceError, choose
from igdet.curation.vocabularies.recipes import DEFAULT, blocked_rows, read_block_lists
from igdet.curation.vocabularies.target_classes import TargetMatch, match_targets, read_targets
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary
from igdet.reporting.tables import write_csv_export
from igdet.sampling import chunks

CHOSEN, ALL = "chosen", "all labels"  # names of label spaces; the others are named by their vocabulary's path
CHOICES_NAME = "choices.csv"  # a line for each label that was considered
TARGETS_NAME = "targets.csv"  # a line for each target class
COMPARISON_NAME = "comparison.csv"  # a line for each label space


class Comparison(NamedTuple):
    """A label space, measured on the posts.

    Attributes:
        labels: how many labels it has.
        images: posts that carry any of them.
        per_class: float64 (C,): images expected to show each target class; a post counts once a class, by the label
            of the highest score.
        coverage: mean over the classes of min(1, images / wanted), in [0, 1].
    """

    labels: int
    images: int
    per_class: np.ndarray
    coverage: float


def measure(
    rows: Iterable[int],
    candidates: Sequence[Candidate],
    num_targets: int,
    offsets: np.ndarray,
    ids: np.ndarray,
    wanted: int,
) -> Comparison:
    """Measure a label space.

    Args:
        rows: its labels, as rows of the table of labels.
        candidates: labels and the target classes they stand for.
        num_targets: C.
        offsets: int64 (N + 1,): where each post's labels begin in `ids`.
        ids: int (M,): rows of the table of labels, distinct within a post.
        wanted: images that are enough for a class, > 0.
    """
    chosen = np.array(sorted(set(rows)), dtype=np.int64)
    shown = _scores(candidates, chosen, int(max(ids.max(initial=-1), chosen.max(initial=-1))) + 1)
    images, per_class = 0, np.zeros(num_targets)
    for chunk_offsets, chunk_ids in chunks(offsets, ids):
        posts = np.repeat(np.arange(len(chunk_offsets) - 1), np.diff(chunk_offsets))
        images += len(np.unique(posts[np.isin(chunk_ids, chosen)]))
        places, targets, scores = shown.take(chunk_ids)
        per_class += _best_of_each_post(posts[places], targets, scores, num_targets)
    coverage = float(np.minimum(per_class / wanted, 1).mean()) if num_targets else 0.0
    return Comparison(len(chosen), images, per_class, coverage)


def overlaps(spaces: Mapping[str, Iterable[int]]) -> dict[tuple[str, str], float]:
    """Return the Jaccard index of each two label spaces: labels in both / labels in either, 0 for two empty ones."""
    sets = {name: set(rows) for name, rows in spaces.items()}
    return {
        (first, second): len(sets[first] & sets[second]) / max(len(sets[first] | sets[second]), 1)
        for first in sets
        for second in sets
    }


def _scores(candidates: Sequence[Candidate], chosen: np.ndarray, num_labels: int) -> SparseRows:
    rows = np.array([candidate.row for candidate in candidates], dtype=np.int64)
    targets = np.array([candidate.target for candidate in candidates], dtype=np.int64)
    scores = np.array([candidate.score for candidate in candidates], dtype=float)
    kept = np.isin(rows, chosen)
    return SparseRows(rows[kept], targets[kept], scores[kept], num_labels)


def _best_of_each_post(posts: np.ndarray, targets: np.ndarray, scores: np.ndarray, num_targets: int) -> np.ndarray:
    """Sum over the posts of the highest score of each class, float64 (C,)."""
    order = np.lexsort((-scores, targets, posts))
    posts, targets, scores = posts[order], targets[order], scores[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(posts) != 0) | (np.diff(targets) != 0)
    return np.bincount(targets[first], scores[first], num_targets)


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


def write_label_space(folder: str | PathLike, space: LabelSpace) -> None:
    """Write the vocabulary, the choices, the target classes and the comparison.

    Raises:
        LabelSpaceError: no label was chosen, so that there is no vocabulary to write.
    """
    folder = Path(folder)
    if not space.spaces[CHOSEN]:
        raise LabelSpaceError(
            f"none of {len(space.choices)} candidates for {len(space.matches)} target classes was chosen; "
            "raise the budget, look further from the classes, or check that posts and targets go together"
        )
    vocabulary_of(space.labels.take(space.spaces[CHOSEN])).write(folder / VOCABULARY_NAME)
    for name, rows in {
        CHOICES_NAME: _choice_rows(space),
        TARGETS_NAME: _target_rows(space),
        COMPARISON_NAME: comparison_rows(space),
    }.items():
        rows = list(rows)
        write_csv_export(folder / name, rows[0] if rows else (), (row.values() for row in rows))


def _choice_rows(space: LabelSpace) -> Iterable[dict]:
    """Name the class that a label is most about as its reason; one label may stand for many."""
    about: dict[int, list[Candidate]] = {}
    for candidate in space.candidates:
        about.setdefault(candidate.row, []).append(candidate)
    for row, decision, gain, images in space.choices:
        label = space.labels.slice(row, 1).to_pylist()[0]
        best = max(about[row], key=lambda candidate: candidate.score)
        yield {
            "label": label["label"],
            "name": label["name"],
            "posts": label["posts"],
            "decision": decision,
            "gain": f"{gain:.3g}",
            "new_images": images,
            "relation": best.relation,
            "target": space.matches[best.target].key,
            "steps": best.steps,
            "score": f"{best.score:.3g}",
            "targets": len(about[row]),
        }


def _target_rows(space: LabelSpace) -> Iterable[dict]:
    names, chosen = space.labels["name"].to_pylist(), set(space.spaces[CHOSEN])
    hashtags: dict[int, list[str]] = {}
    for candidate in sorted(space.candidates, key=lambda candidate: -candidate.score):
        if candidate.row in chosen:
            hashtags.setdefault(candidate.target, []).append(names[candidate.row])
    for target, match in enumerate(space.matches):
        yield {
            "target": match.key,
            "matched_by": match.rule,
            "labels": " ".join(match.labels),
            "images": f"{space.measured[CHOSEN].per_class[target]:.1f}",
            "possible_images": f"{space.measured[ALL].per_class[target]:.1f}",
            "hashtags": " ".join(hashtags.get(target, [])),
        }


def comparison_rows(space: LabelSpace) -> Iterable[dict]:
    """Put the label spaces side by side: size, images, coverage, classes without images, overlap with each other."""
    shared = overlaps(space.spaces)
    for name, measured in space.measured.items():
        yield {
            "label_space": name,
            "labels": measured.labels,
            "images": measured.images,
            "coverage": f"{measured.coverage:.4f}",
            "median_images_per_class": f"{np.median(measured.per_class):.1f}",
            "classes_without_images": int((measured.per_class == 0).sum()),
            **{f"overlap with {other}": f"{shared[name, other]:.4f}" for other in space.spaces},
        }
