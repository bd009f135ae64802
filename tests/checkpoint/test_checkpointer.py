"""The checkpointer: weights into classifiers and detectors and back, and what it refuses."""

import hashlib
import logging
import pickle
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from detectron2.data import MetadataCatalog
from detectron2.modeling import build_model

from igdet.checkpoint import IgdetCheckpointer, checkpointer, inspect_weights
from igdet.checkpoint.names import bare_name, is_trunk, to_bare
from igdet.formats.catalog import IMAGENET, WEIGHTS, Weights
from igdet.formats.errors import WeightsError

FISH = ["n01440764", "n01443537", "n01484850", "n01491361", "n01494475"]  # ImageNet's first five


def trunk(model):
    return {bare_name(name): tensor for name, tensor in model.state_dict().items() if is_trunk(bare_name(name))}


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name


class Progress:
    """Something else that a training saves."""

    def __init__(self, iteration=0):
        self.iteration = iteration

    def state_dict(self):
        return {"iteration": self.iteration}

    def load_state_dict(self, state):
        self.iteration = state["iteration"]


@pytest.mark.parametrize("kind", ["classifier", "detector"])
@pytest.mark.parametrize("norm", ["BN", "FrozenBN"])
def test_a_torchvision_file_fills_the_trunk_of_any_model(kind, norm, make_model, torchvision_file, torchvision_weights):
    model, cfg = make_model(kind, "MODEL.RESNETS.NORM", norm)
    IgdetCheckpointer(model, cfg=cfg).load(torchvision_file, checkpointables=[])
    _, expected = to_bare(torchvision_weights)
    found = trunk(model)
    assert_same(found, {name: expected[name] for name in found})


@pytest.mark.parametrize(("source", "target"), [("classifier", "detector"), ("detector", "classifier")])
def test_a_trunk_goes_from_classifier_to_detector_and_back(source, target, make_model, tmp_path, caplog):
    model, cfg = make_model(source)
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("model_final")
    other, cfg = make_model(target)
    heads = {name: tensor.clone() for name, tensor in other.state_dict().items() if not is_trunk(bare_name(name))}
    with caplog.at_level(logging.INFO, logger="igdet"):
        IgdetCheckpointer(other, cfg=cfg).load(str(tmp_path / "model_final.pth"), checkpointables=[])
    assert_same(trunk(other), trunk(model))
    assert_same({name: other.state_dict()[name] for name in heads}, heads)
    assert "New, from random numbers: " in caplog.text and "Left in the file: " in caplog.text


@pytest.mark.parametrize(("reset", "same"), [(True, False), (False, True)])
def test_the_classifier_is_new_in_training_when_reset(reset, same, make_model, torchvision_file, torchvision_weights):
    model, cfg = make_model("classifier", "MODEL.CLASSIFIER.RESET", reset)
    IgdetCheckpointer(model, cfg=cfg).load(torchvision_file, checkpointables=[])
    assert torch.equal(model.classifier.weight, torchvision_weights["fc.weight"]) is same


def test_evaluation_takes_the_classifier_whatever_reset_says(make_model, torchvision_file, torchvision_weights):
    model, cfg = make_model()
    IgdetCheckpointer(model, cfg=cfg).load_for_evaluation(torchvision_file)
    assert torch.equal(model.classifier.weight, torchvision_weights["fc.weight"])


def test_evaluation_needs_the_whole_model(make_model, torchvision_file):
    model, cfg = make_model("classifier", "MODEL.CLASSIFIER.NUM_CLASSES", 6)
    with pytest.raises(WeightsError, match=r"2 tensors of the model are not in the file.*classifier\.weight"):
        IgdetCheckpointer(model, cfg=cfg).load_for_evaluation(torchvision_file)


@pytest.mark.parametrize("kind", ["classifier", "detector"])
def test_saved_and_continued_bit_for_bit(kind, make_model, tmp_path):
    model, cfg = make_model(kind)
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg, progress=Progress(41)).save("model_0000041", iteration=41)
    other, progress = build_model(cfg), Progress()
    checkpointer = IgdetCheckpointer(other, str(tmp_path), cfg=cfg, progress=progress)
    rest = checkpointer.resume_or_load("", resume=True)
    assert_same(other.state_dict(), model.state_dict())
    assert rest == {"iteration": 41}
    assert progress.iteration == 41
    assert checkpointer.get_checkpoint_file() == str(tmp_path / "model_0000041.pth")


