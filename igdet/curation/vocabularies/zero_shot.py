"""Which hashtags of a vocabulary stand for the classes of a target, by name or as something narrower in WordNet."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.label_coverage import SYNONYMS, label_table
from igdet.curation.vocabularies.target_classes import TargetClass, match_targets, rows_of_matches

Weights = dict[int, float]  # label id -> how much of its probability a class gets, in (0, 1]


class ClassHashtags(NamedTuple):
    """The hashtags whose probabilities make up the score of a class.

    Attributes:
        leaf: those that name the class: 1, or 1/k where it is the k-th sense of the hashtag.
        hypernym: these, and with 1 those that mean a hyponym of the class, however far below it.
    """

    leaf: Weights
    hypernym: Weights


SUMS = ClassHashtags._fields


def class_hashtags(
    classes: Sequence[TargetClass], labels: Sequence[TargetClass], lexicon: Lexicon
) -> list[ClassHashtags]:
    """Find the hashtags of each class; what has several meanings counts as a hyponym by its first one only.

    Args:
        classes: of the target.
        labels: of the vocabulary, by label id; the names of one are its hashtags.
        lexicon: synonyms and hypernyms.

    Returns:
        One a class, in their order; both empty where no hashtag covers it.
    """
    table = label_table(labels, lexicon)
    matches = match_targets(classes, table, lexicon)
    below = _rows_below(table["label"].to_pylist(), lexicon)
    found = []
    for match, names in zip(matches, rows_of_matches(table, matches, lexicon), strict=True):
        if match.rule not in SYNONYMS:  # a last word names something wider than the class
            found.append(ClassHashtags({}, {}))
            continue
        narrower = {row: 1.0 for synset in match.labels for row in below.get(synset, ())}
        found.append(ClassHashtags(names, names | narrower))
    return found


def _rows_below(keys: Iterable[str], lexicon: Lexicon) -> dict[str, list[int]]:
    """Return for each synset the rows that mean it or one of its hyponyms."""
    below: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        for synset in lexicon.heights(key):
            below.setdefault(synset, []).append(row)
    return below


def weight_matrix(weights: Sequence[Weights], num_labels: int) -> np.ndarray:
    """Return the weights as float64 (L, C), by which probabilities (B, L) are multiplied to scores (B, C)."""
    matrix = np.zeros((num_labels, len(weights)))
    for column, of_class in enumerate(weights):
        matrix[list(of_class), column] = list(of_class.values())
    return matrix
