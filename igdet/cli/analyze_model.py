"""Table of what trunks cost, as classifiers and as Mask R-CNN: size, work, memory, time."""

import argparse
import sys
from pathlib import Path

from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

USES = ("classifier", "mask_rcnn")  # of igdet/modeling/costs.py
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
    parser.add_argument("--as", dest="uses", nargs="+", choices=USES, default=USES, help="both by default")
    parser.add_argument("--device", default="cpu", help="such as cuda")
    parser.add_argument("--repeats", type=int, default=3, help="timed forward passes")
    parser.add_argument("--document", type=Path, help="Markdown file that gets the table, at its marker `costs`")
    args = parser.parse_args()
    if args.repeats < 1:
        parser.error(f"--repeats {args.repeats}: expected 1 or more")
    return args


@one_line_errors()
def main() -> None:
    """Read the command line, then measure."""
    args = parse_args()
    from igdet.cli.actions.analyze_model import run  # now: PyTorch takes seconds

    run(args)


if __name__ == "__main__":
    sys.exit(main())
