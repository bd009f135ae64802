"""A detector that takes everything for background is named while it trains, and one that begins to learn is not."""

import pytest
from detectron2.utils.events import EventStorage

from igdet.engine.hooks import LONG_PATIENCE, PATIENCE, LostForeground

LOST = {"fast_rcnn/false_negative": 1.0, "loss_box_reg": 1e-4}
EARLY = {"fast_rcnn/false_negative": 1.0, "loss_box_reg": 0.1}  # nothing recognised yet, but proposals meet objects
LEARNING = {"fast_rcnn/false_negative": 0.75, "loss_box_reg": 0.6}


class Training:
    """As much of a trainer as the hook looks at."""

    def __init__(self, settings="", begin=0):
        self.iter, self.hook = begin, LostForeground(settings)
        self.hook.trainer = self

    def steps(self, number, scalars):
        for _ in range(number):
            with EventStorage(self.iter) as self.storage:
                self.storage.put_scalars(**scalars)
                self.hook.after_step()
            self.iter += 1
        return self


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr("igdet.engine.hooks.logger.warning", lines.append)
    return lines


def test_a_lost_detector_is_named_once_with_the_remedy(said):
    training = Training("now 0.06 and 0 iterations").steps(30, LEARNING).steps(PATIENCE - 1, LOST)
    assert (training.hook.since, said) == (None, [])
    training.steps(200, LOST)
    assert training.hook.since == 30
    [line] = said
    assert (
        "in iterations 30 to 129 it took every object for background, and in 100 of these 100 no proposal met" in line
    )
    assert "a lower SOLVER.BASE_LR or a longer warm-up (now 0.06 and 0 iterations)" in line


def test_a_proposal_that_meets_an_object_by_chance_does_not_save_it(said):
    training = Training()
    for _ in range(PATIENCE // 4):
        training.steps(3, LOST).steps(1, EARLY)
    assert training.hook.since == 0
    assert "in 75 of these 100" in said[0]


def test_one_that_meets_objects_but_recognises_none_has_more_time(said):
    training = Training().steps(LONG_PATIENCE - 1, EARLY)
    assert said == []
    assert training.steps(1, EARLY).hook.since == 0


def test_one_that_begins_to_learn_is_left_alone(said):
    training = Training()
    for _ in range(20):
        training.steps(PATIENCE - 1, LOST).steps(1, LEARNING)
    training.steps(1000, {"loss_cls": 1.0})  # no box head, or images without objects
    assert (training.hook.since, said) == (None, [])


def test_one_that_recovers_is_not_recorded_as_lost(said):
    training = Training().steps(PATIENCE, LOST).steps(1, LEARNING)
    assert training.hook.since is None
    assert f"finds objects again, from iteration {PATIENCE} on" in said[1]


def test_a_resumed_run_counts_on(said):
    before, after = Training().steps(60, LOST), Training(begin=60)
    after.hook.load_state_dict(before.hook.state_dict())
    assert after.steps(PATIENCE - 60, LOST).hook.since == 0


@pytest.mark.parametrize(("second", "since"), [(1.0, 0), (0.5, None)])
def test_every_stage_of_a_cascade_must_miss(said, second, since):
    stages = {"stage0/fast_rcnn/false_negative": 1.0, "stage1/fast_rcnn/false_negative": second}
    losses = {"loss_box_reg_stage0": 1e-4, "loss_box_reg_stage1": 1e-4}
    assert Training().steps(PATIENCE, stages | losses).hook.since == since
