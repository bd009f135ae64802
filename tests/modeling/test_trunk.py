"""The contract of trunks: one that is no ResNet goes through everything, and so does that of docs/MODELS.md."""

import copy
import re

import pytest
import torch
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import get_cfg
from detectron2.layers import FrozenBatchNorm2d
from detectron2.modeling import BACKBONE_REGISTRY, Backbone, build_model
from torch import nn

from igdet.checkpoint import IgdetCheckpointer, convert_checkpoint, inspect_weights, open_weights
from igdet.checkpoint.fit import describe_trunk, fit_tensors
from igdet.config import ConfigError, add_igdet_config
from igdet.curation.duplicates.rmac import RmacDescriber
from igdet.engine.optimizer import build_optimizer
from igdet.engine.sharding import share_model
from igdet.formats.errors import WeightsError
from igdet.formats.origin import Origin
from igdet.modeling import (
    FPN_SUFFIX,
    ImageClassifier,
    Naming,
    ResNets,
    TrunkFamily,
    apply_execution,
    check_backbone,
    register_trunks,
)
from igdet.modeling.costs import DAMPING, cost_row, damp
from igdet.modeling.trunk import FAMILIES, bare_name, blocks_in, family_of_tensors, member_names, trunk_in
from igdet.utils.errors import UserError

# Of other libraries: small ones.
NETWORKS = {
    "MODEL.TIMM.NAME": ("test_resnet", "test_byobnet"),
    "MODEL.TORCHVISION.NAME": ("regnet_x_400mf", "resnet18"),
}
STRIDES = {"near": 4, "middle": 8, "far": 16}
FED = Origin("RGB", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5))


class Pebble(nn.Sequential):
    """A convolution and its norm, around which the features go too."""

    def __init__(self, channels):
        super().__init__(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())

    def forward(self, features):
        return features + super().forward(features)


class Brook(Backbone):
    """Three stages of pebbles, and a parameter that no module holds, as transformers have for positions."""

    def __init__(self, in_channels, width, out_features):
        super().__init__()
        self.spring = nn.Conv2d(in_channels, width, 4, stride=4)
        self.position = nn.Parameter(torch.ones(1, width, 1, 1))
        self.narrow = nn.ModuleList([nn.Identity(), nn.Conv2d(width, width, 2, stride=2), nn.AvgPool2d(2)])
        self.bed = nn.ModuleList([nn.Sequential(*(Pebble(width) for _ in range(count))) for count in (1, 2, 1)])
        self._out_features, self._out_feature_strides = out_features, STRIDES
        self._out_feature_channels = dict.fromkeys(STRIDES, width)

    def forward(self, images):
        features, found = self.spring(images) + self.position, {}
        for name, narrow, pebbles in zip(STRIDES, self.narrow, self.bed, strict=True):
            features = found[name] = pebbles(narrow(features))
        return {name: found[name] for name in self._out_features}


# Bare name -> that in the files of a library, from left to right and from right to left.
FIRST = {"spring": "patchify", "position": "pos_embed", "narrow": "down", "bed": "stages", "classifier": "head"}
LAST = {theirs: ours for ours, theirs in FIRST.items()}


def renamed(table):
    return lambda tensors: {
        ".".join([table.get(name.split(".")[0], name.split(".")[0]), *name.split(".")[1:]]): tensor
        for name, tensor in tensors.items()
    }


