"""Exported checkpoints, run by who they are for: torchvision, timm and an ONNX runtime."""

import json
from functools import partial

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import nn

from igdet.checkpoint import IgdetCheckpointer, convert_checkpoint, onnx_export
from igdet.formats.errors import WeightsError
from igdet.formats.origin import TORCHVISION
from igdet.utils import versions


@pytest.fixture
def make_classifier(make_model, tmp_path):
    """Makes a classifier of igdet with random weights and statistics, and its checkpoint."""

    def make(network, *overrides):
        torch.manual_seed(0)
        model, cfg = make_model("classifier", "MODEL.BACKBONE.NAME", network, *overrides)
        return model, saved(model, cfg, tmp_path)

    return make


def saved(model, cfg, folder):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    IgdetCheckpointer(model.eval(), str(folder), cfg=cfg).save("model_final", iteration=3)
    return str(folder / "model_final.pth")


def random_images(number, side=64):
    generator = torch.Generator().manual_seed(number)
    return torch.randint(0, 256, (number, 3, side, side), generator=generator).float()


def logits_of(model, images):
    with torch.no_grad():
        return torch.stack([row["pred_class_logits"] for row in model([{"image": image} for image in images])])


def normalised(images):
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (TORCHVISION.pixel_mean, TORCHVISION.pixel_std))
    return (images - mean) / std


NETWORKS = {"X_50_32x4d": "resnext50_32x4d", "R_50": "resnet50", "R_18": "resnet18"}
PEERS = {
    "torchvision": lambda name: torchvision.models.get_model(name, num_classes=5),
    "timm": lambda name: timm.create_model(name, num_classes=5),
}


def assert_same(found, expected):
    """Equal to 1e-5 of the largest value, which is what sums of such values are rounded to."""
    expected = expected.numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("to", PEERS)
def test_torchvision_and_timm_compute_the_same(to, network, make_classifier, tmp_path):
    model, path = make_classifier(network)
    convert_checkpoint(path, tmp_path / "out.pth", to)
    peer = PEERS[to](NETWORKS[network]).eval()
    peer.load_state_dict(torch.load(tmp_path / "out.pth", weights_only=True))
    images = random_images(2)
    assert_same(peer(normalised(images)).detach(), logits_of(model, images))


NORMS = {"FrozenBN": nn.BatchNorm2d, "GN": partial(nn.GroupNorm, 32)}  # ours -> torchvision's


@pytest.mark.parametrize("norm", NORMS)
def test_other_norms_load_strictly_too(norm, make_classifier, tmp_path):
    model, path = make_classifier("R_18", "MODEL.RESNETS.NORM", norm)
    convert_checkpoint(path, tmp_path / "out.pth", "torchvision")
    peer = torchvision.models.resnet18(num_classes=5, norm_layer=NORMS[norm]).eval()
    peer.load_state_dict(torch.load(tmp_path / "out.pth", weights_only=True))
    images = random_images(2)
    assert_same(peer(normalised(images)).detach(), logits_of(model, images))


