"""Measure a frozen trunk by its features: linear probe, k-shot, nearest neighbours (docs/PROTOCOLS.md)."""

import argparse
import sys

from detectron2.engine import default_argument_parser

from igdet.engine import setup
from igdet.engine.probe import check_probe, probe
from igdet.evaluation.probing.protocols import PROTOCOLS
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples:
  all protocols       igdet probe --config-file configs/quick_schedules/linear_world.yaml \\
                        MODEL.WEIGHTS runs/pretrain_world/model_final.pth OUTPUT_DIR runs/probe_world
  some of them        igdet probe --protocols linear knn --config-file ...
  another choice      igdet probe --config-file ... PROBE.SHOTS "(1, 4, 16)" PROBE.DRAWS 10
"""


def parse_args() -> argparse.Namespace:
    """Read the command line: Detectron2's, and the protocols."""
    parser = default_argument_parser(epilog=as_started(EXAMPLES))
    parser.add_argument("--protocols", nargs="+", choices=list(PROTOCOLS), default=list(PROTOCOLS))
    return parser.parse_args()


@one_line_errors()
def main() -> None:
    """Check the config, say what will be done, do it."""
    args = parse_args()
    cfg = setup(args)
    check_probe(cfg)
    trunk, sets = cfg.MODEL.WEIGHTS or "a random trunk", " and ".join((*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST))
    print(
        f"Features of {trunk} on {sets} are kept in {cfg.OUTPUT_DIR}/features;\n"
        f"then {', '.join(args.protocols)}: probe.json and predictions in {cfg.OUTPUT_DIR}"
    )
    probe(cfg, args.protocols, {"config_file": args.config_file, "opts": list(args.opts)})


if __name__ == "__main__":
    sys.exit(main())
