"""Draw what the training loader of a config really yields, labels and all, on one contact sheet."""

import argparse
import sys
from pathlib import Path

from igdet.config.keys import check_keys
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

EXAMPLE = """
Example:
  igdet visualize_data --config-file configs/quick_schedules/mask_rcnn_world.yaml --out runs/samples.png
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLE), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config-file", required=True, help="any config of train_net")
    parser.add_argument("--out", type=Path, default=Path("samples.png"), help="the image to write: .png or .jpg")
    parser.add_argument("--count", type=int, default=16, help="number of samples")
    parser.add_argument("opts", nargs="*", metavar="KEY VALUE", help="overrides of config keys")
    return parser.parse_args(namespace=argparse.Namespace(eval_only=False))


@one_line_errors()
def main() -> None:
    """Draw the sheet and write it."""
    args = parse_args()
    check_keys(args.config_file, args.opts)
    from igdet.data.visualize import contact_sheet  # now: PyTorch takes seconds
    from igdet.engine.setup import setup_config

    sheet = contact_sheet(setup_config(args), args.count)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(args.out)
    print(f"{args.count} training samples: {args.out}")


if __name__ == "__main__":
    sys.exit(main())
