"""Weights of timm's networks by name, from files as timm publishes them."""

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.modeling import build_model
from safetensors.torch import save_file

from igdet.checkpoint import IgdetCheckpointer, WeightsError, convert_checkpoint, inspect_weights, open_weights
from igdet.checkpoint.timm_weights import check_timm, origin_of
from igdet.config import add_igdet_config
from igdet.modeling.timm_networks import find_network

timm = pytest.importorskip("timm")

NAME = "test_convnext.r160_in1k"
MEAN, STD = [127.5] * 3, [127.5] * 3  # of its card: 0.5 everywhere


def config(weights, name=NAME, backbone="timm", classes=1000):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.DEVICE = "cpu"
    cfg.MODEL.BACKBONE.FREEZE_AT = 0
    cfg.MODEL.BACKBONE.NAME = backbone
    cfg.MODEL.META_ARCHITECTURE = "GeneralizedRCNN" if backbone.endswith("FPN") else "ImageClassifier"
    cfg.MODEL.FPN.IN_FEATURES = ["res2", "res3", "res4", "res5"]
    cfg.MODEL.ROI_HEADS.IN_FEATURES = cfg.MODEL.RPN.IN_FEATURES = ["p2", "p3", "p4", "p5"]
    cfg.MODEL.ROI_HEADS.NAME, cfg.MODEL.ROI_BOX_HEAD.NAME = "StandardROIHeads", "FastRCNNConvFCHead"
    cfg.MODEL.ROI_BOX_HEAD.NUM_FC = 1
    cfg.MODEL.ANCHOR_GENERATOR.SIZES = [[32], [64], [128], [256]]
    cfg.MODEL.TIMM.NAME, cfg.MODEL.WEIGHTS = name, weights
    cfg.MODEL.CLASSIFIER.NUM_CLASSES, cfg.MODEL.CLASSIFIER.RESET = classes, False
    cfg.INPUT.FORMAT, cfg.MODEL.PIXEL_MEAN, cfg.MODEL.PIXEL_STD = "RGB", MEAN, STD
    return cfg


@pytest.fixture(scope="module")
def own():
    torch.manual_seed(0)
    return timm.create_model(NAME).eval()


@pytest.fixture(params=["safetensors", "pth"])
def path(own, request, tmp_path):
    file = tmp_path / f"weights.{request.param}"
    (save_file if request.param == "safetensors" else torch.save)(own.state_dict(), file)
    return f"timm://{NAME}?file={file}"


def test_a_classifier_computes_what_timms_does(own, path):
    cfg = config(path)
    model = build_model(cfg).eval()
    IgdetCheckpointer(model, cfg=cfg).load(path, checkpointables=[])
    images = torch.randint(0, 256, (2, 3, 96, 96), dtype=torch.uint8)
    logits = torch.stack([found["pred_class_logits"] for found in model([{"image": image} for image in images])])
    torch.testing.assert_close(logits, own((images / 255 - 0.5) / 0.5), atol=1e-4, rtol=1e-4)


def test_a_detector_takes_the_trunk_and_leaves_the_rest(own, path, tmp_path):
    cfg = config(path, backbone="timm_FPN")
    model = build_model(cfg)
    IgdetCheckpointer(model, cfg=cfg).load(path, checkpointables=[])
    for name, tensor in model.backbone.bottom_up.timm.state_dict().items():
        assert torch.equal(tensor, own.state_dict()[name])
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("detector")
    classifier = build_model(config(""))
    with pytest.raises(WeightsError, match=r"not in the file: timm\.head\.norm"):
        IgdetCheckpointer(classifier, cfg=config("")).load(str(tmp_path / "detector.pth"), checkpointables=[])


def test_the_way_back_gives_timm_its_own_file(own, path, tmp_path):
    convert_checkpoint(path, tmp_path / "again.pth", "timm")
    again = torch.load(tmp_path / "again.pth")
    assert again.keys() == own.state_dict().keys()
    assert all(torch.equal(again[name], tensor) for name, tensor in own.state_dict().items())


