"""Weights of timm's and torchvision's networks by name, from files as these publish them."""

import re

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.modeling import build_model
from safetensors.torch import save_file
from torchvision import models

from igdet.checkpoint import IgdetCheckpointer, convert_checkpoint, inspect_weights, open_weights
from igdet.checkpoint.library_weights import check_library_weights, fetch_from_library, origin_of
from igdet.config import add_igdet_config
from igdet.formats.catalog import SWAG_LICENCE, TORCHVISION_FOLDER, TORCHVISION_HASHTAGS
from igdet.formats.catalog_tables import documents_blocks, list_weights
from igdet.formats.errors import WeightsError
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
    cfg.INPUT.CLASSIFICATION.INTERPOLATION = "bicubic"  # of its card, too
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
        check_library_weights(config(path, name="test_vit"))
    check_library_weights(config(path, name="test_convnext"))
    check_library_weights(config("igdet://ig_resnext101_32x8d", name="test_vit"))


def test_images_that_are_fed_otherwise_than_the_card_says_are_refused(path):
    cfg = config(path)
    cfg.INPUT.FORMAT, cfg.MODEL.PIXEL_MEAN = "BGR", [103.5, 116.3, 123.7]
    with pytest.raises(WeightsError, match=r"INPUT\.FORMAT is BGR, but they need RGB; MODEL\.PIXEL_MEAN is .* 127\.5"):
        check_library_weights(cfg)
    with pytest.raises(WeightsError, match="need RGB"):
        build_model(cfg)


def test_a_classifier_resizes_as_the_card_says(path):
    cfg = config(path)
    cfg.INPUT.CLASSIFICATION.INTERPOLATION = "bilinear"
    with pytest.raises(WeightsError, match=r"INTERPOLATION is bilinear, but these .* bicubic .*: set it to bic"):
        check_library_weights(cfg)
    cfg.MODEL.META_ARCHITECTURE = "GeneralizedRCNN"  # Detectron2 resizes a detector's images, bilinearly
    check_library_weights(cfg)


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
        check_library_weights(config(weights))


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    path = f"timm://{NAME}?file={tmp_path / 'broken.safetensors'}"
    with pytest.raises(WeightsError, match=r"broken\.safetensors: timm cannot load it"):
        open_weights(path)


def test_a_file_of_other_shapes_is_named(tmp_path):
    torch.save(timm.create_model("test_convnext2").state_dict(), tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"timm cannot load it: .* Missing key\(s\) .* \[\.\.\.\]$"):
        open_weights(f"timm://{NAME}?file={tmp_path / 'other.pth'}")


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("test_convnext", 192),
        ("test_resnet", 192),
        ("test_vit", 192),
        ("eva02_tiny_patch14_224", 112),
        ("swin_tiny_patch4_window7_224", 224),
    ],
)
def test_an_onnx_file_computes_the_same(name, side, tmp_path):
    """The last one, whose windows are padded by the images' size, has a file that takes the card's alone."""
    runtime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    cfg = config("", name=name, classes=5)
    cfg.INPUT.CLASSIFICATION.TRAIN_CROP = cfg.INPUT.CLASSIFICATION.TEST_CROP = side
    model = build_model(cfg).eval()
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("model_final")
    convert_checkpoint(str(tmp_path / "model_final.pth"), tmp_path / "model.onnx", "onnx")
    images = torch.randint(0, 256, (3, 3, side, side), dtype=torch.uint8)
    session = runtime.InferenceSession(str(tmp_path / "model.onnx"))
    (logits,) = session.run(None, {"images": images.float().numpy()})
    expected = torch.stack([row["pred_class_logits"] for row in model([{"image": image} for image in images])])
    torch.testing.assert_close(torch.tensor(logits), expected, atol=1e-4, rtol=1e-4)


TORCHVISION = "shufflenet_v2_x0_5.IMAGENET1K_V1"


def torchvision_config(weights, classes=1000):
    cfg = config("", classes=classes)
    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.TORCHVISION.NAME, cfg.MODEL.WEIGHTS = "torchvision", TORCHVISION, weights
    cfg.MODEL.PIXEL_MEAN, cfg.MODEL.PIXEL_STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    cfg.INPUT.CLASSIFICATION.INTERPOLATION = "bilinear"
    return cfg


@pytest.fixture
def torchvisions(tmp_path, monkeypatch):
    """A network of torchvision, its file in torchvision's cache."""
    network, url = models.shufflenet_v2_x0_5(), models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1.url
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    file = tmp_path / "torch" / "hub" / "checkpoints" / url.rpartition("/")[2]
    file.parent.mkdir(parents=True)
    torch.save(network.state_dict(), file)
    return network.eval(), file


