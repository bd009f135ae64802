"""Table of what trunks cost, as classifiers and as Mask R-CNN: size, work, memory, time."""

import argparse
import logging
import sys
from itertools import product
from pathlib import Path

import torch
from detectron2.config import CfgNode, get_cfg
from tqdm import tqdm

from igdet.config import add_igdet_config, merge_config_file, merge_overrides
from igdet.config.shipped import shipped_configs
from igdet.modeling.costs import USES, cost_row, cost_table
from igdet.modeling.trunk import member_names
from igdet.reporting.documents import read_document, write_blocks
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples:
  igdet analyze_model X_50_32x4d X_101_32x8d
  igdet analyze_model X_101_32x8d --as mask_rcnn --device cuda
  igdet analyze_model --repeats 1 --document docs/MODELS.md
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("members", nargs="*", metavar="MEMBER", help="such as X_101_32x8d; all by default")
    parser.add_argument("--as", dest="uses", nargs="+", choices=USES, default=[*USES], help="both by default")
    parser.add_argument("--device", default="cpu", help="such as cuda")
    parser.add_argument("--repeats", type=int, default=3, help="timed forward passes")
    parser.add_argument("--document", type=Path, help="Markdown file that gets the table, at its marker `costs`")
    args = parser.parse_args()
    unknown = sorted(set(args.members) - set(member_names()))
    no_gpu = "cuda" in args.device and not torch.cuda.is_available()
    faults = {
        f"no such member: {', '.join(unknown)}; expected some of {', '.join(member_names())}": unknown,
        f"--repeats {args.repeats}: expected 1 or more": args.repeats < 1,
        f"--device {args.device}: PyTorch sees no GPU; expected cpu": no_gpu,
    }
    for fault, is_there in faults.items():
        if is_there:
            parser.error(fault)
    return args


def config(member: str, use: str, device: str) -> CfgNode:
    """The config of a member on no data set in particular."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    merge_config_file(cfg, shipped_configs() / USES[use].base)
    name = member + USES[use].suffix
    merge_overrides(cfg, ["MODEL.BACKBONE.NAME", name, "MODEL.DEVICE", device, *USES[use].overrides])
    return cfg


@one_line_errors()
def main() -> None:
    """Measure and print the table."""
    args = parse_args()
    logging.disable(logging.WARNING)  # operators that are not counted, by name
    if args.document:
        read_document(args.document, ["costs"])
    pairs = [*product(args.uses, args.members or member_names())]
    rows = [
        cost_row(member, use, config(member, use, args.device), args.repeats) for use, member in tqdm(pairs, "networks")
    ]
    table = cost_table(rows, args.device).markdown()
    print(table)
    if args.document:
        write_blocks(args.document, {"costs": table})


if __name__ == "__main__":
    sys.exit(main())
