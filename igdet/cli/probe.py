"""Measure a frozen trunk by its features: linear probe, k-shot, nearest neighbours (docs/PROTOCOLS.md)."""

import argparse
import sys

from igdet.benchmark.suite import PROBES
from igdet.cli._training_arguments import training_parser
from igdet.config.keys import check_keys
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
    parser = training_parser(as_started(EXAMPLES))
    parser.add_argument("--protocols", nargs="+", choices=PROBES, default=[*PROBES])
    return parser.parse_args()


@one_line_errors()
def main() -> None:
    """Check the config, say what will be done, do it."""
    args = parse_args()
    check_keys(args.config_file, args.opts)
    from igdet.engine.probe import check_probe, probe  # now: PyTorch takes seconds
    from igdet.engine.setup import setup

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
