"""Images that cannot be shown to raters."""

import numpy as np
import pytest

from igdet.evaluation.rating.pages import set_aside_unreadable
from igdet.evaluation.rating.questions import Disagreement, Questions
from igdet.utils.errors import UserError

ROWS = [Disagreement(f"{number:03d}", 0, 1) for number in range(100)]


def read_all_but(broken: int):
    def read(name: str) -> np.ndarray:
        if int(name) < broken:
            raise UserError(f"{name}: is empty")
        return np.zeros((1, 1, 3), np.uint8)

    return read


def test_they_are_set_aside_and_named():
    questions = Questions("f", 1000, 900, ROWS)
    kept = set_aside_unreadable(questions, read_all_but(2))
    assert kept == Questions("f", 1000, 900, ROWS[2:], ["000: is empty", "001: is empty"])
    assert set_aside_unreadable(questions, read_all_but(0)) == questions


# One in a hundred images of the data set: 12 of 1,200; of a sample of 100 of 200 disagreements, 12 of half of 2,400.
@pytest.mark.parametrize(("images", "right"), [(1200, 1100), (2400, 2200)])
def test_too_many(images, right):
    questions = Questions("f", images, right, ROWS)
    assert len(set_aside_unreadable(questions, read_all_but(12)).unreadable) == 12
    with pytest.raises(UserError, match="13 of 100 images to be rated cannot be read, the last one 012: is empty"):
        set_aside_unreadable(questions, read_all_but(13))


def test_none_can_be_read():
    with pytest.raises(UserError, match="1 of 1 images to be rated cannot be read"):
        set_aside_unreadable(Questions("f", 2, 1, ROWS[:1]), read_all_but(1))
