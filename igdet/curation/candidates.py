"""The hashtags that may stand for a target class: its names, narrower and wider words, what goes together with it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from igdet.curation.cooccurrence import find_neighbours
from igdet.curation.lexicon import Lexicon
from igdet.curation.matching import TargetMatch, rows_of_matches


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
