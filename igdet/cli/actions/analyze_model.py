"""What the command analyze_model does: build trunks, count and time them."""

import argparse
import logging
from itertools import product

import torch
from detectron2.config import CfgNode, get_cfg
from tqdm import tqdm

from igdet.config import add_igdet_config, merge_config_file, merge_overrides
from igdet.config.shipped import shipped_configs
from igdet.modeling.costs import USES, cost_row, cost_table
from igdet.modeling.trunk import member_names
from igdet.reporting.documents import read_document, write_blocks
from igdet.utils.errors import UserError


def config(member: str, use: str, device: str) -> CfgNode:
    """The config of a member on no data set in particular."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    merge_config_file(cfg, shipped_configs() / USES[use].base)
    name = member + USES[use].suffix
    merge_overrides(cfg, ["MODEL.BACKBONE.NAME", name, "MODEL.DEVICE", device, *USES[use].overrides])
    return cfg


def check(args: argparse.Namespace) -> None:
    """Refuse what cannot be measured.

    Raises:
        UserError: no such member, or no GPU.
    """
    if unknown := sorted(set(args.members) - set(member_names())):
        raise UserError(f"no such member: {', '.join(unknown)}; expected some of {', '.join(member_names())}")
    if "cuda" in args.device and not torch.cuda.is_available():
        raise UserError(f"--device {args.device}: PyTorch sees no GPU; expected cpu")


def run(args: argparse.Namespace) -> None:
    """Measure and print the table."""
    check(args)
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
