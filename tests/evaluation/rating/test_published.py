"""Published rectified accuracies stand beside those of ImageNet-1k's validation set, and of nothing else."""

from dataclasses import replace

import pytest

from igdet.evaluation.rating.command import published_beside
from igdet.evaluation.rating.questions import Disagreement, Questions

WHOLE = Questions("f", 50_000, 42_500, [Disagreement("n01440764/ILSVRC2012_val_00000293.JPEG", 0, 1)])


def test_of_imagenets_validation_set():
    assert [value for value, _ in published_beside(WHOLE)] == [87.5, 90.4]


@pytest.mark.parametrize(
    "other",
    [
        replace(WHOLE, images=5_000, right=4_000),
        replace(WHOLE, disagreements=[*WHOLE.disagreements, Disagreement("n01440764/293.JPEG", 0, 1)]),
    ],
)
def test_of_another_set_there_is_none(other):
    assert published_beside(other) == []
