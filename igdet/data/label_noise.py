"""Label noise: hashtags replaced by random ones, as the paper's study of noise does it."""

import numpy as np


class LabelNoise:
    """Replaces hashtags, each with a probability, by hashtags drawn from the marginal distribution.

    Args:
        probability: chance, 0..1, that a hashtag is replaced.
        label_counts: int (L,): how many records carry each label.
    """

    def __init__(self, probability: float, label_counts: np.ndarray):
        if not 0 <= probability <= 1:
            raise ValueError(f"DATALOADER.LABEL_NOISE is a probability, 0..1, not {probability}")
        self.probability = probability
        self._cumulative = np.cumsum(label_counts)

    def __call__(self, ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Replace some of a record's labels.

        Args:
            ids: int32 (k,): distinct label ids.
            rng: the generator of this draw.

        Returns:
            int32 (1..k,): distinct ascending ids; fewer than k where a replacement was there already.
        """
        replaced = rng.random(len(ids)) < self.probability
        uses = rng.integers(self._cumulative[-1], size=len(ids))  # a random use of a hashtag is a marginal draw
        random_ids = np.searchsorted(self._cumulative, uses, side="right").astype(ids.dtype)
        return np.unique(np.where(replaced, random_ids, ids))
