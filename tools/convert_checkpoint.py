"""Convert a checkpoint to torchvision's (and timm's) format or to Detectron2's, classifier included."""

import argparse

from igdet.checkpoint import TARGETS, convert_checkpoint
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples:
  python tools/convert_checkpoint.py runs/pretrain_world/model_final.pth resnext.pth --to torchvision
  python tools/convert_checkpoint.py igdet://ig_resnext101_32x8d ig_32x8d.pkl --to detectron2
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="a checkpoint of igdet, torchvision, timm or Detectron2, or an igdet:// name")
    parser.add_argument("target", help="the file to write: .pth for torchvision, .pkl for detectron2")
    parser.add_argument("--to", choices=TARGETS, required=True, help="the format to write")
    return parser.parse_args()


def main() -> None:
    """Convert, and say what was written."""
    args = parse_args()
    with one_line_errors():
        print(convert_checkpoint(args.source, args.target, args.to))


if __name__ == "__main__":
    main()
