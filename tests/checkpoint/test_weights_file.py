"""Opening checkpoints of all kinds."""

import argparse
import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from igdet.checkpoint import open_weights
from igdet.formats.errors import UnreadableWeights, WeightsError
from igdet.formats.origin import TORCHVISION


def save(content, path):
    if path.suffix == ".pkl":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    return str(path)


WRAPPINGS = {
    "bare": lambda tensors: tensors,
    "state_dict": lambda tensors: {"state_dict": tensors, "epoch": 90},
    "model": lambda tensors: {"model": tensors},
    "DataParallel": lambda tensors: {"state_dict": prefixed("module.", tensors)},
    "twice": lambda tensors: {"model_state_dict": prefixed("module.module.", tensors)},
    "compiled": lambda tensors: {"net": prefixed("_orig_mod.module.", tensors)},
    "compiled inside": lambda tensors: {"model": prefixed("module.backbone._orig_mod.", tensors)},
    "Lightning": lambda tensors: {"state_dict": prefixed("model.net.encoder.", tensors), "hyper_parameters": {"lr": 1}},
    "VISSL": lambda tensors: {
        "classy_state_dict": {"base_model": {"model": {"trunk": prefixed("_feature_blocks.", tensors), "heads": {}}}}
    },
    "only an average": lambda tensors: {"state_dict_ema": tensors, "epoch": 3},
    "a training script's": lambda tensors: {
        **{"model": tensors, "optimizer": {"state": {0: {"momentum_buffer": torch.ones(1)}}, "param_groups": []}},
        **{"args": argparse.Namespace(lr=0.1, out=Path("x")), "best_acc1": np.float64(76.1), "more": SimpleNamespace()},
    },
}


