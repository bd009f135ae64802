"""Table of what members of the family cost, as classifiers and as Mask R-CNN: size, work, memory, time."""

import argparse
import logging
from pathlib import Path

import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances, PolygonMasks
from detectron2.utils.events import EventStorage

from igdet.config import add_igdet_config, merge_config_file, merge_overrides
from igdet.modeling.analysis import count, seconds, training_bytes
from igdet.modeling.resnext import FAMILY
from igdet.utils.errors import one_line_errors
from igdet.utils.table import Entry, Table

EXAMPLES = """
Examples:
  python tools/analyze_model.py X_50_32x4d X_101_32x8d
  python tools/analyze_model.py X_101_32x8d --as mask_rcnn --size 800 1333 --repeats 1
"""
PICTURES = {"classifier": (224, 224), "mask_rcnn": (800, 1333)}  # height and width, pixels
OBJECTS = 7  # of a picture of COCO, on average
HEADER = [
    "network",
    "as",
    "pixels",
    "parameters, M",
    "multiply-adds, G",
    "activations, M",
    "training, GB",
    "forward, s",
]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("members", nargs="+", choices=FAMILY, metavar="MEMBER", help="such as X_101_32x8d")
    parser.add_argument("--as", dest="kind", choices=PICTURES, default="classifier")
    parser.add_argument("--size", nargs=2, type=int, help="height and width; usual ones of the kind unless told")
    parser.add_argument("--device", default="cpu", help="such as cuda")
    parser.add_argument("--repeats", type=int, default=3, help="timed forward passes")
    return parser.parse_args()


def config(member: str, kind: str, device: str) -> CfgNode:
    """The config of a member on no data set in particular."""
    bases = {"classifier": "configs/Base-Classification.yaml", "mask_rcnn": "configs/Base-RCNN-FPN.yaml"}
    name = member if kind == "classifier" else f"{member}_FPN"
    cfg = get_cfg()
    add_igdet_config(cfg)
    merge_config_file(cfg, Path(__file__).parent.parent / bases[kind])
    merge_overrides(cfg, ["MODEL.BACKBONE.NAME", name, "MODEL.MASK_ON", "True", "MODEL.DEVICE", device])
    return cfg


def picture(kind: str, size: tuple[int, int]) -> dict:
    """A sample of noise, with what its kind is trained on."""
    height, width = size
    sample = {"image": torch.randint(0, 256, (3, *size), dtype=torch.uint8), "height": height, "width": width}
    if kind == "classifier":
        return {**sample, "gt_classes": torch.tensor([0])}
    corners = torch.rand(OBJECTS, 2) * torch.tensor([width, height]) / 2
    boxes = torch.cat([corners, corners + torch.tensor([width, height]) / 4], dim=1)
    polygons = [[box[[0, 1, 2, 1, 2, 3, 0, 3]].numpy().astype(float)] for box in boxes]
    fields = {"gt_boxes": Boxes(boxes), "gt_classes": torch.zeros(OBJECTS).long(), "gt_masks": PolygonMasks(polygons)}
    return {**sample, "instances": Instances(size, **fields)}


def row(member: str, args: argparse.Namespace) -> list[Entry]:
    """What one member costs."""
    size = tuple(args.size or PICTURES[args.kind])
    torch.manual_seed(0)
    model, inputs = build_model(config(member, args.kind, args.device)).eval(), [picture(args.kind, size)]
    cost = count(model, inputs)
    with torch.no_grad():
        forward = seconds(lambda: model(inputs), args.repeats, args.device)
    with EventStorage():  # detectors write into it
        memory = training_bytes(model.train(), lambda: model(inputs)) / 1e9
    numbers = (
        f"{cost.parameters:.1f}",
        f"{cost.multiply_adds:.1f}",
        f"{cost.activations:.1f}",
        f"{memory:.2f}",
        f"{forward:.2f}",
    )
    return [*map(Entry, (member, args.kind, f"{size[0]} x {size[1]}", *numbers))]


def main() -> None:
    """Measure and print the table."""
    args = parse_args()
    logging.disable(logging.WARNING)  # operators that are not counted, by name
    with one_line_errors():
        rows = [row(member, args) for member in args.members]
    device = (
        torch.cuda.get_device_name() if args.device.startswith("cuda") else f"{torch.get_num_threads()} CPU threads"
    )
    note = (
        f"One picture in float32; torch {torch.__version__}, {device}. docs/MODELS.md says how each column is counted."
    )
    print(Table("What a network costs", HEADER, rows, note).markdown())


if __name__ == "__main__":
    main()
