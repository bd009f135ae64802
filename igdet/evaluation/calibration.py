"""Expected calibration error: how far confidence and accuracy lie apart.

Source: Guo et al. 2017, arXiv 1706.04599: 15 bins of equal width, of the probability of the best answer.
"""

import numpy as np

BINS = 15


def expected_calibration_error(confidences: np.ndarray, hits: np.ndarray) -> float:
    """Mean of |accuracy - mean confidence| over the bins, each weighted with its number of pictures.

    Args:
        confidences: (N,) float, 0..1, N >= 1; a bin holds its upper edge, the first one 0 too.
        hits: (N,) bool, whether the best answer is right.

    Returns:
        the error, 0..1.
    """
    bins = np.clip(np.ceil(confidences.astype(np.float64) * BINS) - 1, 0, BINS - 1).astype(int)
    gaps = np.bincount(bins, weights=hits - confidences.astype(np.float64), minlength=BINS)  # a bin's count cancels
    return float(np.abs(gaps).sum() / len(confidences))