def prefixed(prefix, tensors):
    return {prefix + name: tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
def test_wrappings(wrap, torchvision_weights, tmp_path):
    file = open_weights(save(wrap(torchvision_weights), tmp_path / "weights.pth"))
    assert file.naming == "torchvision"
    assert file.origin == TORCHVISION
    assert file.tensors["stem.conv1.weight"].equal(torchvision_weights["conv1.weight"])
    assert file.tensors["classifier.bias"].equal(torchvision_weights["fc.bias"])
    assert len(file.tensors) == len(torchvision_weights)


COPIES = {
    "timm": ({"state_dict": 1, "state_dict_ema": 2}, "state_dict", "state_dict_ema"),
    "torchvision": ({"model_ema": 2, "model": 1}, "model", "model_ema"),
    "DINO": ({"teacher": 2, "student": 1}, "student", "teacher"),
}


@pytest.mark.parametrize(("factors", "trained", "averaged"), COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("key", ["", "averaged"])
def test_an_average_beside_the_weights(key, factors, trained, averaged, torchvision_weights, tmp_path):
    content = {
        name: prefixed("module.", {k: factor * v for k, v in torchvision_weights.items()})
        for name, factor in factors.items()
    }
    file = open_weights(save(content, tmp_path / "weights.pth"), averaged if key else "")
    assert file.tensors["stem.conv1.weight"].equal((2 if key else 1) * torchvision_weights["conv1.weight"])
    assert (file.key, file.others) == ((averaged, (trained,)) if key else (trained, (averaged,)))


def test_the_encoder_that_was_trained_is_taken_from_momentum_contrast(torchvision_weights, tmp_path):
    trunk = {name: tensor for name, tensor in torchvision_weights.items() if not name.startswith("fc")}
    halves = prefixed("module.encoder_k.", {k: v / 2 for k, v in trunk.items()}) | prefixed("module.encoder_q.", trunk)
    heads = {"module.encoder_q.fc.0.weight": torch.ones(4, 4), "module.queue": torch.ones(2)}
    file = open_weights(save({"state_dict": halves | heads}, tmp_path / "moco.pth"))
    assert (file.key, file.others) == ("state_dict.encoder_q", ("state_dict.encoder_k",))
    assert file.tensors["stem.conv1.weight"].equal(trunk["conv1.weight"])
    assert len(file.tensors) == len(trunk) + 2


def test_a_key_that_is_not_there_is_refused_with_those_that_are(torchvision_weights, tmp_path):
    path = save({"model": torchvision_weights, "model_ema": torchvision_weights}, tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match=r"weights.pth: no weights lie under 'ema', but under model, model_ema"):
        open_weights(path, "ema")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_the_files_fault(number, torchvision_weights, tmp_path):
    torchvision_weights["layer4.0.conv1.weight"][0, 0] = number
    with pytest.raises(UnreadableWeights, match=r"weights.pth: 1 of the .* of layer4\.0\.conv1\.weight are NaN or inf"):
        open_weights(save(torchvision_weights, tmp_path / "weights.pth"))


def test_what_else_a_file_holds(tmp_path):
    file = open_weights(save({"model": {"backbone.stem.x": torch.ones(1)}, "iteration": 7}, tmp_path / "weights.pth"))
    assert file.rest == {"iteration": 7}
    assert file.origin is None and file.class_names is None


def test_detectron2s_converted_torchvision_file(tmp_path):
    tensors = {"stem.conv1.weight": np.ones((2, 3), np.float32), "stem.fc.bias": np.ones(4, np.float32)}
    content = {"model": tensors, "__author__": "torchvision", "matching_heuristics": True}
    file = open_weights(save(content, tmp_path / "R-50.pkl"))
    assert file.origin == TORCHVISION
    assert {name: tuple(t.shape) for name, t in file.tensors.items()} == {
        "stem.conv1.weight": (2, 3),
        "classifier.bias": (4,),
    }


def test_folded_caffe2_weights_get_statistics(tmp_path):
    content = {"conv1_w": np.ones((2, 3), np.float32), "res_conv1_bn_s": np.ones(2, np.float32)}
    file = open_weights(save(content, tmp_path / "R-50.pkl"))
    assert file.origin.format == "BGR" and file.origin.norm == "FrozenBN"
    assert file.tensors["stem.conv1.norm.running_var"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "there are no tensors in it"),
        ({"model": {"stem.conv1.weight": [1.0]}}, "'stem.conv1.weight' is of type list"),
        ({"stem.conv1.weight": torch.ones(1), "epoch": 3}, "'epoch' is of type int"),
        ({3: torch.ones(1)}, "expected tensors by name, but 3 is of type Tensor"),
    ],
)
def test_no_mapping_of_tensors(content, said, tmp_path):
    with pytest.raises(WeightsError, match=rf"weights\.pth: .*{said}"):
        open_weights(save(content, tmp_path / "weights.pth"))


@pytest.mark.parametrize("about", ["yes", {"origin": {"mean": 1}}, {"origin": [1]}, {"mixture": 4}, {"mixture": "yes"}])
def test_what_a_file_says_of_itself_must_be_as_igdet_writes_it(about, tmp_path):
    content = {"model": {"stem.conv1.weight": torch.ones(1)}, "igdet": about}
    with pytest.raises(WeightsError, match=r"weights\.pth: its entry 'igdet' is not as igdet writes it"):
        open_weights(save(content, tmp_path / "weights.pth"))


@pytest.mark.parametrize("name", [None, 5, ("a", "b")])
def test_names_that_are_no_texts_are_refused(name, torchvision_weights, tmp_path):
    torch.save(torchvision_weights | {name: torch.ones(1)}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="tensors"):
        open_weights(str(tmp_path / "w.pth"))


def test_arrays_of_objects_are_no_tensors(tmp_path):
    with pytest.raises(WeightsError, match="'a' is of type ndarray"):
        open_weights(save({"a": np.array(["x", None], object)}, tmp_path / "weights.pkl"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.pth cannot be opened: [^;]*$"):
        open_weights(str(tmp_path / "nowhere.pth"))
    with pytest.raises(WeightsError, match=r"ssl_resnet19 cannot be opened: .*; did you mean 'ssl_resnet18'"):
        open_weights("ssl_resnet19")


def test_a_home_folder_is_expanded(torchvision_file, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_weights("~/resnext14.pth").naming == "torchvision"
