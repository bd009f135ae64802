"""Conversion to torchvision's format and to Detectron2's, and back."""

import pickle
import sys

import pytest
import timm
import torch
import torchvision
from detectron2.checkpoint import DetectionCheckpointer
from safetensors.torch import load_file

from igdet.checkpoint import IgdetCheckpointer, convert_checkpoint, open_weights
from igdet.checkpoint.writing import write_safetensors
from igdet.formats.errors import WeightsError
from igdet.formats.origin import TORCHVISION
from igdet.modeling.trunk import kinds_of_trunks


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name


def read(path):
    return torch.load(path, weights_only=True)


@pytest.fixture
def igdet_file(make_model, torchvision_file, tmp_path):
    """A classifier's checkpoint, with the tensors of `torchvision_file`."""
    model, cfg = make_model("classifier", "MODEL.BACKBONE.FREEZE_AT", 0)
    checkpointer = IgdetCheckpointer(model, str(tmp_path), cfg=cfg)
    checkpointer.load_for_evaluation(torchvision_file)
    checkpointer.save("model_final", iteration=3)
    return str(tmp_path / "model_final.pth")


def test_torchvision_to_detectron2_and_back_is_bit_exact(torchvision_file, torchvision_weights, tmp_path):
    convert_checkpoint(torchvision_file, tmp_path / "there.pkl", "detectron2")
    said = convert_checkpoint(str(tmp_path / "there.pkl"), tmp_path / "back.pth", "torchvision")
    assert_same(read(tmp_path / "back.pth"), torchvision_weights)
    assert f"{len(torchvision_weights)} tensors" in said


def test_detectron2_to_torchvision_and_back_is_bit_exact(torchvision_file, tmp_path):
    convert_checkpoint(torchvision_file, tmp_path / "start.pkl", "detectron2")
    convert_checkpoint(str(tmp_path / "start.pkl"), tmp_path / "there.pth", "torchvision")
    convert_checkpoint(str(tmp_path / "there.pth"), tmp_path / "back.pkl", "detectron2")
    start, back = (pickle.loads((tmp_path / name).read_bytes()) for name in ("start.pkl", "back.pkl"))
    assert_same(
        {name: torch.as_tensor(array) for name, array in back["model"].items()},
        {name: torch.as_tensor(array) for name, array in start["model"].items()},
    )


def test_igdets_checkpoint_becomes_torchvisions_and_says_what_it_leaves(igdet_file, torchvision_weights, tmp_path):
    said = convert_checkpoint(igdet_file, tmp_path / "weights.pth", "torchvision")
    assert_same(dict(sorted(read(tmp_path / "weights.pth").items())), dict(sorted(torchvision_weights.items())))
    assert said == f"{tmp_path / 'weights.pth'}: {len(torchvision_weights)} tensors; left out: iteration"


def test_detectron2s_own_checkpointer_reads_it(torchvision_file, make_model, tmp_path):
    convert_checkpoint(torchvision_file, tmp_path / "weights.pkl", "detectron2")
    ours, cfg = make_model("detector")
    theirs, _ = make_model("detector")
    IgdetCheckpointer(ours, cfg=cfg).load(torchvision_file, checkpointables=[])
    DetectionCheckpointer(theirs).load(str(tmp_path / "weights.pkl"))
    trunks = [model.backbone.bottom_up.state_dict() for model in (theirs, ours)]
    assert_same(*({name: t for name, t in trunk.items() if "num_batches" not in name} for trunk in trunks))


def test_torchvision_itself_reads_a_real_networks_round_trip(tmp_path):
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=7)
    torch.save(network.state_dict(), tmp_path / "resnet18.pth")
    convert_checkpoint(str(tmp_path / "resnet18.pth"), tmp_path / "there.pkl", "detectron2")
    convert_checkpoint(str(tmp_path / "there.pkl"), tmp_path / "back.pth", "torchvision")
    other = torchvision.models.resnet18(num_classes=7)
    other.load_state_dict(read(tmp_path / "back.pth"))
    assert_same(other.state_dict(), network.state_dict())


def test_the_origin_and_the_classes_travel(make_model, tmp_path):
    model, cfg = make_model("classifier", "INPUT.FORMAT", "BGR")
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("bgr")
    convert_checkpoint(str(tmp_path / "bgr.pth"), tmp_path / "bgr.pkl", "detectron2")
    assert open_weights(str(tmp_path / "bgr.pkl")).origin.format == "BGR"
    with pytest.raises(WeightsError, match=r"these weights expect .*BGR.* would claim .*RGB"):
        convert_checkpoint(str(tmp_path / "bgr.pth"), tmp_path / "rgb.pth", "torchvision")
    assert not (tmp_path / "rgb.pth").exists()


