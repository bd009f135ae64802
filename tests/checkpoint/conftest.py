"""Small models of every kind, their configs, and a torchvision-format file that fits them."""

import resource
import signal

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.modeling import build_model

from igdet.checkpoint.names import bare_name
from igdet.config import add_igdet_config
from igdet.formats.origin import TORCHVISION
from igdet.modeling.resnet_names import to_torchvision

_CLASSIFIER = ("MODEL.META_ARCHITECTURE", "ImageClassifier", "MODEL.CLASSIFIER.NUM_CLASSES", 5)
_DETECTOR = (
    *("MODEL.MASK_ON", True, "MODEL.ROI_HEADS.NUM_CLASSES", 3, "MODEL.ROI_HEADS.NAME", "StandardROIHeads"),
    *("MODEL.ROI_HEADS.IN_FEATURES", ["p2", "p3", "p4", "p5"], "MODEL.RPN.IN_FEATURES", ["p2", "p3", "p4", "p5", "p6"]),
    *("MODEL.ANCHOR_GENERATOR.SIZES", [[16], [32], [64], [96], [128]], "MODEL.FPN.OUT_CHANNELS", 16),
    *("MODEL.ROI_BOX_HEAD.NAME", "FastRCNNConvFCHead", "MODEL.ROI_BOX_HEAD.NUM_FC", 1, "MODEL.ROI_BOX_HEAD.FC_DIM", 16),
    *("MODEL.ROI_MASK_HEAD.NAME", "MaskRCNNConvUpsampleHead", "MODEL.ROI_MASK_HEAD.CONV_DIM", 16),
    *("MODEL.RESNETS.OUT_FEATURES", ["res2", "res3", "res4", "res5"]),
    *("MODEL.FPN.IN_FEATURES", ["res2", "res3", "res4", "res5"]),
)


_KINDS = {"classifier": ("X_14_8x4d", _CLASSIFIER), "detector": ("X_14_8x4d_FPN", _DETECTOR)}


@pytest.fixture
def make_cfg(tmp_path):
    """Makes the config of a small model; more `KEY, value` pairs override."""

    def make(kind="classifier", *overrides):
        cfg = get_cfg()
        add_igdet_config(cfg)
        cfg.MODEL.DEVICE, cfg.OUTPUT_DIR, cfg.MODEL.RESNETS.NORM = "cpu", str(tmp_path), "BN"
        cfg.DATASETS.TRAIN = cfg.DATASETS.TEST = ()
        cfg.MODEL.RESNETS.STRIDE_IN_1X1, cfg.MODEL.RESNETS.OUT_FEATURES = False, ["res5"]
        cfg.MODEL.BACKBONE.NAME, options = _KINDS[kind]
        cfg.INPUT.FORMAT = TORCHVISION.format
        cfg.MODEL.PIXEL_MEAN, cfg.MODEL.PIXEL_STD = list(TORCHVISION.pixel_mean), list(TORCHVISION.pixel_std)
        cfg.merge_from_list([*options, *overrides])
        return cfg

    return make


@pytest.fixture
def make_model(make_cfg):
    """Makes a small model, and the config that it is built from."""

    def make(kind="classifier", *overrides):
        cfg = make_cfg(kind, *overrides)
        return build_model(cfg), cfg

    return make


@pytest.fixture
def torchvision_weights(make_model):
    """A small classifier's tensors, statistics drawn at random, under torchvision's names."""
    model, _ = make_model("classifier", "MODEL.BACKBONE.FREEZE_AT", 0)  # frozen norms have no counters
    generator = torch.Generator().manual_seed(3)
    state = {}
    for name, tensor in model.state_dict().items():
        drawn = torch.rand(tensor.shape, generator=generator) + 0.5
        state[bare_name(name)] = drawn if tensor.is_floating_point() else torch.tensor(7)
    return to_torchvision(state)


@pytest.fixture
def torchvision_file(torchvision_weights, tmp_path):
    """The same as a file."""
    path = tmp_path / "resnext14.pth"
    torch.save(torchvision_weights, path)
    return str(path)


@pytest.fixture
def fill_disk():
    """Leaves no room: once called, no file of this process can grow beyond 100 kB until the test ends."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a failed write then is an error, not the process's end
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)
