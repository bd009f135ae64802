"""Grey of 16 bits becomes grey of 8 bits."""

import numpy as np
import pytest

from igdet.formats.images import scale_16_bits


@pytest.mark.parametrize("kind", [np.uint16, np.int32])
def test_black_stays_black_and_white_white(kind):
    scaled = scale_16_bits(np.array([[0, 128, 129, 128 * 257, 65535]], kind))  # 257 = 65535 / 255
    assert scaled.dtype == np.uint8 and scaled.tolist() == [[0, 0, 1, 128, 255]]


@pytest.mark.parametrize("pixels", [[[0.5]], [[-1]], [[65536]]])
def test_an_unknown_range_is_refused(pixels):
    with pytest.raises(ValueError, match="outside 0"):
        scale_16_bits(np.array(pixels))
