"""The hashtags that may stand for a target class: its names, narrower and wider words, co-occurring ones."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.target_classes import TargetMatch, rows_of_matches
from igdet.sampling import chunks

MOST_LABELS = 60  # longer posts are lists of popular hashtags, and say nothing about what goes together
MIN_TOGETHER = 5  # posts; what fewer say is chance
MIN_NPMI = 0.1


class SparseRows:
    """Values at (row, column), looked up by row.

    Shapes: R rows, K values.

    Args:
        rows: int (K,), in [0, R).
        columns: int (K,).
        values: float (K,).
        num_rows: R.
    """

    def __init__(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, num_rows: int):
        order = np.argsort(rows, kind="stable")
        self._columns, self._values = np.asarray(columns)[order], np.asarray(values)[order]
        self._starts = np.searchsorted(np.asarray(rows)[order], np.arange(num_rows + 1))

    def row(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns and the values of a row."""
        part = slice(self._starts[row], self._starts[row + 1])
        return self._columns[part], self._values[part]

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the values of many rows.

        Args:
            rows: int (n,), repeats allowed.

        Returns:
            Places int64 (m,), in [0, n): which of `rows` each value belongs to, ascending; its column; the value.
        """
        starts, lengths = self._starts[rows], np.diff(self._starts)[rows]
        where = join_ranges(starts, lengths)
        return np.repeat(np.arange(len(lengths)), lengths), self._columns[where], self._values[where]


def join_ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Join the ranges start, start + 1, ..., start + length - 1: [3, 8], [2, 1] give [3, 4, 8]."""
    # Element i of the result is i plus a shift that is the same within a range: its start less the elements before it.
    shifts = starts - (np.cumsum(lengths) - lengths)
    return np.repeat(shifts, lengths) + np.arange(lengths.sum())


class Neighbours(NamedTuple):
    """Pairs of a class and a label that is no hashtag of it, sorted by class, the strongest first.

    Attributes:
        targets: int64 (K,): the class.
        rows: int64 (K,): the label.
        npmi: float64 (K,): normalised pointwise mutual information, in (0, 1].
        shares: float64 (K,): share of the label's posts that carry a hashtag of the class, p(c | h).
    """

    targets: np.ndarray
    rows: np.ndarray
    npmi: np.ndarray
    shares: np.ndarray


def find_neighbours(
    offsets: np.ndarray, ids: np.ndarray, num_labels: int, class_rows: Sequence[Iterable[int]], count: int
) -> Neighbours:
    """Find the labels that go together with each class.

    Args:
        offsets: int64 (N + 1,): where each post's labels begin in `ids`.
        ids: int (M,): label ids, distinct within a post.
        num_labels: L.
        class_rows: for each class the labels that are hashtags of it.
        count: most neighbours a class, >= 0.

    Returns:
        At most `count` labels a class, those of the highest NPMI (Bouma, 2009):
        ln(p(c, h) / (p(c) p(h))) / -ln p(c, h), where p(c) is the share of posts with any hashtag of the class.
    """
    counts = _Counts(num_labels, class_rows)
    for chunk_offsets, chunk_ids in chunks(offsets, ids):
        counts.add(*_without_lists(chunk_offsets, chunk_ids))
    targets, rows = np.divmod(counts.keys, num_labels)
    # With counts in the place of shares: p(c, h) / (p(c) p(h)) = together * posts / (n_c n_h) = together / expected.
    expected = counts.of_class[targets] * counts.of_label[rows] / max(counts.posts, 1)
    # A pair that is in all posts has no information, and is no neighbour.
    information = np.log(counts.posts / counts.together)
    npmi = np.log(counts.together / expected) / np.maximum(information, np.finfo(float).tiny)
    good = (npmi >= MIN_NPMI) & (counts.together >= MIN_TOGETHER) & ~np.isin(counts.keys, counts.own_keys)
    order = np.lexsort((rows, -npmi, targets))
    order = order[good[order]]
    rank = np.arange(len(order)) - np.searchsorted(targets[order], targets[order])  # within its class
    kept = order[rank < count]
    return Neighbours(targets[kept], rows[kept], npmi[kept], (counts.together / counts.of_label[rows])[kept])


class _Counts:
    """Numbers of posts: in all, with a label, with a class, with a class and a label.

    Attributes:
        posts: how many there are.
        of_label: int64 (L,).
        of_class: int64 (C,).
        keys: int64 (K,): class * L + label of the pairs that occur, ascending.
        together: int64 (K,): posts with each.
        own_keys: the keys of classes and their own hashtags.
    """

    def __init__(self, num_labels: int, class_rows: Sequence[Iterable[int]]):
        pairs = np.array([(row, c) for c, rows in enumerate(class_rows) for row in rows], dtype=np.int64).reshape(-1, 2)
        rows, classes = pairs.T
        self._classes = SparseRows(rows, classes, np.ones(len(rows)), num_labels)
        self.own_keys = classes * num_labels + rows
        self.posts = 0
        self.of_label = np.zeros(num_labels, dtype=np.int64)
        self.of_class = np.zeros(len(class_rows), dtype=np.int64)
        self.keys = self.together = np.empty(0, dtype=np.int64)

    def add(self, offsets: np.ndarray, ids: np.ndarray) -> None:
        """Count more posts."""
        lengths, num_classes = np.diff(offsets), len(self.of_class)
        self.posts += len(lengths)
        self.of_label += np.bincount(ids, minlength=len(self.of_label))
        # 1. The classes of each post, once a post
        places, classes, _ = self._classes.take(ids)
        posts = np.repeat(np.arange(len(lengths)), lengths)[places]
        # A pair as one number sorts quickly, and a post with two hashtags of a class still counts once for it.
        posts, classes = np.divmod(np.unique(posts * num_classes + classes), max(num_classes, 1))
        self.of_class += np.bincount(classes, minlength=num_classes)
        # 2. Each of them with each label of its post
        labels = ids[join_ranges(offsets[posts], lengths[posts])]
        self._merge(np.repeat(classes, lengths[posts]) * len(self.of_label) + labels)

    def _merge(self, keys: np.ndarray) -> None:
        keys, counts = np.unique(keys, return_counts=True)
        self.keys, place = np.unique(np.concatenate([self.keys, keys]), return_inverse=True)
        weights = np.concatenate([self.together, counts])
        self.together = np.bincount(place, weights, len(self.keys)).astype(np.int64)


