"""`igdet COMMAND ...`, also `python -m igdet.cli COMMAND ...`: one name for all commands."""

import argparse
import importlib
import sys
from pathlib import Path

COMMANDS = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def main() -> int | None:
    """Run the named command on the rest of the command line, and return its exit status."""
    parser = argparse.ArgumentParser("igdet", description="Measure what hashtag pretraining buys.")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the command; `igdet COMMAND --help` lists them")
    args = parser.parse_args()
    sys.argv = [f"igdet {args.command}", *args.arguments]  # as the command's help and its hints show it
    return importlib.import_module(f"igdet.cli.{args.command}").main()


if __name__ == "__main__":
    sys.exit(main())
