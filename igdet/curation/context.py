"""Which meaning of a word the other hashtags of its post speak for."""

from collections.abc import Sequence

from igdet.curation.lexicon import Lexicon

# Edges; further apart, two labels meet in hypernyms such as "artifact" or "entity", which says nothing.
MAX_DISTANCE = 6


class Context:
    """Chooses among labels by their distance to other labels along the hypernyms of a lexicon.

    The likeness of two labels is WordNet's path similarity, 1 / (1 + d), with d the number of edges on the shortest way
    from one to the other over a common hypernym; it is 0 when d > MAX_DISTANCE.

    Args:
        lexicon: gives the hypernyms.
    """

    def __init__(self, lexicon: Lexicon):
        self._lexicon = lexicon
        self._heights: dict[str, dict[str, int]] = {}

    def choose(self, candidates: Sequence[str], others: Sequence[str]) -> str:
        """Give the candidate with the highest sum of likenesses to the other labels, the earlier one on a tie.

        Args:
            candidates: the labels that a word can mean, the usual one first; not empty.
            others: the labels of the post's other hashtags.
        """
        return max(candidates, key=lambda label: sum(self.likeness(label, other) for other in others))

    def likeness(self, a: str, b: str) -> float:
        """Give the path similarity of two labels, in 0..1; 0 for labels that are further than MAX_DISTANCE apart."""
        above_a, above_b = self._hypernyms(a), self._hypernyms(b)
        distance = min((above_a[shared] + above_b[shared] for shared in above_a.keys() & above_b), default=None)
        return 0.0 if distance is None or distance > MAX_DISTANCE else 1 / (1 + distance)

    def _hypernyms(self, label: str) -> dict[str, int]:
        """Give the label and all that is wider, with the least number of edges to each."""
        if label not in self._heights:
            self._heights[label] = self._climb(label)
        return self._heights[label]

    def _climb(self, label: str) -> dict[str, int]:
        heights, level = {}, {label}
        for height in range(MAX_DISTANCE + 1):
            heights |= dict.fromkeys(level - heights.keys(), height)
            level = {wider for narrower in level for wider in self._lexicon.hypernyms(narrower)}
        return heights