def test_weights_alone_cannot_be_continued(make_model, torchvision_file):
    model, cfg = make_model()
    with pytest.raises(WeightsError, match="has no state of the 'progress'"):
        IgdetCheckpointer(model, cfg=cfg, progress=Progress()).load(torchvision_file)


def test_from_scratch(make_model, caplog):
    model, cfg = make_model()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with caplog.at_level(logging.INFO, logger="igdet"):
        assert IgdetCheckpointer(model, cfg=cfg).resume_or_load("", resume=False) == {}
    assert_same(model.state_dict(), before)
    assert "random numbers" in caplog.text


@pytest.mark.parametrize(
    ("key", "value"), [("INPUT.FORMAT", "BGR"), ("MODEL.PIXEL_MEAN", [0, 0, 0]), ("MODEL.PIXEL_STD", [1, 1, 1])]
)
def test_a_config_that_feeds_the_weights_wrongly(key, value, make_model, torchvision_file, tmp_path):
    model, cfg = make_model("classifier", key, value)
    with pytest.raises(WeightsError, match=rf"resnext14\.pth: the config feeds these weights the wrong way: {key} is"):
        IgdetCheckpointer(model, cfg=cfg).load(torchvision_file, checkpointables=[])
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("other")  # fed like this, it may be loaded like this
    IgdetCheckpointer(model, cfg=cfg).load(str(tmp_path / "other.pth"), checkpointables=[])


def test_igdets_own_checkpoints_remember_how_they_were_fed(make_model, tmp_path):
    model, cfg = make_model("classifier", "INPUT.FORMAT", "BGR")
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("bgr")
    model, cfg = make_model("detector")
    with pytest.raises(WeightsError, match=r"INPUT\.FORMAT is RGB, but they need BGR"):
        IgdetCheckpointer(model, cfg=cfg).load(str(tmp_path / "bgr.pth"), checkpointables=[])


def test_an_unknown_origin_is_told(make_model, tmp_path, caplog):
    model, cfg = make_model()
    torch.save({"model": model.state_dict()}, tmp_path / "plain.pth")
    IgdetCheckpointer(model, cfg=cfg).load(str(tmp_path / "plain.pth"), checkpointables=[])
    assert "does not tell which images it expects" in caplog.text


def test_a_refused_trunk_leaves_the_model_alone(make_model, torchvision_file):
    model, cfg = make_model("classifier", "MODEL.BACKBONE.NAME", "X_26_8x4d")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(WeightsError, match=r"resnext14\.pth: the trunk does not fit: the file holds X_14_8x4d"):
        IgdetCheckpointer(model, cfg=cfg).load(torchvision_file, checkpointables=[])
    assert_same(model.state_dict(), before)


@pytest.mark.parametrize(
    ("backbone", "weights", "needed"),
    [
        ("X_14_8x4d_FPN", "ig_resnext101_32x48d", "X_101_32x48d_FPN"),
        ("R_50", "in1k_resnet101", "R_101"),
        ("R_50_FPN", "d2_mask_resnet50_fpn_1x", "build_resnet_fpn_backbone"),  # it strides in the 1x1
        ("X_101_32x8d_FPN", "d2_mask_resnext101_32x8d_fpn_3x", None),
        ("X_101_32x8d", "d2_fair_resnext101_32x8d", None),
        ("build_resnet_fpn_backbone", "in1k_resnet50", None),  # may hold them: its tensors will tell
    ],
)
def test_published_weights_of_another_network_are_refused_before_any_download(
    backbone, weights, needed, make_model, tmp_path, monkeypatch
):
    monkeypatch.setenv("IGDET_OFFLINE", "1")
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path))
    model, cfg = make_model("detector")
    cfg.MODEL.BACKBONE.NAME = backbone
    said = f"NAME is {backbone}: set it to {needed}, or name other weights" if needed else "IGDET_OFFLINE forbids"
    with pytest.raises(WeightsError, match=said):
        IgdetCheckpointer(model, cfg=cfg).load(f"igdet://{weights}", checkpointables=[])