def test_a_file_tells_its_network_and_how_it_is_fed(path, tmp_path):
    cfg = config(path)
    model = build_model(cfg)
    IgdetCheckpointer(model, cfg=cfg).load(path, checkpointables=[])
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("classifier")
    file = open_weights(str(tmp_path / "classifier.pth"))
    assert file.origin == origin_of(find_network(NAME)) and file.origin.pixel_mean == (127.5,) * 3
    other = build_model(config("", name="test_convnext2"))
    with pytest.raises(WeightsError, match=r"holds test_convnext, the model has .*2\. Set MODEL\.TIMM\.NAME"):
        IgdetCheckpointer(other, cfg=config("", name="test_convnext2")).load(str(file.path), checkpointables=[])


def test_weights_are_described_with_their_card(path):
    said = dict(line.split(":", 1) for line in inspect_weights(path).split("\n\n")[0].splitlines())
    assert said["file"].strip() == path and said["network"].strip() == "test_convnext"
    assert said["classifier"].strip() == "1000 classes, 64 features"
    assert said["licence"].strip() == timm.get_pretrained_cfg(NAME).license
    assert said["evaluated"].strip() == "160 x 160 pixels of a short side 1.05 times that, resized by bicubic"


def test_weights_of_another_network_are_refused_before_any_work(path):
    with pytest.raises(WeightsError, match=r"are of test_convnext, but .* is test_vit: set it to test_conv"):
        check_timm(config(path, name="test_vit"))
    check_timm(config(path, name="test_convnext"))
    check_timm(config("igdet://ig_resnext101_32x8d", name="test_vit"))


def test_images_that_are_fed_otherwise_than_the_card_says_are_refused(path):
    cfg = config(path)
    cfg.INPUT.FORMAT, cfg.MODEL.PIXEL_MEAN = "BGR", [103.5, 116.3, 123.7]
    with pytest.raises(WeightsError, match=r"INPUT\.FORMAT is BGR, but they need RGB; MODEL\.PIXEL_MEAN is .* 127\.5"):
        check_timm(cfg)
    with pytest.raises(WeightsError, match="need RGB"):
        build_model(cfg)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("timm://test_convnexx", r"has no network 'test_convnexx'; did you mean 'test_convnext"),
        ("timm://test_convnext.r160_in1k?file=absent.pth", r"there is no file absent\.pth"),
        ("timm://vit_base_patch16_384.r160", r"cannot build 'vit_base_patch16_384\.r160'"),
    ],
)
def test_names_that_are_not_there_are_refused(weights, message):
    with pytest.raises(WeightsError, match=message):
        check_timm(config(weights))


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    path = f"timm://{NAME}?file={tmp_path / 'broken.safetensors'}"
    with pytest.raises(WeightsError, match=r"broken\.safetensors: timm cannot load it"):
        open_weights(path)


def test_a_file_of_other_shapes_is_named(tmp_path):
    torch.save(timm.create_model("test_convnext2").state_dict(), tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"timm cannot load it: .* Missing key\(s\) .* \[\.\.\.\]$"):
        open_weights(f"timm://{NAME}?file={tmp_path / 'other.pth'}")


@pytest.mark.parametrize("name", ["test_convnext", "test_resnet", "test_vit"])
def test_an_onnx_file_computes_the_same(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    cfg = config("", name=name, classes=5)
    cfg.INPUT.CLASSIFICATION.TRAIN_CROP = cfg.INPUT.CLASSIFICATION.TEST_CROP = 160
    model = build_model(cfg).eval()
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("model_final")
    convert_checkpoint(str(tmp_path / "model_final.pth"), tmp_path / "model.onnx", "onnx")
    images = torch.randint(0, 256, (3, 3, 160, 160), dtype=torch.uint8)
    session = runtime.InferenceSession(str(tmp_path / "model.onnx"))
    (logits,) = session.run(None, {"images": images.float().numpy()})
    expected = torch.stack([row["pred_class_logits"] for row in model([{"image": image} for image in images])])
    torch.testing.assert_close(torch.tensor(logits), expected, atol=1e-4, rtol=1e-4)
