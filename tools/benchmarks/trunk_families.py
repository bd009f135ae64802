"""Builds networks of other libraries as trunks, against the libraries' own: features, maps, training steps, ONNX, time.

  python tools/benchmarks/trunk_families.py
  python tools/benchmarks/trunk_families.py timm/test_convnext torchvision/resnet18 --repeats 3

Weights are random. Pooled features are compared with the library's network without classifier, maps with its network of
features alone, each the largest difference. A step is forward and backward of the trunk with a linear classifier
against the library's network with its own, on the same 8 images in turn; the ratio of medians. A failure stands in the
table.
"""

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import onnxruntime
import timm
import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.modeling import build_backbone, build_model
from detectron2.utils.events import EventStorage
from record import report, table
from torch import Tensor, nn
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor

from igdet.checkpoint import IgdetCheckpointer, convert_checkpoint
from igdet.config import add_igdet_config, merge_config_file
from igdet.config.shipped import shipped_configs
from igdet.engine.optimizer import build_optimizer
from igdet.modeling import TimmTrunks, TorchvisionTrunks
from igdet.modeling.costs import noise
from igdet.modeling.library_networks import LibraryNetwork
from igdet.modeling.library_trunks import LibraryTrunk

# A network of each family, of the smaller ones; then plain vision transformers by what they were trained for.
OF_TIMM = (
    "resnext50_32x4d", "resnetv2_50", "res2net50_26w_4s", "regnety_016", "convnext_nano", "convnextv2_atto",
    "efficientnet_b0", "mobilenetv3_large_100", "densenet121", "nfnet_l0", "fastvit_t8", "repvit_m0_9",
    "edgenext_small", "mambaout_femto", "swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256", "pvt_v2_b0",
    "davit_tiny", "vit_tiny_patch16_224", "deit3_small_patch16_224", "vit_small_patch14_reg4_dinov2",
    "vit_small_patch16_dinov3", "vit_base_patch16_clip_224", "eva02_tiny_patch14_224",
)  # fmt: skip
OF_TORCHVISION = (
    "resnet50", "regnet_y_400mf", "efficientnet_b0", "mobilenet_v3_large", "densenet121", "shufflenet_v2_x1_0",
    "convnext_tiny", "swin_t", "vit_b_16",
)  # fmt: skip
NETWORKS = (*(f"timm/{name}" for name in OF_TIMM), *(f"torchvision/{name}" for name in OF_TORCHVISION))
FIND = {"timm": TimmTrunks().find, "torchvision": TorchvisionTrunks().find}
COLUMNS = (
    "network", "pyramid", "parameters, M", "pooled features", "maps", "classifier", "detector", "probe", "ONNX",
    "step, times the library's",
)  # fmt: skip
COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # in PyTorch's messages
BATCH, DETECTED = 8, (256, 320)  # images; pixels


def config(network: LibraryNetwork, kind: str, freeze_at: int = 0) -> CfgNode:
    """The config of a network as a classifier or a detector."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    base = "Base-Classification.yaml" if kind == "classifier" else "Base-RCNN-FPN.yaml"
    merge_config_file(cfg, shipped_configs() / base)
    cfg.MODEL.DEVICE, cfg.MODEL.BACKBONE.FREEZE_AT = "cpu", freeze_at
    cfg.MODEL[network.library.upper()].NAME = network.name
    cfg.MODEL.BACKBONE.NAME = network.library if kind == "classifier" else f"{network.library}_FPN"
    cfg.MODEL.MASK_ON = kind == "detector"
    cfg.MODEL.CLASSIFIER.NUM_CLASSES, cfg.MODEL.CLASSIFIER.STANDARDIZE = 10, freeze_at == 5
    crops = cfg.INPUT.CLASSIFICATION
    crops.TRAIN_CROP = crops.TEST_CROP = side_of(network)
    cfg.DATASETS.TRAIN = cfg.DATASETS.TEST = ()
    return cfg


def side_of(network: LibraryNetwork) -> int:
    """Of its own images where it takes no others, else 224 pixels."""
    return network.size[0] if network.size else 224


def outcome(check: Callable[[], str]) -> str:
    """What a check says, or why it failed."""
    try:
        return check()
    except Exception as error:  # whatever a network raises is what this table is for
        said = COLOURS.sub("", str(error)).splitlines()[0]
        return f"{type(error).__name__}: {said[:80]}"


def own_network(network: LibraryNetwork, classes: int) -> nn.Module:
    """The library's own network; with 0 classes it gives its pooled features."""
    if network.library == "timm":
        return timm.create_model(network.name, num_classes=classes, **network.options)
    built = models.get_model(network.name, weights=None, **({"num_classes": classes} if classes else {}))
    if not classes:
        parent, _, own = network.heads[0].rpartition(".")
        setattr(built.get_submodule(parent), own, nn.Identity())
    return built


