"""The choice among held-out accuracies, and when and how often it is warned of."""

import pytest

from igdet.evaluation.probing.linear import best_of, warn_of_ends


@pytest.mark.parametrize(
    ("accuracies", "best", "warning"),
    [
        ({2: 50, 5: 40, 9: 30}, 2, "K: the smallest, 2, was best"),
        ({2: 30, 5: 40, 9: 50}, 9, "K: the largest, 9, was best"),
        ({2: 30, 5: 50, 9: 50}, 5, ""),  # of equals the first
        ({1: 50, 5: 40, 9: 30}, 1, ""),  # nothing is smaller than 1
        ({5: 50}, 5, ""),
    ],
)
def test_the_first_of_the_best_is_chosen_and_an_end_is_warned_of(caplog, accuracies, best, warning):
    assert best_of(accuracies) == best
    warn_of_ends([(best, accuracies)], "K", least=1)
    assert warning in caplog.text
    assert bool(caplog.text) == bool(warning)


def test_each_end_is_warned_of_once_with_its_number_of_draws(caplog):
    warn_of_ends([(value, (2, 5, 9)) for value in (2, 5, 9, 2, 5)], "K")
    assert [record.getMessage() for record in caplog.records] == [
        "K: the smallest, 2, was best on the held-out part in 2 of 5 draws: a wider range may do better",
        "K: the largest, 9, was best on the held-out part in 1 of 5 draws: a wider range may do better",
    ]