_MOE = ("MODEL.BACKBONE.NAME", "X_26_8x4d", "MODEL.MOE.EXPERTS", 4)


@pytest.fixture
def mixture_file(make_model, tmp_path):
    """A classifier's checkpoint whose block res5.1 has 4 experts, 3 of which work on an image."""
    model, cfg = make_model("classifier", *_MOE, "MODEL.MOE.TOP_K", 3)
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("mixture")
    return str(tmp_path / "mixture.pth")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ((), r"trained with MODEL\.MOE\.TOP_K 3, the config has 2.*Set it to 3"),
        (("MODEL.MOE.EXPERTS", 5), r"mixtures of experts are res5\.1 of 4, the model's res5\.1 of 5"),
        (("MODEL.MOE.EVERY", 1), r"experts are res5\.1 of 4, the model's res5\.0 of 4, res5\.1 of 4"),
        (
            ("MODEL.MOE.STAGES", ["res4"]),
            r"experts are res5\.1 of 4, the model's res4\.1 of 4. Set MODEL\.MOE\.EXPERTS",
        ),
        (("MODEL.MOE.EXPERTS", 0), r"experts are res5\.1 of 4, the model's none"),
    ],
)
@pytest.mark.parametrize("kind", ["classifier", "detector"])
def test_other_experts_are_refused(kind, overrides, said, make_model, mixture_file):
    name = {"detector": ("MODEL.BACKBONE.NAME", "X_26_8x4d_FPN")}.get(kind, ())
    model, cfg = make_model(kind, *_MOE, *overrides, *name)
    with pytest.raises(WeightsError, match=rf"mixture\.pth: .*{said}"):
        IgdetCheckpointer(model, cfg=cfg).load(mixture_file, checkpointables=[])


def test_the_same_experts_in_other_words_are_loaded(make_model, mixture_file):
    model, cfg = make_model(
        "classifier", *_MOE, "MODEL.MOE.TOP_K", 3, "MODEL.MOE.EVERY", 3, "MODEL.MOE.LOSS_WEIGHT", 0.5
    )
    IgdetCheckpointer(model, cfg=cfg).load_for_evaluation(mixture_file)
    for name, tensor in torch.load(mixture_file)["model"].items():
        assert torch.equal(model.state_dict()[name], tensor)
    assert "experts:     EXPERTS 4 TOP_K 3 STAGES ['res5'] EVERY 2" in inspect_weights(mixture_file)