@torch.no_grad()
def pooled_difference(network: LibraryNetwork) -> str:
    """From the library's own features in front of its classifier."""
    trunk = build_backbone(config(network, "classifier")).eval()
    own = own_network(network, 0)
    own.load_state_dict(trunk.built.state_dict())
    images = torch.randn(2, 3, *[side_of(network)] * 2)
    return difference([trunk(images)["pooled"].flatten(1)], [own.eval()(images)])


@torch.no_grad()
def maps_difference(network: LibraryNetwork) -> str:
    """From the maps of the library's own networks of features."""
    trunk = build_backbone(config(network, "detector")).eval().bottom_up
    # A vision transformer of torchvision takes images of its own size alone; igdet's takes any.
    images = torch.randn(1, 3, *([round(224 / trunk.scale)] * 2 if network.patch else DETECTED))
    found = [*trunk(images).values()]
    shown = nn.functional.interpolate(images, scale_factor=trunk.scale, mode="bilinear")
    return difference(found, MAPS[network.library, bool(network.patch)](network, trunk, shown))


def maps_of_timm(network: LibraryNetwork, trunk: LibraryTrunk, images: Tensor) -> list[Tensor]:
    """By timm's network of features, whose names are the network's with other dots."""
    places = tuple(network.maps[key] for key in trunk.output_shape())
    own = timm.create_model(network.name, features_only=True, out_indices=places, **network.options).eval()
    plain = {key.removeprefix("model.").replace("_", "."): key for key in own.state_dict()}
    own.load_state_dict({plain[key.replace("_", ".")]: value for key, value in trunk.built.state_dict().items()})
    return own(images)


def tokens_of_timm(network: LibraryNetwork, trunk: LibraryTrunk, images: Tensor) -> list[Tensor]:
    """By the whole network, for timm's networks of features leave the last norm out, which detectors want."""
    own: Any = own_network(network, 0).eval()
    own.load_state_dict(trunk.built.state_dict(), strict=False)
    return own.forward_intermediates(images, indices=trunk.places, norm=True, intermediates_only=True)


def maps_of_torchvision(network: LibraryNetwork, trunk: LibraryTrunk, images: Tensor) -> list[Tensor]:
    """By torchvision's extractor of features."""
    own = own_network(network, 0).eval()
    own.load_state_dict(trunk.built.state_dict(), strict=False)
    wanted = {network.steps[place].name: str(place) for place in trunk.places}
    return [*create_feature_extractor(own, wanted)(images).values()]


def tokens_of_torchvision(network: LibraryNetwork, trunk: LibraryTrunk, images: Tensor) -> list[Tensor]:
    """By what the whole network's encoder gives."""
    own: Any = own_network(network, 0).eval()
    own.load_state_dict(trunk.built.state_dict())
    seen: list[Tensor] = []
    own.encoder.register_forward_hook(lambda module, given, tokens: seen.append(tokens))
    own(images)
    side = images.shape[2] // network.patch
    return [seen[0][:, 1:].transpose(1, 2).unflatten(2, (side, side))]


# Library, and whether the network is a plain one -> its own maps.
MAPS = {
    ("timm", False): maps_of_timm,
    ("timm", True): tokens_of_timm,
    ("torchvision", False): maps_of_torchvision,
    ("torchvision", True): tokens_of_torchvision,
}


