"""Trunks that fit and trunks that do not, and what the table says of the rest."""

import pytest
import torch

from igdet.checkpoint.fit import describe_trunk, fit_tensors, summarise_fit
from igdet.formats.errors import WeightsError
from igdet.modeling import FAMILY, Member, Mixture, build_resnext
from igdet.modeling.trunk import kinds_of_trunks

MODEL, HEADS = "X_26_8x4d", {"classifier.weight": torch.ones(5, 512), "classifier.bias": torch.ones(5)}


def trunk(member, **options):
    with torch.device("meta"):
        return build_resnext(member, **options).state_dict()


def model_state(**options):
    state = trunk(FAMILY[MODEL], **options) | HEADS
    return {name if name in HEADS else f"backbone.{name}": tensor for name, tensor in state.items()}


def misfit(file):
    with pytest.raises(WeightsError) as caught:
        fit_tensors(model_state(), file)
    return str(caught.value)


@pytest.mark.parametrize("name", FAMILY)
def test_every_member_is_told_from_its_tensors(name):
    assert describe_trunk(trunk(FAMILY[name])) == name


@pytest.mark.parametrize("name", ["X_14_8x4d", "X_26_8x4d", "R_50"])
def test_a_first_block_of_experts_hides_no_member(name):
    mixture = Mixture(num_experts=3, stages=("res2", "res5"), every=1)
    assert describe_trunk(trunk(FAMILY[name], mixture=mixture)) == name


def test_the_whole_file_is_loaded():
    fit = fit_tensors(model_state(), trunk(FAMILY[MODEL]) | HEADS)
    assert set(fit.loaded) == set(model_state())
    assert not fit.initialised and not fit.left


def test_a_new_classifier():
    fit = fit_tensors(model_state(), trunk(FAMILY[MODEL]) | HEADS, new_classifier=True)
    assert fit.initialised == fit.left == list(HEADS)


def test_heads_of_another_shape_are_new_and_named():
    fit = fit_tensors(model_state(), trunk(FAMILY[MODEL]) | HEADS | {"classifier.bias": torch.ones(9)})
    assert fit.initialised == fit.left == fit.misshapen == ["classifier.bias"]
    assert "backbone.stem.conv1.weight" in fit.loaded and "classifier.weight" in fit.loaded


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (Member((2, 2, 3, 2), 8, 4, 16, 64), "the file holds X_29_8x4d, the model has X_26_8x4d"),
        (Member((2, 2, 1, 2), 8, 4, 16, 64), "the file holds X_23_8x4d, the model has X_26_8x4d"),
        (Member((2, 2, 2, 2), 8, 8, 16, 64), "the file holds X_26_8x8d, the model has X_26_8x4d"),
        (Member((2, 2, 2, 2), 4, 8, 16, 64), "the file holds X_26_4x8d, the model has X_26_8x4d"),
        (Member((2, 2, 2, 2), 8, 4, 32, 64), "the channels differ"),
        (Member((2, 2, 2, 2), 8, 4, 16, 128), "the channels differ"),
    ],
    ids=["deeper", "shallower", "wider", "fewer groups", "another stem", "more channels"],
)
def test_other_networks_are_refused_by_name(member, said):
    message = misfit(trunk(member))
    assert said in message and "Set MODEL.BACKBONE.NAME" in message


def test_the_tensors_are_named():
    message = misfit(trunk(Member((2, 2, 3, 2), 8, 4, 16, 64)))
    assert "not in the model: res4.2.conv1.weight, " in message and "and 11 more" in message
    message = misfit(trunk(Member((2, 2, 2, 2), 8, 4, 32, 64)))
    assert "stem.conv1.weight (32, 3, 7, 7) in the file, (16, 3, 7, 7) in the model" in message


def test_a_trunk_filled_in_part_is_refused():
    file = trunk(FAMILY[MODEL])
    del file["res3.1.conv2.norm.bias"], file["res3.1.conv2.weight"]
    message = misfit(file)
    assert "not in the file: res3.1.conv2.weight, res3.1.conv2.norm.bias" in message
    assert "Is the file complete?" in message


def test_a_trunk_without_its_last_stage_is_refused():
    file = {name: tensor for name, tensor in trunk(FAMILY[MODEL]).items() if not name.startswith("res5")}
    assert "the file holds a trunk without res5" in misfit(file)


def test_a_file_without_a_trunk_is_refused():
    assert f"holds no {kinds_of_trunks()} trunk" in misfit({"encoder.weight": torch.ones(1)})


def test_other_norms_are_refused():
    without_statistics = {name: t for name, t in trunk(FAMILY[MODEL]).items() if ".running_" not in name}
    assert "Set MODEL.RESNETS.NORM" in misfit(without_statistics)


@pytest.mark.parametrize("file_norm", ["BN", "FrozenBN"])
@pytest.mark.parametrize("model_norm", ["BN", "FrozenBN"])
def test_counters_of_batches_may_be_absent_on_either_side(file_norm, model_norm):
    fit = fit_tensors(model_state(norm=model_norm), trunk(FAMILY[MODEL], norm=file_norm))
    assert fit.initialised == list(HEADS)
    assert fit.left == []


def test_the_table_counts_and_names():
    state = {"backbone.stem.conv1.weight": torch.ones(2), "backbone.fpn_output2.bias": torch.ones(1), **HEADS}
    file = {"stem.conv1.weight": torch.ones(2), "classifier.bias": torch.ones(9), "old.weight": torch.ones(1)}
    lines = summarise_fit(fit_tensors(state, file)).splitlines()
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:6])] == [
        ["part", "loaded", "initialised", "left in the file"],
        ["trunk", "1", "0", "0"],
        ["feature pyramid", "0", "1", "0"],
        ["classifier", "0", "2", "1"],
        ["old", "0", "0", "1"],
    ]
    assert lines[6:] == [
        "New, from random numbers: backbone.fpn_output2, classifier",
        "Left in the file: classifier, old",
        "Of these, in both but of different shapes: classifier",
    ]