def test_other_classes_of_the_same_number_are_refused(make_model, tmp_path):
    MetadataCatalog.get("test_zoo").set(thing_classes=["ape", "bee", "cat", "dog", "elk"])
    MetadataCatalog.get("test_garden").set(thing_classes=["ape", "bee", "cat", "dill", "elder"])
    model, cfg = make_model("classifier", "DATASETS.TRAIN", ("test_zoo",), "MODEL.CLASSIFIER.RESET", False)
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("zoo")
    weights = str(tmp_path / "zoo.pth")
    IgdetCheckpointer(model, cfg=cfg).load_for_evaluation(weights)
    cfg.DATASETS.TRAIN = ("test_garden",)
    for load in (IgdetCheckpointer.load_for_evaluation, lambda self, path: self.load(path, checkpointables=[])):
        with pytest.raises(WeightsError, match=r"2 differ \(class: file / config: 3: dog / dill, 4: elk / elder\)"):
            load(IgdetCheckpointer(model, cfg=cfg), weights)
    cfg.MODEL.CLASSIFIER.RESET = True
    IgdetCheckpointer(model, cfg=cfg).load(weights, checkpointables=[])


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        (["n01443537", "n01440764", "n01484850", "n01491361", "n01494475"], True),
        (FISH, False),
        (["goldfish", "tench", "great white shark", "tiger shark", "hammerhead"], False),  # words may be anybody's
    ],
)
def test_published_outputs_stand_for_imagenets_synsets(
    names, refused, make_model, torchvision_file, tmp_path, monkeypatch
):
    digits = hashlib.sha256(Path(torchvision_file).read_bytes()).hexdigest()[:8]
    Path(torchvision_file).rename(tmp_path / f"small-{digits}.pth")
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path))
    monkeypatch.setattr(checkpointer, "synsets", {"imagenet-1k": FISH}.get)
    monkeypatch.setitem(WEIGHTS, "small", Weights(f"small-{digits}.pth", "X_14_8x4d", IMAGENET, {}))
    MetadataCatalog.get("test_fish").set(thing_classes=names)
    model, cfg = make_model("classifier", "DATASETS.TEST", ("test_fish",))
    try:
        with pytest.raises(WeightsError, match="2 differ") if refused else nullcontext():
            IgdetCheckpointer(model, cfg=cfg).load_for_evaluation("igdet://small")
    finally:
        MetadataCatalog.remove("test_fish")


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(make_model, tmp_path, fill_disk):
    model, cfg = make_model()
    checkpointer = IgdetCheckpointer(model, str(tmp_path), cfg=cfg)
    checkpointer.save("first")
    fill_disk()
    with pytest.raises(WeightsError, match=r"second\.pth: about [\d,]+ bytes are needed"):
        checkpointer.save("second")
    assert checkpointer.get_checkpoint_file() == str(tmp_path / "first.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.pth", "last_checkpoint"]
    IgdetCheckpointer(build_model(cfg), cfg=cfg).load_for_evaluation(str(tmp_path / "first.pth"))


def test_nothing_is_saved_without_a_folder_or_by_other_processes(make_model, tmp_path):
    model, cfg = make_model()
    IgdetCheckpointer(model, cfg=cfg).save("nowhere")
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg, save_to_disk=False).save("nowhere")
    assert list(tmp_path.iterdir()) == []


MSRA_R50 = (
    *("INPUT.FORMAT", "BGR", "MODEL.PIXEL_MEAN", [103.53, 116.28, 123.675], "MODEL.PIXEL_STD", [1.0, 1.0, 1.0]),
    *("MODEL.BACKBONE.NAME", "build_resnet_fpn_backbone", "MODEL.RESNETS.STRIDE_IN_1X1", True),
    *("MODEL.RESNETS.RES2_OUT_CHANNELS", 64, "MODEL.RESNETS.NORM", "FrozenBN"),
)


def caffe2_name(bare):
    """Caffe2's name of a tensor, such as "res2_0_branch2a_bn_s"; in its folded models norms have no statistics."""
    renamed = re.sub(r"(res.*)\.conv(\d)", lambda match: f"{match[1]}.branch2{'abc'[int(match[2]) - 1]}", bare)
    for old, new in {"shortcut": "branch1", "norm.weight": "bn.s", "norm.bias": "bn.b", "weight": "w"}.items():
        renamed = renamed.replace(old, new)
    return renamed.replace("stem.conv1.bn", "res.conv1.bn").replace("stem.", "").replace(".", "_")


@pytest.fixture
def caffe2_weights(make_model):
    """Tensors of Detectron2's ResNet-50, by bare name, without statistics."""
    model, _ = make_model("detector", *MSRA_R50)
    return {name: torch.rand_like(t) for name, t in trunk(model).items() if "running" not in name}


@pytest.fixture
def caffe2_file(caffe2_weights, tmp_path):
    """The same as one of Caffe2's files."""
    path = tmp_path / "R-50.pkl"
    path.write_bytes(pickle.dumps({caffe2_name(name): tensor.numpy() for name, tensor in caffe2_weights.items()}))
    return str(path)


def test_detectron2s_resnet_50_from_a_caffe2_file(make_model, caffe2_weights, caffe2_file):
    model, cfg = make_model("detector", *MSRA_R50)
    IgdetCheckpointer(model, cfg=cfg).load(caffe2_file, checkpointables=[])
    assert_same({name: trunk(model)[name] for name in caffe2_weights}, caffe2_weights)
    assert trunk(model)["res3.0.conv2.norm.running_mean"].eq(0).all()
    assert trunk(model)["res3.0.conv2.norm.running_var"].eq(1).all()


