"""Copy the configs that come with igdet into a folder, for those who installed it without its source tree.

Examples:
  igdet copy_configs           into ./configs, where the paths in the documents and in the suites look for them
  igdet benchmark run configs/benchmark/demo.yaml
"""

import argparse
import shutil
import sys
from pathlib import Path

from igdet.config.shipped import shipped_configs
from igdet.utils.command_lines import as_started
from igdet.utils.errors import UserError, one_line_errors


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=as_started(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", nargs="?", type=Path, default=Path("configs"), help="a new folder (default %(default)s)")
    return parser.parse_args()


@one_line_errors()
def main() -> None:
    """Copy, and say where."""
    args = parse_args()
    if args.out.exists():
        raise UserError(f"{args.out} is there already: expected a new folder; name another one")
    shutil.copytree(shipped_configs(), args.out)
    print(f"The configs of igdet: {args.out}")


if __name__ == "__main__":
    sys.exit(main())
