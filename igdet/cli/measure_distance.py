"""Measure how far a pretraining is from targets: in images, by the features of one trunk, and in labels, by names.

igdet measure_distance --targets my/boxes.yaml datasets/scene15 --config-file my/pretrain.yaml \\
  MODEL.WEIGHTS runs/pretrain/model_final.pth OUTPUT_DIR runs/distance
"""

import argparse
import sys

from igdet.config.keys import check_keys
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=as_started(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config-file", metavar="FILE", help="of the trunk whose features are compared")
    parser.add_argument(
        "--targets", nargs="+", metavar="SET", help="configs, of which DATASETS.TRAIN counts, folders, or data sets"
    )
    parser.add_argument("--pretraining", metavar="SET", help="likewise; without it what --config-file trains on")
    parser.add_argument("--images", type=int, default=2000, help="of each set, at most (default %(default)s)")
    parser.add_argument("--request", metavar="FILE", help="instead of all this: what a benchmark wants to know")
    parser.add_argument("opts", nargs=argparse.REMAINDER, metavar="KEY VALUE", help="overrides of --config-file")
    args = parser.parse_args()
    if not args.request and not (args.config_file and args.targets):
        parser.error("expected --config-file and --targets, or --request")
    if args.images < 2:
        parser.error(f"--images is {args.images}: expected 2 or more")
    return args


@one_line_errors()
def main() -> None:
    """Read the command line, check its keys, then measure."""
    args = parse_args()
    check_keys(args.config_file or "", args.opts)
    from igdet.cli.actions.measure_distance import run  # now: PyTorch takes seconds

    run(args)


if __name__ == "__main__":
    sys.exit(main())
