"""Mask R-CNN inference of igdet's trunk beside Detectron2's own, with the same weights on the same images.

DETECTRON2_DATASETS=datasets python tools/benchmarks/inference.py X_101_32x8d --images 3
"""

import argparse
import time
from pathlib import Path
from statistics import median

import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.data import DatasetMapper, MetadataCatalog
from detectron2.modeling import build_model
from record import report, table

from igdet.config import add_igdet_config, merge_config_file
from igdet.modeling import apply_execution
from igdet.modeling.resnet_networks import FAMILY

ROOT = Path(__file__).resolve().parents[2]
DATASET = "coco_2017_val"


def config(member: str, device: str, theirs: bool) -> CfgNode:
    """The same network by igdet's name, or by Detectron2's keys."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    merge_config_file(cfg, ROOT / "configs/Base-RCNN-FPN.yaml")
    cfg.MODEL.MASK_ON, cfg.MODEL.DEVICE, cfg.MODEL.BACKBONE.NAME = True, device, f"{member}_FPN"
    if theirs:
        cfg.MODEL.BACKBONE.NAME = "build_resnet_fpn_backbone"
        cfg.MODEL.RESNETS.DEPTH = FAMILY[member].layers
        cfg.MODEL.RESNETS.NUM_GROUPS, cfg.MODEL.RESNETS.WIDTH_PER_GROUP = FAMILY[member].groups, FAMILY[member].width
    return cfg


def samples(cfg: CfgNode, count: int) -> list[list[dict]]:
    """Real images, resized as for a test, a batch each."""
    mapper = DatasetMapper(cfg, is_train=False)
    paths = sorted(Path(MetadataCatalog.get(DATASET).image_root).glob("*.jpg"))[:count]
    return [[mapper({"file_name": str(path), "image_id": path.stem})] for path in paths]


def timed(model: torch.nn.Module, inputs: list[dict], device: str) -> tuple[float, dict]:
    """Seconds of one forward pass, and its instances."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    wait()
    started = time.perf_counter()
    [output] = model(inputs)
    wait()
    return time.perf_counter() - started, output["instances"]


@torch.no_grad()
def main() -> None:
    """Run both in turn, print and record a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("member", choices=FAMILY, metavar="MEMBER")
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.manual_seed(0)
    configs = {"Detectron2": config(args.member, args.device, True), "igdet": config(args.member, args.device, False)}
    models = {way: build_model(cfg).eval() for way, cfg in configs.items()}
    models["igdet"].load_state_dict(models["Detectron2"].state_dict())
    apply_execution(models["igdet"], configs["igdet"])
    seconds: dict[str, list[float]] = {way: [] for way in models}
    batches = samples(configs["igdet"], args.images)
    for batch in [batches[0], *batches]:  # the first warms up
        found = {way: timed(model, batch, args.device) for way, model in models.items()}
        for way, (time_taken, _) in found.items():
            seconds[way].append(time_taken)
        ours, theirs = (found[way][1] for way in ("igdet", "Detectron2"))
        assert len(ours) == len(theirs) and torch.allclose(ours.scores, theirs.scores, atol=1e-4), "results differ"
    peer = median(seconds["Detectron2"][1:])
    rows = [(way, median(times[1:]), peer / median(times[1:])) for way, times in seconds.items()]
    print(f"{args.member} Mask R-CNN, {len(batches)} images of {DATASET}, {args.device}; the same detections\n")
    report("inference", speed=table(["network", "s an image", "faster"], rows, ["", ".2f", ".2f"]))


if __name__ == "__main__":
    main()