@pytest.fixture
def run_onnx():
    """Runs an ONNX file; gives its output and its session."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason="ONNX: pip install 'igdet[export]'")
    if reason := versions.too_old("ONNX export"):
        pytest.skip(reason)
    import onnxruntime

    def run(path, images):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return session.run(None, {"images": images.numpy()})[0], session

    return run


@pytest.mark.parametrize(
    ("network", "overrides"),
    [
        ("X_14_8x4d", ()),
        ("R_18", ("MODEL.RESNETS.NORM", "GN")),
        ("X_14_8x4d", ("MODEL.MOE.EXPERTS", 4, "MODEL.MOE.TOP_K", 3)),
        ("X_14_8x4d", ("MODEL.MOE.EXPERTS", 3, "MODEL.MOE.STAGES", ["res2"])),
    ],
)
def test_an_onnx_classifier_computes_the_same_for_any_number_and_size(
    network, overrides, run_onnx, make_classifier, tmp_path
):
    model, path = make_classifier(network, *overrides)
    said = convert_checkpoint(path, tmp_path / "out.onnx", "onnx")
    assert said.endswith("left out: iteration")
    for images in (random_images(1), random_images(3), random_images(2, side=96)):
        found, session = run_onnx(tmp_path / "out.onnx", images)
        assert_same(found, logits_of(model, images))
    assert [output.name for output in session.get_outputs()] == ["logits"]
    about = session.get_modelmeta().custom_metadata_map
    assert (about["channels"], about["network"]) == ("RGB", network)
    assert json.loads(about["class_names"]) is None


def test_an_onnx_trunk_of_a_detector_gives_features_of_bgr_images(run_onnx, make_model, tmp_path):
    model, cfg = make_model("detector", "INPUT.FORMAT", "BGR", "MODEL.PIXEL_STD", [57.375, 57.12, 58.395])
    said = convert_checkpoint(saved(model, cfg, tmp_path), tmp_path / "out.onnx", "onnx")
    assert "roi_heads.box_predictor.bbox_pred.weight" in said
    images = random_images(2)
    with torch.no_grad():
        fed = (images - model.pixel_mean) / model.pixel_std
        expected = model.backbone.bottom_up(fed)["res5"].mean(dim=(2, 3))
    found, session = run_onnx(tmp_path / "out.onnx", images)
    assert_same(found, expected)
    assert [output.name for output in session.get_outputs()] == ["features"]
    assert session.get_modelmeta().custom_metadata_map["channels"] == "BGR"


def test_experts_of_unknown_use_are_refused(run_onnx, make_classifier, tmp_path):
    _, path = make_classifier("X_14_8x4d", "MODEL.MOE.EXPERTS", 4)
    content = torch.load(path)
    del content["igdet"]["mixture"]
    torch.save(content, path)
    with pytest.raises(WeightsError, match="does not say how many of them an image goes to"):
        convert_checkpoint(path, tmp_path / "out.onnx", "onnx")


def test_without_the_packages_the_extra_is_named(torchvision_file, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"ONNX needs onnx and onnxscript: pip install 'igdet\[export\]'"):
        convert_checkpoint(torchvision_file, tmp_path / "out.onnx", "onnx")


def test_a_pytorch_that_is_too_old_is_named(torchvision_file, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: "there")
    monkeypatch.setattr(versions, "version", {"torch": "2.7.1"}.__getitem__)
    with pytest.raises(WeightsError, match=r"ONNX export needs torch 2\.8 or later, this is 2\.7\.1: "):
        convert_checkpoint(torchvision_file, tmp_path / "out.onnx", "onnx")


def test_networks_of_others_are_named(tmp_path, run_onnx):
    torch.save(torchvision.models.resnet34().state_dict(), tmp_path / "in.pth")
    with pytest.raises(WeightsError, match=r"it holds R_34, which is no member of igdet's family"):
        convert_checkpoint(str(tmp_path / "in.pth"), tmp_path / "out.onnx", "onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_a_network_in_one_file_leaves_no_weights_of_another_beside_it(run_onnx, make_classifier, tmp_path):
    _, path = make_classifier("X_14_8x4d")
    (tmp_path / "x.onnx.data").write_bytes(b"of a larger network")
    convert_checkpoint(path, tmp_path / "x.onnx", "onnx")
    assert (tmp_path / "x.onnx").exists()
    assert not (tmp_path / "x.onnx.data").exists()


@pytest.fixture
def small_files(monkeypatch):
    """No weights fit into an ONNX file any more."""
    monkeypatch.setattr(onnx_export, "ONE_FILE", 1000)


def test_weights_that_do_not_fit_into_an_onnx_file_lie_beside_it(
    run_onnx, make_classifier, small_files, tmp_path, caplog
):
    model, path = make_classifier("X_14_8x4d")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x.onnx.data").write_bytes(b"of an earlier export")
    with caplog.at_level("INFO"):
        convert_checkpoint(path, tmp_path / "out/x.onnx", "onnx")
    assert f"The weights are in {tmp_path / 'out/x.onnx.data'}: keep it beside x.onnx" in caplog.text
    (tmp_path / "out").rename(tmp_path / "moved")  # the one names the other, not its folder
    graph, weights = sorted((tmp_path / "moved").iterdir())
    assert (graph.name, weights.name) == ("x.onnx", "x.onnx.data")
    # All but what is as small as a bias lies apart.
    assert graph.stat().st_size < 200_000 < 0.95 * sum(t.nbytes for t in model.state_dict().values())
    assert weights.stat().st_size > 0.95 * sum(t.nbytes for t in model.state_dict().values())
    images = random_images(3)
    assert_same(run_onnx(graph, images)[0], logits_of(model, images))


def test_a_full_disk_harms_no_earlier_onnx_file(run_onnx, torchvision_file, small_files, tmp_path, fill_disk):
    (tmp_path / "out").mkdir()
    for name in ("x.onnx", "x.onnx.data"):
        (tmp_path / "out" / name).write_bytes(b"earlier")
    fill_disk()
    with pytest.raises(WeightsError, match=r"cannot write .*x\.onnx: about 2,\d{3},\d{3} bytes are needed"):
        convert_checkpoint(torchvision_file, tmp_path / "out/x.onnx", "onnx")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x.onnx", "x.onnx.data"]
    assert {path.read_bytes() for path in (tmp_path / "out").iterdir()} == {b"earlier"}


def test_what_strides_in_the_1x1_is_no_member_of_the_family(make_model, tmp_path, run_onnx):
    model, cfg = make_model("classifier", "MODEL.BACKBONE.NAME", "R_50")
    cfg.merge_from_list(["MODEL.BACKBONE.NAME", "build_resnet_backbone", "MODEL.RESNETS.STRIDE_IN_1X1", True])
    with pytest.raises(WeightsError, match=r"it holds R_50 with the stride in the 1x1 convolution"):
        convert_checkpoint(saved(model, cfg, tmp_path), tmp_path / "out.onnx", "onnx")