def _without_lists(offsets: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out the posts of more than `MOST_LABELS` labels."""
    lengths = np.diff(offsets)
    kept = lengths <= MOST_LABELS
    return np.concatenate([[0], np.cumsum(lengths[kept])]), ids[np.repeat(kept, lengths)]


@dataclass(frozen=True)
class Reach:
    """How far from a class its labels may be.

    Attributes:
        down: most steps to a hyponym, >= 0.
        up: most steps to a hypernym, >= 0.
        neighbours: most neighbours a class, >= 0.
    """

    down: int = 4
    up: int = 1
    neighbours: int = 5


class Candidate(NamedTuple):
    """A label that may stand for a target class.

    Attributes:
        row: the label's row in the table.
        target: the position of the class.
        relation: "exact", "homonym", "hyponym", "hypernym" or "neighbour".
        steps: links of the lexicon between them; 0 for names and neighbours.
        score: the share of the label's images that are taken to show the class, in (0, 1].
    """

    row: int
    target: int
    relation: str
    steps: int
    score: float


def find_candidates(
    labels: pa.Table,
    matches: Sequence[TargetMatch],
    lexicon: Lexicon,
    offsets: np.ndarray,
    ids: np.ndarray,
    reach: Reach,
) -> list[Candidate]:
    """Collect every label that may stand for a class, with a score.

    | relation | which labels | score |
    |---|---|---|
    | exact | the class itself | 1 |
    | homonym | a word of the class counts as it, in another sense | 1/k for a class that is the word's k-th sense |
    | hyponym | below the class in the lexicon | 1: each of its images shows the class |
    | hypernym | above the class | 1 / its direct hyponyms, a factor each step: it shows each as often |
    | neighbour | goes together with hashtags of the class | p (1 - p), p the share of its posts that have one |

    A neighbour's posts that carry a hashtag of the class are not new; the others are taken to show it equally often.

    Args:
        labels: the table of labels, L rows.
        matches: what the classes are.
        lexicon: hypernyms and hyponyms.
        offsets: int64 (N + 1,): where each post's labels begin in `ids`.
        ids: int (M,): rows of `labels`, distinct within a post.
        reach: how far to look.

    Returns:
        One candidate a label and class, that of the highest score; by row, then class.
    """
    names = rows_of_matches(labels, matches, lexicon)
    found = [
        *_names(names),
        *_relatives(labels, matches, _hyponyms(lexicon), "hyponym", reach.down),
        *_relatives(labels, matches, _hypernyms(lexicon), "hypernym", reach.up),
        *_neighbours(offsets, ids, len(labels), names, reach.neighbours),
    ]
    best: dict[tuple[int, int], Candidate] = {}
    for candidate in sorted(found, key=lambda candidate: (candidate.row, candidate.target, -candidate.score)):
        best.setdefault((candidate.row, candidate.target), candidate)
    return list(best.values())


def _names(names: Sequence[dict[int, float]]) -> Iterator[Candidate]:
    for target, rows in enumerate(names):
        for row, score in rows.items():
            yield Candidate(row, target, "exact" if score == 1 else "homonym", 0, score)


def _relatives(
    labels: pa.Table, matches: Iterable[TargetMatch], links: Callable, relation: str, depth: int
) -> Iterator[Candidate]:
    """Walk the lexicon from each class, level by level."""
    row_of = {label: row for row, label in enumerate(labels["label"].to_pylist())}
    for target, match in enumerate(matches):
        level, seen = dict.fromkeys(match.labels, 1.0), set(match.labels)
        for steps in range(1, depth + 1):
            level = _next_level(level, seen, links)
            for label, score in level.items():
                if label in row_of:
                    yield Candidate(row_of[label], target, relation, steps, score)


def _next_level(level: dict[str, float], seen: set[str], links: Callable) -> dict[str, float]:
    following: dict[str, float] = {}
    for label, score in level.items():
        for relative, share in links(label):
            if relative not in seen:
                following[relative] = max(following.get(relative, 0), score * share)
    seen.update(following)
    return following


def _hyponyms(lexicon: Lexicon) -> Callable[[str], Iterator[tuple[str, float]]]:
    return lambda label: ((narrower, 1.0) for narrower in lexicon.hyponyms(label))


def _hypernyms(lexicon: Lexicon) -> Callable[[str], Iterator[tuple[str, float]]]:
    return lambda label: ((wider, 1 / len(lexicon.hyponyms(wider))) for wider in lexicon.hypernyms(label))


def _neighbours(
    offsets: np.ndarray, ids: np.ndarray, num_labels: int, names: Sequence[dict[int, float]], count: int
) -> Iterator[Candidate]:
    own = [[row for row, score in rows.items() if score == 1] for rows in names]
    found = find_neighbours(offsets, ids, num_labels, own, count)
    scores = found.shares * (1 - found.shares)
    for row, target, score in zip(found.rows.tolist(), found.targets.tolist(), scores.tolist(), strict=True):
        if score:
            yield Candidate(row, target, "neighbour", 0, score)
