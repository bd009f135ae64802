"""Label noise: hashtags replaced by random ones, to measure what wrong hashtags cost."""

import numpy as np

from igdet.data.randomness import Stream, hashed, keys, name_number


class LabelNoise:
    """Replaces hashtags, each with a probability, by hashtags drawn from the marginal distribution.

    What becomes of a hashtag depends on the seed, the record's id and the hashtag's position among the record's only:
    a post keeps its wrong hashtags, as it would in data that are wrong, whenever and however often it is drawn.

    Args:
        probability: chance, 0..1, that a hashtag is replaced.
        label_counts: int (L,): how many records carry each label.
        seed: the run's seed, >= 0.
    """

    def __init__(self, probability: float, label_counts: np.ndarray, seed: int):
        if not 0 <= probability <= 1:
            raise ValueError(f"DATALOADER.LABEL_NOISE is a probability, 0..1, not {probability}")
        self.probability = probability
        self._cumulative = np.cumsum(label_counts)
        self._keys = keys(seed, Stream.LABEL_NOISE, 0, 2)

    def __call__(self, ids: np.ndarray, image_id: str) -> np.ndarray:
        """Replace some of a record's labels.

        Args:
            ids: int32 (k,): distinct label ids, in the record's order.
            image_id: of the record.

        Returns:
            int32 (1..k,): distinct ascending ids; fewer than k where a replacement was there already.
        """
        places = np.array([name_number(image_id)], np.uint64) + np.arange(len(ids), dtype=np.uint64)
        replaced, chosen = (np.ldexp((hashed(key, places) >> np.uint64(11)).astype(float), -53) for key in self._keys)
        uses = (chosen * self._cumulative[-1]).astype(np.int64)  # a random use of a hashtag is a marginal draw
        random_ids = np.searchsorted(self._cumulative, uses, side="right").astype(ids.dtype)
        return np.unique(np.where(replaced < self.probability, random_ids, ids))
