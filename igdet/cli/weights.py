"""Published weights by name: list them, fetch them, look into a checkpoint, convert one to another format."""

import argparse
import logging
import sys

from igdet.checkpoint import (
    TARGETS,
    convert_checkpoint,
    documents_blocks,
    fetch,
    find_weights,
    inspect_weights,
    list_weights,
)
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors
from igdet.utils.messages import printable

EXAMPLES = """
Examples:
  igdet weights list
  igdet weights fetch ig_resnext101_32x8d in1k_resnet50
  igdet weights inspect runs/pretrain_world/model_final.pth
  igdet weights convert ig_resnext101_32x8d ig_32x8d.onnx --to onnx
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=as_started(EXAMPLES), formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True)
    listed = commands.add_parser("list", help="a table of the catalog, and what of it is in the cache")
    listed.add_argument("--markdown", action="store_true", help="in full, as docs/WEIGHTS.md has it")
    fetched = commands.add_parser("fetch", help="download, check, and say where the files are")
    fetched.add_argument("names", nargs="+", metavar="NAME", help="of the list")
    inspected = commands.add_parser("inspect", help="format, network, images, classes and licence")
    inspected.add_argument("source", help="a name of the list, or any checkpoint")
    converted = commands.add_parser("convert", help="trunk and classifier in another format")
    converted.add_argument("source", help="a name of the list, or any checkpoint")
    endings = ", ".join(f"{' or '.join(form.writers)} for {to}" for to, form in TARGETS.items())
    converted.add_argument("target", help=f"the file to write: {endings}")
    converted.add_argument("--to", choices=TARGETS, required=True, help="the format to write")
    for command in (inspected, converted):
        command.add_argument("--key", default="", help="which of several copies, such as state_dict_ema; inspect says")
    return parser.parse_args()


def show_list(args: argparse.Namespace) -> None:
    """Print the catalog."""
    print(documents_blocks()["weights-in-full"] if args.markdown else list_weights())


def fetch_all(args: argparse.Namespace) -> None:
    """Download what is not there; names are looked up before the first byte."""
    for weights in [find_weights(name) for name in args.names]:
        print(fetch(weights))


COMMANDS = {
    "list": show_list,
    "fetch": fetch_all,
    "inspect": lambda args: print(printable(inspect_weights(args.source, args.key))),
    "convert": lambda args: print(convert_checkpoint(args.source, args.target, args.to, args.key)),
}


@one_line_errors()
def main() -> None:
    """Do what the command line says."""
    args = parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # licences and downloads, on stderr
    COMMANDS[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