@pytest.mark.parametrize("where", ["cache", "file"])
def test_a_classifier_computes_what_torchvisions_does(torchvisions, where):
    network, file = torchvisions
    path = f"torchvision://{TORCHVISION}" + ("" if where == "cache" else f"?file={file}")
    cfg = torchvision_config(path)
    model = build_model(cfg).eval()
    IgdetCheckpointer(model, cfg=cfg).load(path, checkpointables=[])
    images = torch.randint(0, 256, (2, 3, 96, 96), dtype=torch.uint8)
    mean, std = (torch.tensor(values)[:, None, None] for values in (cfg.MODEL.PIXEL_MEAN, cfg.MODEL.PIXEL_STD))
    logits = torch.stack([found["pred_class_logits"] for found in model([{"image": image} for image in images])])
    torch.testing.assert_close(logits, network((images - mean) / std), atol=1e-4, rtol=1e-4)


def test_the_way_back_gives_torchvision_its_own_file(torchvisions, tmp_path):
    network, _ = torchvisions
    convert_checkpoint(f"torchvision://{TORCHVISION}", tmp_path / "again.pth", "torchvision")
    again = torch.load(tmp_path / "again.pth")
    assert again.keys() == network.state_dict().keys()
    assert all(torch.equal(again[name], tensor) for name, tensor in network.state_dict().items())


def test_what_is_in_a_cache_is_used_without_a_network(torchvisions, monkeypatch):
    monkeypatch.setenv("IGDET_OFFLINE", "1")
    _, file = torchvisions
    assert fetch_from_library(f"torchvision://{TORCHVISION}") == file
    with pytest.raises(WeightsError, match=r"not in torchvision's cache, and IGDET_OFFLINE .*swag-43afe44d\.pth"):
        fetch_from_library("torchvision://regnet_y_16gf.IMAGENET1K_SWAG_E2E_V1")
    with pytest.raises(WeightsError, match=r"not in timm's cache, .* fetch timm/test_convnext\.r160_in1k elsewhere"):
        fetch_from_library(f"timm://{NAME}")


def test_old_names_of_densenets_files_are_read(tmp_path):
    network = models.densenet121()
    state = network.state_dict()
    old = {re.sub(r"(denselayer\d+\.(norm|conv))([12])", r"\1.\3", name): tensor for name, tensor in state.items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "old.pth")
    file = open_weights(f"torchvision://densenet121?file={tmp_path / 'old.pth'}")
    for name, tensor in state.items():
        place = name if name.startswith("classifier") else f"torchvision.{name}"
        assert torch.equal(file.tensors[place], tensor)


def test_hashtag_weights_of_torchvision_are_listed_as_it_has_them():
    members = [weights for name in models.list_models() for weights in models.get_model_weights(name)]
    theirs = {
        f"{type(weights).__name__.removesuffix('_Weights').lower()}.{weights.name}": (
            weights.url,
            weights.transforms().crop_size[0],
            tuple(round(value, 1) for value in weights.meta["_metrics"]["ImageNet-1K"].values()),
            weights.meta["license"],
        )
        for weights in members
        if "SWAG" in weights.name
    }
    assert theirs == {
        name: (f"{TORCHVISION_FOLDER}/{w.file_name}", w.crop, w.accuracy, SWAG_LICENCE)
        for name, w in TORCHVISION_HASHTAGS.items()
    }
    rows = [row for row in documents_blocks()["weights-torchvision"].splitlines() if "vit_h_14" in row]
    assert [[cell.strip() for cell in row.split("|")[3:6]] for row in rows] == [
        ["sha256 80465313", "518 x 518", "top-1 88.6, top-5 98.7"],
        ["sha256 c1eb923e", "224 x 224", "top-1 85.7, top-5 97.7"],
    ]
    assert "regnet_y_128gf.IMAGENET1K_SWAG_E2E_V1" in list_weights()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("torchvision://resnet81", r"has no network 'resnet81'; did you mean"),
        ("torchvision://resnet18.SWAG", r"has no weights 'SWAG' of resnet18: there are IMAGENET1K_V1"),
        (
            "torchvision://resnet18",
            r"are of resnet18, but MODEL\.TORCHVISION\.NAME is shufflenet_v2_x0_5\.I",
        ),
    ],
)
def test_names_that_torchvision_does_not_have_are_refused(weights, message):
    with pytest.raises(WeightsError, match=message):
        check_library_weights(torchvision_config(weights))