def difference(found: list[Tensor], expected: list[Tensor]) -> str:
    """The largest, of maps of the same shapes."""
    channels_first = [e if e.shape == f.shape else e.permute(0, 3, 1, 2) for f, e in zip(found, expected, strict=True)]
    return f"{max(float((f - e).abs().max()) for f, e in zip(found, channels_first, strict=True)):.0e}"


def step(network: LibraryNetwork, kind: str, freeze_at: int = 0) -> str:
    """Train one step, in which every weight that is not frozen must change."""
    cfg = config(network, kind, freeze_at)
    model = build_model(cfg).train()
    optimizer = build_optimizer(cfg, model)
    side = cfg.INPUT.CLASSIFICATION.TRAIN_CROP
    use, size = ("classifier", (side, side)) if kind == "classifier" else ("mask_rcnn", DETECTED)
    with EventStorage():
        losses = model([noise(use, size) for _ in range(2)])
    sum(loss for key, loss in losses.items() if "loss" in key).backward()
    optimizer.step()
    trained = {key: weight for key, weight in model.backbone.named_parameters() if weight.requires_grad}
    without = [key for key, weight in trained.items() if weight.grad is None]
    if without or bool(trained) == (freeze_at == 5):
        raise ValueError(f"{len(without)} of {len(trained)} weights without gradient, such as {[*without, ''][0]}")
    return "yes"


def onnx_difference(network: LibraryNetwork) -> str:
    """From the logits of an ONNX file of the classifier."""
    cfg = config(network, "classifier")
    model = build_model(cfg).eval()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        IgdetCheckpointer(model, folder, cfg=cfg).save("model_final")
        convert_checkpoint(f"{folder}/model_final.pth", f"{folder}/model.onnx", "onnx")
        session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
        side = session.get_inputs()[0].shape[2]  # a name where the file takes any
        side = side if isinstance(side, int) else side_of(network)
        images = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8)
        (logits,) = session.run(None, {"images": images.float().numpy()})
        expected = torch.stack([row["pred_class_logits"] for row in model([{"image": image} for image in images])])
    return difference([torch.tensor(logits)], [expected])


def step_ratio(network: LibraryNetwork, repeats: int) -> str:
    """Forward and backward of trunk and linear classifier against the library's network with its own, in turn."""
    trunk = build_backbone(config(network, "classifier")).train()
    classifier = nn.Linear(trunk.output_shape()["pooled"].channels, 10)
    own = own_network(network, 10).train()
    images = torch.randn(BATCH, 3, *[side_of(network)] * 2)
    ways = {"igdet": lambda: classifier(trunk(images)["pooled"].flatten(1)), "own": lambda: own(images)}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats + 1):
        for way, run in ways.items():
            started = time.perf_counter()
            run().square().mean().backward()
            times[way].append(time.perf_counter() - started)
    ours, theirs = (median(of_way[1:]) for of_way in times.values())  # the first sets things up
    return f"{ours / theirs:.2f}"


def row(name: str, repeats: int) -> list[str]:
    """Everything about one network."""
    torch.manual_seed(0)
    library, _, own = name.partition("/")
    network = FIND[library](own)
    parameters = sum(weight.numel() for weight in network.build().parameters()) / 1e6
    return [
        name,
        f"simple, patch {network.patch}" if network.patch else "FPN",
        f"{parameters:.1f}",
        outcome(lambda: pooled_difference(network)),
        outcome(lambda: maps_difference(network)),
        outcome(lambda: step(network, "classifier")),
        outcome(lambda: step(network, "detector")),
        outcome(lambda: step(network, "classifier", freeze_at=5)),
        outcome(lambda: onnx_difference(network)),
        outcome(lambda: step_ratio(network, repeats)),
    ]


def main() -> None:
    """Build them one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NETWORKS, help="LIBRARY/NAME; one of each family by default")
    parser.add_argument("--repeats", type=int, default=5, help="timed steps of each way")
    args = parser.parse_args()
    rows = []
    for name in args.networks:
        rows.append(row(name, args.repeats))
        print(" | ".join(rows[-1]), flush=True)
    report("trunk_families", networks=table(COLUMNS, rows))


if __name__ == "__main__":
    main()
