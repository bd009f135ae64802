"""The average of the weights: its formula, its place during evaluation, and its resumption."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from igdet.engine.averages import WeightAverage


def averaged(model, **settings):
    hook = WeightAverage(**settings)
    hook.trainer = SimpleNamespace(model=model)
    return hook


def follow(hook, model, values):
    for value in values:
        model.weight.data.fill_(value)
        hook.after_step()


@pytest.fixture
def model():
    return nn.Linear(1, 1, bias=False)


def test_weights_count_by_how_many_images_ago_they_were(model):
    hook = averaged(model, half_life=20, ims_per_batch=10)  # decay = 0.5 ** (10 / 20)
    values = [3.0, -1.0, 4.0, 1.0, -5.0]
    follow(hook, model, values)
    ages = torch.arange(len(values)).flip(0)
    shares = 0.5 ** (ages * 10 / 20)  # half after two steps, and nothing of the weights before the first
    expected = float((shares * torch.tensor(values)).sum() / shares.sum())
    with hook.in_place():
        assert float(model.weight) == pytest.approx(expected, rel=1e-5)
    assert float(model.weight) == -5.0


def test_another_batch_keeps_the_memory(model):
    found = []
    for batch in (1, 4):
        hook = averaged(model, half_life=16, ims_per_batch=batch)
        follow(hook, model, [1.0] * (32 // batch) + [0.0] * (16 // batch))  # 16 images, a half-life, after the change
        with hook.in_place():
            found.append(float(model.weight))
    expected = (0.5 - 0.5**3) / (1 - 0.5**3)
    assert found == pytest.approx([expected] * 2, rel=1e-5)


def test_running_statistics_are_averaged_and_counters_are_not():
    model = nn.BatchNorm1d(1)
    hook = averaged(model, half_life=1, ims_per_batch=1)
    for value in (1, 4):
        model.running_mean.fill_(value)
        model.num_batches_tracked.fill_(value)
        hook.after_step()
    with hook.in_place():
        assert float(model.running_mean) == pytest.approx((0.5 * 1 + 4) / 1.5)
        assert int(model.num_batches_tracked) == 4


def test_a_failing_evaluation_leaves_the_trained_weights(model):
    hook = averaged(model, half_life=1, ims_per_batch=1)
    follow(hook, model, [1.0, 2.0])
    with pytest.raises(RuntimeError), hook.in_place():
        raise RuntimeError
    assert float(model.weight) == 2.0


def test_a_resumed_average_goes_on_as_before(model):
    hook = averaged(model, half_life=3, ims_per_batch=1)
    follow(hook, model, [1.0, 2.0, 7.0])
    with hook.in_place():  # as a checkpoint is written: the model is the average
        saved, state = {k: v.clone() for k, v in model.state_dict().items()}, hook.state_dict()
        state = {**state, "weights": {k: v.clone() for k, v in state["weights"].items()}}
    other = nn.Linear(1, 1, bias=False)
    other.load_state_dict(saved)
    resumed = averaged(other, half_life=3, ims_per_batch=1)
    resumed.load_state_dict(state)
    assert float(other.weight) == 7.0
    for each, its_model in ((hook, model), (resumed, other)):
        follow(each, its_model, [3.0])
    with hook.in_place(), resumed.in_place():
        assert float(other.weight) == float(model.weight)


def test_before_the_first_step_there_is_nothing_to_put_in_place(model):
    model.weight.data.fill_(5.0)
    with averaged(model, half_life=3, ims_per_batch=1).in_place():
        assert float(model.weight) == 5.0
