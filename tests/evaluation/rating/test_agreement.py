"""Agreement of raters against published examples."""

import pytest

from igdet.evaluation.rating.rectified import krippendorff_alpha, pairwise_agreement

# Krippendorff 2011, examples A (two observers, two values) and C (four observers, missing values): a row an observer.
PUBLISHED = [
    (("0100000010", "1110010000"), 0.095),
    (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),
]


@pytest.mark.parametrize(("observers", "alpha"), PUBLISHED)
def test_published_examples(observers, alpha):
    units = [[answer for answer in unit if answer != "."] for unit in zip(*observers, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(alpha, abs=5e-4)


def test_by_hand():
    units = [["yes", "yes", "no"], ["yes", "yes"], ["no"]]
    assert pairwise_agreement(units) == 4 / 8
    # Observed: 4 / 2 = 2 of 5 answers; four yes and one no: by chance 2 * 4 * 1 of 5 * 4 pairs.
    assert krippendorff_alpha(units) == pytest.approx(1 - (2 / 5) / (8 / 20))


def test_where_nothing_can_be_said():
    assert krippendorff_alpha([["yes"], ["no"]]) is pairwise_agreement([["yes"], []]) is None
    assert krippendorff_alpha([["yes", "yes"]]) is None
    assert krippendorff_alpha([["yes", "yes"], ["no", "no"]]) == 1
