"""igdet's trunks under Detectron2's own checkpointer: filled wholly, or an error; never random in silence."""

import copy
import hashlib
import io
import shutil

import pytest
import timm
import torch
import torchvision
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import get_cfg
from detectron2.modeling import build_backbone
from torch import nn

from igdet.checkpoint import convert_checkpoint
from igdet.config import add_igdet_config
from igdet.formats.catalog import IMAGENET, WEIGHTS, Weights
from igdet.formats.errors import WeightsError
from igdet.utils.errors import UserError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("IGDET_CACHE", str(folder))
    return folder


def host_config(name="R_18_FPN", weights=""):
    """What a script of somebody's has: Detectron2's defaults, and a name."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.DEVICE, cfg.MODEL.BACKBONE.NAME, cfg.MODEL.WEIGHTS = "cpu", name, weights
    cfg.MODEL.RESNETS.OUT_FEATURES = ["res2", "res3", "res4", "res5"]
    cfg.MODEL.FPN.IN_FEATURES = cfg.MODEL.RESNETS.OUT_FEATURES
    return cfg


class Detector(nn.Module):
    """A model of Detectron2's kind, as far as its weights go."""

    def __init__(self, cfg):
        super().__init__()
        self.backbone = build_backbone(cfg)


def torchvision_file(path):
    network = torchvision.models.resnet18().eval()
    torch.save(network.state_dict(), path)
    return network


@torch.no_grad()
def same_features(detector, network, images):
    trunk = getattr(detector.backbone, "bottom_up", detector.backbone).eval()
    stages = nn.Sequential(network.conv1, network.bn1, nn.ReLU(), nn.MaxPool2d(3, 2, 1), network.layer1, network.layer2)
    stages = stages.append(network.layer3).append(network.layer4)
    torch.testing.assert_close(trunk(images)["res5"], stages(images))
    return True


@pytest.mark.parametrize("name", ["R_18_FPN", "R_18"])
@pytest.mark.parametrize("build", [torchvision.models.resnet18, lambda: timm.create_model("resnet18")])
def test_files_of_torchvision_and_timm_give_their_features(build, name, tmp_path):
    network = build().eval()
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, tmp_path / "a.pth")
    detector = Detector(host_config(name))
    DetectionCheckpointer(detector).load(f"igdet://file/{tmp_path}/a.pth")
    assert same_features(detector, network, torch.rand(1, 3, 64, 64))


def test_a_published_name_gives_its_features(tmp_path, cache, monkeypatch):
    network = torchvision_file(tmp_path / "a.pth")
    digits = hashlib.sha256((tmp_path / "a.pth").read_bytes()).hexdigest()[:8]
    shutil.copy(tmp_path / "a.pth", cache / f"r-{digits}.pth")
    monkeypatch.setitem(WEIGHTS, "small", Weights(f"r-{digits}.pth", "R_18", IMAGENET, {}))
    detector = Detector(host_config())
    DetectionCheckpointer(detector).load("igdet://small")
    assert same_features(detector, network, torch.rand(1, 3, 64, 64))
    (made,) = (cache / "detectron2").glob("*.pkl")
    first = made.stat().st_ino
    DetectionCheckpointer(detector).load("igdet://small")
    assert made.stat().st_ino == first  # converted once
    with pytest.raises(WeightsError, match=r"igdet://small: the config feeds these weights .*INPUT.FORMAT is BGR"):
        Detector(host_config(weights="igdet://small"))


def test_a_file_that_changes_is_converted_again(tmp_path):
    for _ in range(2):
        network = torchvision_file(tmp_path / "a.pth")
        detector = Detector(host_config())
        DetectionCheckpointer(detector).load(f"igdet://file/{tmp_path}/a.pth")
        assert same_features(detector, network, torch.rand(1, 3, 64, 64))


def test_a_converted_file(tmp_path):
    network = torchvision_file(tmp_path / "a.pth")
    convert_checkpoint(str(tmp_path / "a.pth"), tmp_path / "a.pkl", "detectron2")
    detector = Detector(host_config())
    DetectionCheckpointer(detector).load(str(tmp_path / "a.pkl"))
    assert same_features(detector, network, torch.rand(1, 3, 64, 64))


@pytest.mark.parametrize(("source", "target"), [("R_18", "R_18_FPN"), ("R_18_FPN", "R_18")])
def test_trunks_go_from_classifiers_to_detectors_and_back(source, target, tmp_path):
    first, second = Detector(host_config(source)), Detector(host_config(target))
    torch.save({"model": first.state_dict()}, tmp_path / "model_final.pth")
    DetectionCheckpointer(second).load(str(tmp_path / "model_final.pth"))
    trunks = [getattr(model.backbone, "bottom_up", model.backbone).state_dict() for model in (first, second)]
    assert trunks[0].keys() == trunks[1].keys()
    assert all(tensor.equal(trunks[1][name]) for name, tensor in trunks[0].items())


REFUSED = {
    "torchvision's names": lambda: torchvision.models.resnet18().state_dict(),
    "another depth": lambda: {"model": Detector(host_config("R_50_FPN")).state_dict()},
    "another width": lambda: {"model": Detector(host_config("X_14_8x4d_FPN")).state_dict()},
    "no trunk": lambda: {"model": {"roi_heads.x": torch.ones(1)}},
    "half a trunk": lambda: {
        "model": {k: v for k, v in Detector(host_config()).state_dict().items() if ".res5." not in k}
    },
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_a_trunk_that_would_stay_random_is_an_error(content, tmp_path):
    torch.save(content(), tmp_path / "a.pth")
    with pytest.raises((UserError, RuntimeError), match=r"tensors would stay as they are|size mismatch"):
        DetectionCheckpointer(Detector(host_config())).load(str(tmp_path / "a.pth"))


def test_what_is_no_checkpoint_is_refused_by_name(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    for path, said in (("a.pth", "Git-LFS"), ("b.pth", "b.pth cannot be converted")):
        with pytest.raises(WeightsError, match=said):
            DetectionCheckpointer(Detector(host_config())).load(f"igdet://file/{tmp_path}/{path}")


def test_a_guarded_model_is_copied_and_pickled_as_any_other():
    detector = Detector(host_config("X_14_8x4d_FPN"))
    buffer = io.BytesIO()
    torch.save(detector, buffer)
    buffer.seek(0)
    for model in (copy.deepcopy(detector), torch.load(buffer, weights_only=False)):
        model.load_state_dict(detector.state_dict())
        with pytest.raises(UserError, match="would stay as they are"):
            model.load_state_dict({}, strict=False)