def test_folded_norms_do_not_go_into_norms_with_statistics(make_model, caffe2_file):
    model, cfg = make_model("detector", *MSRA_R50, "MODEL.RESNETS.NORM", "BN")
    with pytest.raises(WeightsError, match=r"MODEL\.RESNETS\.NORM is BN, but they need FrozenBN"):
        IgdetCheckpointer(model, cfg=cfg).load(caffe2_file, checkpointables=[])


def test_a_broken_checkpoint_is_passed_over_loudly(make_model, tmp_path, caplog):
    model, cfg = make_model("classifier")
    checkpointer = IgdetCheckpointer(model, str(tmp_path), cfg=cfg, progress=(progress := Progress()))
    for progress.iteration in (3, 6, 9):
        checkpointer.save(f"model_{progress.iteration:07d}")
    newest = tmp_path / "model_0000009.pth"
    newest.write_bytes(newest.read_bytes()[:1000])
    checkpointer.resume_or_load("", resume=True)
    assert progress.iteration == 6
    assert "model_0000009.pth is broken, the one before it is tried" in caplog.text
    assert "goes on from model_0000006.pth instead of model_0000009.pth" in caplog.text
    newest.unlink()  # last_checkpoint names a file that is gone
    (tmp_path / "model_0000006.pth").write_bytes(b"")
    checkpointer.resume_or_load("", resume=True)
    assert progress.iteration == 3
    (tmp_path / "model_0000003.pth").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"none of its checkpoints can be read \(model_0000009.pth, .*0006.*0003"):
        checkpointer.resume_or_load("", resume=True)


def test_a_checkpoint_of_another_model_is_no_broken_one(make_model, tmp_path):
    model, cfg = make_model("classifier")
    IgdetCheckpointer(model, str(tmp_path), cfg=cfg).save("model_0000003")
    other, cfg = make_model("detector")
    with pytest.raises(WeightsError, match="tensors of the model are not in the file"):
        IgdetCheckpointer(other, str(tmp_path), cfg=cfg).resume_or_load("", resume=True)


@pytest.mark.parametrize(("kept", "left"), [(0, 4), (1, 1), (2, 2)])
def test_as_many_checkpoints_as_wanted_are_kept(make_model, tmp_path, kept, left):
    model, cfg = make_model("classifier", "SOLVER.CHECKPOINTS_KEPT", str(kept))
    checkpointer = IgdetCheckpointer(model, str(tmp_path), cfg=cfg)
    for iteration in range(4):
        checkpointer.save(f"model_{iteration:07d}")
    checkpointer.save("model_final")
    assert len(list(tmp_path.glob("model_0*.pth"))) == left
    assert (tmp_path / "model_final.pth").is_file() and (tmp_path / "model_0000003.pth").is_file()


def test_the_config_chooses_between_weights_and_their_average(make_model, torchvision_weights, tmp_path, caplog):
    average = {name: 2 * tensor for name, tensor in torchvision_weights.items()}
    path = str(tmp_path / "weights.pth")
    torch.save({"model": torchvision_weights, "model_ema": average}, path)
    for key, factor in (("", 1), ("model_ema", 2)):
        model, cfg = make_model("classifier", "MODEL.WEIGHTS", path, "MODEL.WEIGHTS_KEY", key)
        with caplog.at_level(logging.INFO):
            IgdetCheckpointer(model, cfg=cfg).resume_or_load(path, resume=False)
        assert model.backbone.stem.conv1.weight.equal(factor * torchvision_weights["conv1.weight"])
    assert "those under model, not model_ema" in caplog.text and "those under model_ema, not model" in caplog.text


def test_the_key_of_other_weights_does_not_apply_to_a_runs_own_checkpoints(make_model, tmp_path):
    model, cfg = make_model("classifier", "MODEL.WEIGHTS", "other.pth", "MODEL.WEIGHTS_KEY", "model_ema")
    checkpointer = IgdetCheckpointer(model, str(tmp_path), cfg=cfg)
    checkpointer.save("model_0000001", iteration=1)
    assert checkpointer.resume_or_load("other.pth")["iteration"] == 1
