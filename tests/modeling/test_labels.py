"""A batch's labels: flattened by hand, and what is refused."""

import pytest
import torch

from igdet.modeling import KHotLabels


def test_flattened():
    labels = KHotLabels.of([torch.tensor([4, 0]), torch.tensor([4]), torch.tensor([1, 2, 3])], num_labels=5)
    assert labels.num_images == 3
    assert labels.rows.tolist() == [0, 0, 1, 2, 2, 2]
    assert labels.ids.tolist() == [4, 0, 4, 1, 2, 3]
    assert labels.sizes.tolist() == [2, 2, 1, 3, 3, 3]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ([], r"images \[1\] of the batch have no label"),
        ([1, 3, 1], "image 1 of the batch has the label 1, which it has twice"),
        ([2, 5], r"image 1 of the batch has the label 5, expected 0\.\.4"),
        ([-1], r"image 1 of the batch has the label -1, expected 0\.\.4"),
    ],
)
def test_bad_labels_are_named(second, message):
    with pytest.raises(ValueError, match=message):
        KHotLabels.of([torch.tensor([1]), torch.tensor(second, dtype=torch.int64)], num_labels=5)
