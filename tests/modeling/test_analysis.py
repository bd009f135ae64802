"""Costs that one can work out by hand, and those of published networks."""

import pytest
import torch
from torch import nn

from igdet.modeling.classifier import ImageClassifier
from igdet.modeling.costs import count, kept_for_backward, seconds, training_bytes
from igdet.modeling.resnet_networks import FAMILY, build_resnext


def classifier(name, classes=1000):
    return ImageClassifier(
        backbone=build_resnext(FAMILY[name]), num_classes=classes, pixel_mean=[0, 0, 0], pixel_std=[1, 1, 1]
    )


def image(side):
    return [{"image": torch.zeros(3, side, side, dtype=torch.uint8)}]


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)
        self.linear = nn.Linear(4, 5)

    def forward(self, inputs):
        return self.linear(self.convolution(inputs[0]["image"].float()[None]).mean((2, 3)))


def test_a_small_network_by_hand():
    cost = count(Small().eval(), image(8))
    assert cost.parameters * 1e6 == pytest.approx(3 * 4 * 9 + 4 + 4 * 5 + 5)
    assert cost.multiply_adds * 1e9 == pytest.approx(8 * 8 * 4 * 3 * 9 + 4 * 5)
    assert cost.activations * 1e6 == pytest.approx(8 * 8 * 4 + 5)


def test_resnext_50_costs_what_torchvision_says():
    cost = count(classifier("X_50_32x4d").eval(), image(224))
    assert cost.parameters == pytest.approx(25.028904)  # num_params of torchvision's weights
    assert cost.multiply_adds == pytest.approx(4.23, abs=0.005)  # their GFLOPS


def test_what_the_forward_pass_keeps():
    weight = nn.Parameter(torch.ones(10))
    inputs = torch.ones(10)

    def step():
        hidden = (weight * inputs).exp()  # keeps its result, 40 bytes; weight and inputs are leaves
        return hidden.sin().sum()  # keeps `hidden`, the same storage

    assert kept_for_backward(step) == 40


def test_training_memory_is_weights_gradients_momentum_and_what_is_kept():
    model = classifier("X_14_8x4d", 10).train()
    sample = [{**image(64)[0], "gt_classes": torch.tensor([label])} for label in (1, 2)]
    weights = sum(weight.numel() for weight in model.parameters())
    alone = training_bytes(model, lambda: None)
    assert alone == 3 * 4 * weights
    one = training_bytes(model, lambda: model(sample[:1])) - alone
    assert one > 0
    assert training_bytes(model, lambda: model(sample)) - alone == pytest.approx(2 * one, rel=0.1)
    model.backbone.requires_grad_(False)
    head = sum(weight.numel() for weight in model.classifier.parameters())
    assert training_bytes(model, lambda: None) == 4 * (weights + 2 * head)


def test_as_many_calls_as_asked_for_are_timed():
    calls = []
    assert seconds(lambda: calls.append(1), repeats=3) >= 0
    assert len(calls) == 3