def test_a_classifier_behind_another_pooling_stays_behind(make_model, tmp_path):
    model, cfg = make_model("classifier", "MODEL.CLASSIFIER.POOLING", "logsumexp")
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("pooled", iteration=3)
    source = str(tmp_path / "pooled.pth")
    said = convert_checkpoint(source, tmp_path / "there.pth", "torchvision")
    assert "classifier.weight" in said and "pooling.sharpness" in said
    assert not any(name.startswith("fc.") for name in read(tmp_path / "there.pth"))
    convert_checkpoint(source, tmp_path / "there.pkl", "detectron2")  # has a place for both
    assert {"classifier.weight", "pooling.sharpness"} <= set(
        pickle.loads((tmp_path / "there.pkl").read_bytes())["model"]
    )


def test_a_detectors_heads_stay_with_detectron2(make_model, tmp_path):
    model, cfg = make_model("detector")
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("detector")
    said = convert_checkpoint(str(tmp_path / "detector.pth"), tmp_path / "trunk.pth", "torchvision")
    assert "roi_heads.box_predictor.bbox_pred.weight" in said
    file = open_weights(str(tmp_path / "trunk.pth"))
    assert file.origin == TORCHVISION and not any(name.startswith("roi_heads") for name in file.tensors)
    assert "left out: nothing" in convert_checkpoint(
        str(tmp_path / "detector.pth"), tmp_path / "detector.pkl", "detectron2"
    )


def test_names_of_the_catalog_need_no_prefix(tmp_path, monkeypatch):
    monkeypatch.setenv("IGDET_OFFLINE", "1")
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"resnet18-f37072fd\.pth is not there, and IGDET_OFFLINE forbids"):
        convert_checkpoint("in1k_resnet18", tmp_path / "out.pth", "timm")


def test_a_file_without_a_trunk_is_not_converted(tmp_path):
    torch.save({"blocks.0.attn.qkv.weight": torch.ones(3)}, tmp_path / "vit.pth")
    with pytest.raises(WeightsError, match=rf"vit\.pth: it holds no {kinds_of_trunks()} trunk"):
        convert_checkpoint(str(tmp_path / "vit.pth"), tmp_path / "out.pth", "torchvision")
    assert not (tmp_path / "out.pth").exists()


def test_bfloat16_becomes_float32_where_numpy_has_none(torchvision_weights, tmp_path):
    torch.save({name: t.bfloat16() for name, t in torchvision_weights.items()}, tmp_path / "half.pth")
    convert_checkpoint(str(tmp_path / "half.pth"), tmp_path / "out.pkl", "detectron2")
    found = pickle.loads((tmp_path / "out.pkl").read_bytes())["model"]["stem.conv1.weight"]
    assert torch.equal(torch.as_tensor(found), torchvision_weights["conv1.weight"].bfloat16().float())


def test_the_ending_must_be_the_formats(torchvision_file, tmp_path):
    with pytest.raises(WeightsError, match=r"files in detectron2's format end in \.pkl"):
        convert_checkpoint(torchvision_file, tmp_path / "weights.pth", "detectron2")


def test_safetensors_hold_the_same_bytes_and_timm_reads_them(igdet_file, torchvision_weights, tmp_path):
    said = convert_checkpoint(igdet_file, tmp_path / "model.safetensors", "timm")
    assert said.startswith(f"{tmp_path / 'model.safetensors'}: {len(torchvision_weights)} tensors")
    found = load_file(tmp_path / "model.safetensors")
    assert_same(dict(sorted(found.items())), dict(sorted(torchvision_weights.items())))
    convert_checkpoint(str(tmp_path / "model.safetensors"), tmp_path / "back.pth", "torchvision")
    assert_same(dict(sorted(read(tmp_path / "back.pth").items())), dict(sorted(found.items())))

    network = timm.create_model("resnet18", num_classes=3)
    torch.save(network.state_dict(), tmp_path / "resnet18.pth")
    convert_checkpoint(str(tmp_path / "resnet18.pth"), tmp_path / "resnet18.safetensors", "timm")
    other = timm.create_model("resnet18", num_classes=3, checkpoint_path=str(tmp_path / "resnet18.safetensors"))
    assert_same(other.state_dict(), network.state_dict())


def test_tensors_that_share_memory_become_safetensors(tmp_path):
    whole = torch.arange(6.0).reshape(2, 3)
    write_safetensors({"rows": whole, "columns": whole.T, "again": whole}, tmp_path / "a.safetensors")
    found = load_file(tmp_path / "a.safetensors")
    assert_same(dict(sorted(found.items())), {"again": whole, "columns": whole.T, "rows": whole})


def test_what_cannot_be_a_safetensors_file(torchvision_file, tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match=r"files in detectron2's format end in \.pkl$"):
        convert_checkpoint(torchvision_file, tmp_path / "a.safetensors", "detectron2")
    with pytest.raises(WeightsError, match=r"files in timm's format end in \.pth or \.safetensors$"):
        convert_checkpoint(torchvision_file, tmp_path / "a.bin", "timm")
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(WeightsError, match=r"a\.safetensors needs safetensors: pip install 'igdet\[hub\]'"):
        convert_checkpoint(torchvision_file, tmp_path / "a.safetensors", "timm")
    assert not (tmp_path / "a.safetensors").exists()