class Brooks(TrunkFamily):
    kinds = ("Brook",)
    members = {"B_8": 8, "B_16": 16}  # noqa: RUF012
    features = STRIDES
    roots = ("spring", "position", "narrow", "bed")
    marker = "spring.weight"
    module = Brook
    namings = (Naming("brooklib", "patchify.weight", renamed(LAST)),)
    exports = {"timm": renamed(FIRST)}  # noqa: RUF012

    def build(self, cfg, name, in_channels, out_features):
        return Brook(in_channels, self.members[name], out_features)

    def parts(self, trunk):
        return [[trunk.spring, trunk.position], *zip(trunk.narrow, trunk.bed, strict=True)]

    def blocks(self, trunk):
        return [pebble for pebbles in trunk.bed for pebble in pebbles]

    def describe(self, tensors):
        return f"B_{tensors['spring.weight'].shape[0]}"

    def recognise_origin(self, naming, author, tensors):
        return FED if naming in ("brooklib", "timm") else None

    def residual_scales(self, trunk):
        return [pebble[1].weight for pebble in self.blocks(trunk)]


@pytest.fixture
def registered():
    """The ResNets alone, and takes away what a test registers."""
    families, names = [*FAMILIES], {name for name, _ in BACKBONE_REGISTRY}
    FAMILIES[:] = [family for family in families if isinstance(family, ResNets)]
    yield
    FAMILIES[:] = families
    for name in {name for name, _ in BACKBONE_REGISTRY} - names:
        del BACKBONE_REGISTRY._obj_map[name]


@pytest.fixture
def brooks(registered):
    register_trunks(Brooks())
    return FAMILIES[-1]


OTHERS = {type(family).__name__: family for family in FAMILIES if not isinstance(family, ResNets)}


