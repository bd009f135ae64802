"""Labels and counts of numbered hashtags: by hand, compiled against plain, and what the compiled module refuses."""

import numpy as np
import pyarrow as pa
import pytest

from igdet.curation.labels.hashtags import LABEL_POSTS, POSTS, Hashtags
from igdet.curation.labels.strings import BINDING, CompiledStrings, PlainStrings

needs_binding = pytest.mark.skipif(BINDING is None, reason="igdet.curation.labels._hashtags was not built")
KINDS = [pytest.param(CompiledStrings, marks=needs_binding), PlainStrings]


def as_int32(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


def known(kind, forms, labels) -> Hashtags:
    """Return as many hashtags as there are forms, the empty one included."""
    hashtags = Hashtags(kind())
    hashtags.strings.add(pa.array([str(number) for number in range(1, len(forms))], pa.string()))
    hashtags.learn(np.array(forms, np.int32), np.array(labels, np.int32))
    return hashtags


@pytest.mark.parametrize("kind", KINDS)
def test_each_once_a_post_in_its_order(kind):
    hashtags = known(kind, [0, 1, 1, 3, 4], [0, 4, 0, 4, 4])  # 1 and 2 are one form; 1, 3 and 4 have the label 4
    offsets, labels = hashtags.label(as_int32(0, 3, 3, 5, 6), as_int32(2, 1, 3, 0, 4, 3))
    assert (offsets.tolist(), labels.tolist()) == ([0, 1, 1, 2, 3], [4, 4, 4])
    assert offsets.dtype == labels.dtype == np.int32
    assert hashtags.words[:, POSTS].tolist() == [1, 1, 0, 2, 1]
    assert hashtags.words[:, LABEL_POSTS].tolist() == [0, 0, 0, 0, 3]
    hashtags.label(as_int32(0, 1), as_int32(2))  # another batch
    assert hashtags.words[1, POSTS] == 2 and hashtags.words[4, LABEL_POSTS] == 4


@needs_binding
def test_compiled_and_plain_come_to_the_same():
    random = np.random.default_rng(0)
    forms, labels = random.integers(0, 3000, (2, 3000))
    both = [known(kind, forms, labels) for kind in (CompiledStrings, PlainStrings)]
    for posts in (0, 1, 700, 40):
        offsets = np.concatenate([[0], np.cumsum(random.integers(0, 9, posts))]).astype(np.int32)
        carried = random.zipf(1.2, offsets[-1]).clip(max=2999).astype(np.int32)
        compiled, plain = (hashtags.label(offsets, carried) for hashtags in both)
        assert all(map(np.array_equal, compiled, plain))
        assert np.array_equal(*(hashtags.words[:, : LABEL_POSTS + 1] for hashtags in both))


@needs_binding
@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"offsets": as_int32(0, 3)}, ValueError, "offsets do not ascend"),
        ({"offsets": as_int32(2, 1)}, ValueError, "offsets do not ascend"),
        ({"offsets": as_int32(), "label_offsets": as_int32()}, ValueError, "offsets do not ascend"),
        ({"label_offsets": as_int32(0)}, ValueError, "another type or length"),
        ({"labels": as_int32(0)}, ValueError, "another type or length"),
        ({"hashtags": as_int32(0, 2)}, ValueError, "a number of no string"),
        ({"hashtags": as_int32(-1, 0)}, ValueError, "a number of no string"),
        ({"words": np.full((2, 6), 2, np.int32)}, ValueError, "a number of no string"),
        ({"words": np.array([[0, 5, 0, 0, 0, 0]] * 2, np.int32)}, ValueError, "a number of no string"),
        ({"first": 2**31 - 1}, OverflowError, "2\\*\\*31"),
        ({"first": 0}, OverflowError, "2\\*\\*31"),
    ],
)
def test_arrays_that_do_not_fit(changes, error, message):
    arguments = {"words": np.zeros((2, 6), np.int32), "first": 1, "offsets": as_int32(0, 2), "hashtags": as_int32(0, 1)}
    arguments |= {"label_offsets": as_int32(0, 0), "labels": as_int32(0, 0)}
    BINDING.label(*arguments.values())
    with pytest.raises(error, match=message):
        BINDING.label(*(arguments | changes).values())
