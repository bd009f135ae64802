"""Grey pictures of 16 bits, which Pillow's own conversion to RGB would clip instead of scaling."""

import numpy as np

WIDE_MODES = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N", "F"})  # Pillow's: one channel of more than 8 bits
_RANGE_16_BIT = 65535


def scale_16_bits(grey: np.ndarray) -> np.ndarray:
    """Scale 0..65535 to 0..255.

    Args:
        grey: (H, W), of any number type.

    Returns:
        uint8 (H, W).

    Raises:
        ValueError: a pixel is outside 0..65535, or no whole number: what white is cannot be known.
    """
    if grey.dtype.kind == "f" or grey.min() < 0 or grey.max() > _RANGE_16_BIT:
        raise ValueError("has pixels outside 0..65535, whose range is unknown; convert it to 8 bits")
    return np.round(grey / (_RANGE_16_BIT / 255)).astype(np.uint8)