@pytest.fixture(params=["of this test", "of the documents", *OTHERS])
def family(request, registered, repository):
    """Families that are no ResNets: that above, that which docs/MODELS.md shows, and igdet's own."""
    if request.param in OTHERS:
        FAMILIES.append(OTHERS[request.param])
    elif request.param == "of this test":
        register_trunks(Brooks())
    else:
        text = (repository / "docs/MODELS.md").read_text(encoding="utf-8")
        (snippet,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        exec(snippet, {"__name__": "my_trunks"})
    assert len(FAMILIES) == 2
    return FAMILIES[-1]


def config(family, kind="classifier", *opts, member=0):
    """A small model of a member, and nothing that says ResNet."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    names = [*family.features]
    levels = [f"p{family.features[name].bit_length() - 1}" for name in names]
    members = [*family.members]
    cfg.MODEL.DEVICE, cfg.MODEL.BACKBONE.NAME = "cpu", members[member % len(members)]
    cfg.MODEL.BACKBONE.FREEZE_AT, cfg.INPUT.FORMAT = 0, "RGB"
    cfg.MODEL.PIXEL_MEAN, cfg.MODEL.PIXEL_STD = [*FED.pixel_mean], [*FED.pixel_std]
    cfg.DATASETS.TRAIN = cfg.DATASETS.TEST = ()
    if family.name_key in NETWORKS:
        cfg.merge_from_list([family.name_key, NETWORKS[family.name_key][member]])
    if kind == "classifier":
        cfg.merge_from_list(["MODEL.META_ARCHITECTURE", "ImageClassifier", "MODEL.CLASSIFIER.NUM_CLASSES", 5])
    else:
        cfg.MODEL.BACKBONE.NAME += FPN_SUFFIX
        cfg.MODEL.FPN.IN_FEATURES, cfg.MODEL.FPN.OUT_CHANNELS = names, 16
        cfg.MODEL.RPN.IN_FEATURES = cfg.MODEL.ROI_HEADS.IN_FEATURES = levels
        cfg.MODEL.ANCHOR_GENERATOR.SIZES = [[8 * family.features[name]] for name in names]
        cfg.MODEL.ROI_HEADS.NAME, cfg.MODEL.ROI_HEADS.NUM_CLASSES = "StandardROIHeads", 3
        cfg.MODEL.ROI_BOX_HEAD.NAME, cfg.MODEL.ROI_BOX_HEAD.NUM_FC = "FastRCNNConvFCHead", 1
        cfg.MODEL.ROI_BOX_HEAD.FC_DIM = 16
    cfg.merge_from_list(list(opts))
    return cfg


def network(cfg):
    """What messages call it."""
    return cfg.MODEL.TIMM.NAME or cfg.MODEL.TORCHVISION.NAME or cfg.MODEL.BACKBONE.NAME


def build(family, kind="classifier", *opts, **options):
    cfg = config(family, kind, *opts, **options)
    check_backbone(cfg)
    return build_model(cfg), cfg


def saved(model, cfg, folder, name="model_final"):
    IgdetCheckpointer(model, str(folder), cfg=cfg).save(name)
    return str(folder / f"{name}.pth")


def image(**more):
    return {"image": torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8), **more}


def trunk_of(model):
    return trunk_in(model.backbone)


def test_a_family_whose_tensors_lie_where_anothers_do_is_refused(registered):
    register_trunks(Brooks())

    class Rivers(Brooks):
        members = {"R_8": 8}  # noqa: RUF012

    with pytest.raises(ValueError, match="Rivers and Brooks both have tensors under"):
        register_trunks(Rivers())


def test_a_classifier_and_a_detector_run(family):
    classifier, _ = build(family)
    losses = classifier([image(gt_classes=torch.tensor([0])), image(gt_classes=torch.tensor([1, 4]))])
    assert losses["loss_cls"].isfinite()
    detector, _ = build(family, "detector")
    with torch.no_grad():
        assert "instances" in detector.eval()([image(height=64, width=64)])[0]
    for model, expected in ((classifier, [family.pooled_feature]), (detector, [*family.features])):
        shapes = trunk_of(model).output_shape()
        strides = {name: family.features.get(name) for name in expected}  # None: pooled
        assert {name: shape.stride for name, shape in shapes.items()} == strides
        features = trunk_of(model)(torch.zeros(1, 3, 64, 64))
        assert {name: 64 // f.shape[-1] for name, f in features.items()} == {n: s or 64 for n, s in strides.items()}


@pytest.mark.parametrize("kinds", [("classifier", "detector"), ("detector", "classifier"), ("detector", "detector")])
def test_weights_go_from_classifiers_to_detectors_and_back(family, kinds, tmp_path):
    (first, cfg), (second, other) = (build(family, kind) for kind in kinds)
    path = saved(first, cfg, tmp_path)
    IgdetCheckpointer(second, cfg=other).load(path, checkpointables=[])
    for name, tensor in trunk_of(first).state_dict().items():
        assert trunk_of(second).state_dict()[name].equal(tensor), name
    host, _ = build(family, kinds[1])
    DetectionCheckpointer(host).load(path)  # Detectron2's own
    assert all(t.equal(trunk_of(first).state_dict()[n]) for n, t in trunk_of(host).state_dict().items())


def test_all_its_tensors_are_known_by_name(family):
    for kind in ("classifier", "detector"):
        model, _ = build(family, kind)
        bare = {bare_name(name) for name in model.state_dict()}
        names = {*trunk_of(model).state_dict()}
        assert names <= bare and family.marker in names
        assert {name for name in bare if family.has(name)} == names


def test_another_member_and_a_file_without_its_tensors_are_refused(family, tmp_path):
    model, cfg = build(family)
    path = saved(model, cfg, tmp_path)
    second, other = build(family, member=1)
    theirs, ours = network(cfg), network(other)
    with pytest.raises(WeightsError, match=f"the file holds {theirs}, the model has {ours}. Set {family.name_key}"):
        IgdetCheckpointer(second, cfg=other).load(path, checkpointables=[])
    torch.save({"model": {"classifier.weight": torch.ones(5, 8)}}, tmp_path / "head.pth")
    with pytest.raises(WeightsError, match=f"holds no ResNet or ResNeXt or {family.kinds[0]} trunk"):
        IgdetCheckpointer(model, cfg=cfg).load(str(tmp_path / "head.pth"), checkpointables=[])
    with pytest.raises((UserError, RuntimeError), match="tensors would stay as they are"):
        DetectionCheckpointer(model).load(str(tmp_path / "head.pth"))


@pytest.mark.parametrize("kind", ["classifier", "detector"])
def test_freezing_counts_its_parts(family, kind):
    number = len(family.parts(trunk_of(build(family, kind)[0])))
    for freeze_at in (0, 1, number, 5):
        model, _ = build(family, kind, "MODEL.BACKBONE.FREEZE_AT", freeze_at)
        pieces = [piece for part in family.parts(trunk_of(model))[:freeze_at] for piece in part]
        frozen = {id(w) for p in pieces for w in ([p] if isinstance(p, nn.Parameter) else p.parameters())}
        weights = [*trunk_of(model).parameters()]
        assert all(weight.requires_grad == (id(weight) not in frozen and freeze_at < 5) for weight in weights)
        assert model.training and any(weight.requires_grad for weight in model.parameters())


def test_each_block_is_shared_by_itself(family, monkeypatch):
    wrapped = []
    monkeypatch.setattr("igdet.engine.sharding.comm.get_world_size", lambda: 2)
    monkeypatch.setattr("igdet.engine.sharding.distributed.broadcast", lambda tensor, src: None)
    monkeypatch.setattr("torch.distributed.device_mesh.init_device_mesh", lambda *_: None)
    monkeypatch.setattr("torch.distributed.fsdp.fully_shard", lambda module, **_: wrapped.append(module))
    for kind in ("classifier", "detector"):
        model, _ = build(family, kind)
        share_model(model, fsdp=True)
        blocks = family.blocks(trunk_of(model))
        assert wrapped == [*blocks, model]
        calls = []
        for block in blocks:
            block.register_forward_hook(lambda module, *_, calls=calls: calls.append(module))
        model.backbone(torch.zeros(1, 3, 64, 64))
        assert calls == blocks  # each once, in order
        wrapped.clear()


def test_recomputed_blocks_learn_the_same(family):
    plain, cfg = build(family)
    model = copy.deepcopy(plain)
    cfg.MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS, cfg.MODEL.CHANNELS_LAST = True, False
    apply_execution(model, cfg)
    images = torch.rand(2, 3, 64, 64)
    for each in (model, plain):
        each.backbone(images)[family.pooled_feature].square().mean().backward()
    for (name, weight), expected in zip(model.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, expected.grad, msg=lambda text, name=name: f"{name}: {text}")
    assert all(tensor.equal(plain.state_dict()[name]) for name, tensor in model.state_dict().items())


def test_the_trunks_learning_rate_is_its_own(family):
    model, cfg = build(family, "detector", "SOLVER.BASE_LR", 1.0, "SOLVER.BACKBONE_LR_FACTOR", 0.1)
    rates = {id(w): group["lr"] for group in build_optimizer(cfg, model).param_groups for w in group["params"]}
    trunk = {id(weight) for weight in trunk_of(model).parameters()}
    assert rates == {id(weight): 0.1 if id(weight) in trunk else 1.0 for weight in model.parameters()}


def test_each_of_its_layers_learns_slower_than_the_one_above(family):
    model, cfg = build(family, "detector", "SOLVER.BASE_LR", 1.0, "SOLVER.LAYER_DECAY", 0.5)
    rates = {id(w): group["lr"] for group in build_optimizer(cfg, model).param_groups for w in group["params"]}
    layers = family.layers(trunk_of(model))
    expected = {id(w): 0.5 ** (len(layers) - at) for at, layer in enumerate(layers) for w in layer}
    assert len(layers) > 2 and len(expected) == len([*trunk_of(model).parameters()])
    assert rates == {id(weight): expected.get(id(weight), 1.0) for weight in model.parameters()}


def test_it_is_described_and_costed(family, tmp_path):
    model, cfg = build(family)
    path, name = saved(model, cfg, tmp_path), network(cfg)
    said = dict(line.split(":", 1) for line in inspect_weights(path).split("\n\n")[0].splitlines())
    assert said["network"].strip() == name
    assert said["images"].strip() == "RGB, mean 127.5 127.5 127.5, std 127.5 127.5 127.5"
    assert (name in member_names()) == (family.name_key == "MODEL.BACKBONE.NAME")
    row = [entry.text for entry in cost_row(name, "classifier", cfg, repeats=1)]
    assert row[:3] == [name, "classifier", "224 x 224"]
    convert_checkpoint(path, tmp_path / "out.pkl", "detectron2")
    assert open_weights(str(tmp_path / "out.pkl")).origin == FED


def test_duplicates_are_found_by_its_last_feature_map(family, tmp_path):
    (tmp_path / "c.yaml").write_text(config(family, "detector").dump())
    if family.pooled_feature not in family.features:
        with pytest.raises(ConfigError, match="R-MAC needs a feature map"):
            RmacDescriber.from_config(str(tmp_path / "c.yaml"))
        return
    assert RmacDescriber.from_config(str(tmp_path / "c.yaml")).stride == family.features[family.pooled_feature]


def test_an_onnx_file_computes_the_same(brooks, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model, cfg = build(brooks)
    convert_checkpoint(saved(model, cfg, tmp_path), tmp_path / "out.onnx", "onnx")
    images = [image() for _ in range(3)]
    with torch.no_grad():
        expected = torch.stack([found["pred_class_logits"] for found in model.eval()(images)])
    session = onnxruntime.InferenceSession(str(tmp_path / "out.onnx"), providers=["CPUExecutionProvider"])
    fed = torch.stack([sample["image"] for sample in images]).float().numpy()
    torch.testing.assert_close(torch.as_tensor(session.run(None, {"images": fed})[0]), expected, rtol=1e-4, atol=1e-4)


def test_files_of_its_library_are_read_and_written(brooks, tmp_path):
    model, cfg = build(brooks)
    state = {bare_name(name): tensor for name, tensor in model.state_dict().items()}
    torch.save({"state_dict": {f"module.{n}": t for n, t in renamed(FIRST)(state).items()}}, tmp_path / "lib.pth")
    file = open_weights(str(tmp_path / "lib.pth"))
    assert (file.naming, file.origin) == ("brooklib", FED)
    second, other = build(brooks, "classifier", "MODEL.CLASSIFIER.RESET", False)
    IgdetCheckpointer(second, cfg=other).load_for_evaluation(str(tmp_path / "lib.pth"))
    assert all(tensor.equal(model.state_dict()[name]) for name, tensor in second.state_dict().items())
    other.INPUT.FORMAT = "BGR"
    with pytest.raises(WeightsError, match=r"INPUT\.FORMAT is BGR, but they need RGB"):
        IgdetCheckpointer(second, cfg=other).load(str(tmp_path / "lib.pth"), checkpointables=[])
    convert_checkpoint(saved(model, cfg, tmp_path), tmp_path / "timm.pth", "timm")
    assert torch.load(tmp_path / "timm.pth").keys() == renamed(FIRST)(state).keys()
    with pytest.raises(WeightsError, match=r"torchvision has no names for B_8; its formats are timm, detectron2, onnx"):
        convert_checkpoint(str(tmp_path / "lib.pth"), tmp_path / "tv.pth", "torchvision")


def test_its_size_can_be_counted_by_hand(brooks):
    model, _ = build(brooks)
    # 3 x 4 x 4 x 8 + 8, positions, 8 x 2 x 2 x 8 + 8, four pebbles of 8 x 3 x 3 x 8 + 2 x 8, a classifier of 8 x 5 + 5
    assert sum(w.numel() for w in model.parameters()) == 392 + 8 + 264 + 4 * 592 + 45
    row = cost_row(
        "B_16", "classifier", config(brooks, "classifier", "MODEL.CLASSIFIER.NUM_CLASSES", 6000, member=1), 1
    )
    # 784 + 16 + 1,040 + 4 x 2,336 + 6,000 x 17: 0.11 million
    assert row[3].text == "0.1"
    damp(model)
    for pebble in blocks_in(model):
        assert pebble[1].weight.tolist() == pytest.approx([DAMPING] * 8)


def test_frozen_batch_norms_keep_their_statistics(brooks):
    model, _ = build(brooks, "classifier", "MODEL.BACKBONE.FREEZE_AT", 2)
    kinds = [type(pebble[1]) for pebble in brooks.blocks(model.backbone)]
    assert kinds == [FrozenBatchNorm2d, nn.BatchNorm2d, nn.BatchNorm2d, nn.BatchNorm2d]


def test_tensors_belong_to_the_family_that_has_most_of_them(brooks):
    state = build(brooks)[0].backbone.state_dict()
    assert family_of_tensors([*state, "stem.conv1.weight"]) is brooks
    assert family_of_tensors(["stem.conv1.weight", "res2.0.conv1.weight", "bed.0"]) is FAMILIES[0]
    assert family_of_tensors(["classifier.weight"]) is None
    assert describe_trunk({"classifier.weight": torch.ones(1)}) == "no ResNet or ResNeXt or Brook trunk"


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (("MODEL.MOE.EXPERTS", 4), r"MODEL.MOE.EXPERTS is 4, but MODEL.BACKBONE.NAME B_8_FPN is none of"),
        (
            ("MODEL.FPN.IN_FEATURES", ["res2"]),
            r"MODEL.FPN.IN_FEATURES: MODEL.BACKBONE.NAME B_8_FPN has no res2: expected some of near, middle, far",
        ),
    ],
)
def test_a_config_that_asks_for_what_it_has_not_is_refused(opts, message, brooks):
    with pytest.raises(ConfigError, match=message):
        build(brooks, "detector", *opts)


def test_names_are_given_once(brooks):
    with pytest.raises(ValueError, match=r"B_8, B_16: a backbone has that name already"):
        register_trunks(Brooks())


def test_a_family_that_leaves_something_out_is_refused(registered):
    class Silent(Brooks):
        @property
        def marker(self):
            raise AttributeError

    with pytest.raises(TypeError, match="Silent has no marker, which every TrunkFamily says"):
        register_trunks(Silent())


@pytest.mark.parametrize("place", ["backbone.", "backbone.bottom_up."])
def test_a_file_that_fills_no_tensor_of_an_unknown_backbone_is_refused(place):
    model = {f"{place}blocks.0.qkv.weight": torch.ones(3), "classifier.weight": torch.ones(5)}
    for file in ({"classifier.weight": torch.ones(5)}, {"blocks.0.qkv.weight": torch.ones(3)}):
        with pytest.raises(WeightsError, match=rf"fills none of the 1 tensors of .* backbone, such as {place}b"):
            fit_tensors(model, file)
    assert set(fit_tensors(model, model).loaded) == set(model)


def test_a_trunk_alone_needs_no_names_of_a_model(brooks):
    trunk = Brook(3, 8, ["far"])
    fit = fit_tensors(trunk.state_dict(), trunk.state_dict())
    assert set(fit.loaded) == set(trunk.state_dict())
    with pytest.raises(WeightsError, match=r"not in the file: position, spring\.bias, narrow"):
        fit_tensors(trunk.state_dict(), {"spring.weight": trunk.spring.weight})
    with pytest.raises(WeightsError, match=r"the file holds a trunk without spring\.weight, the model has B_8"):
        fit_tensors(trunk.state_dict(), {"position": trunk.position})
    classifier = ImageClassifier(backbone=trunk, num_classes=5, pixel_mean=[0.0] * 3, pixel_std=[1.0] * 3)
    assert len(classifier.eval()([image()])[0]["pred_class_logits"]) == 5
