"""Weights by name: list and fetch them, look into a checkpoint, convert one to another format, write a model card."""

import argparse
import logging
import sys
from pathlib import Path

from igdet.benchmark.model_card import model_card, read_runs
from igdet.checkpoint import (
    TARGETS,
    WEIGHTS,
    convert_checkpoint,
    documents_blocks,
    fetch,
    find_weights,
    inspect_weights,
    list_weights,
)
from igdet.checkpoint.catalog import full_name
from igdet.checkpoint.hub import is_on_hub
from igdet.checkpoint.library_weights import is_of_library
from igdet.checkpoint.locating import local_file
from igdet.utils.command_lines import as_started
from igdet.utils.errors import UserError, one_line_errors
from igdet.utils.files import atomic_write
from igdet.utils.messages import printable

EXAMPLES = """
Examples:
  igdet weights list
  igdet weights fetch ig_resnext101_32x8d in1k_resnet50
  igdet weights fetch hf://timm/resnet50.a1_in1k/model.safetensors
  igdet weights inspect runs/pretrain_world/model_final.pth
  igdet weights convert ig_resnext101_32x8d ig_32x8d.onnx --to onnx
  igdet weights convert runs/cub/model_final.pth cub/model.safetensors --to timm
  igdet weights card runs/cub --license cc-by-nc-4.0 --out cub/README.md
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=as_started(EXAMPLES), formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True)
    listed = commands.add_parser("list", help="a table of the catalog, and what of it is in the cache")
    listed.add_argument("--markdown", action="store_true", help="in full, as docs/WEIGHTS.md has it")
    fetched = commands.add_parser("fetch", help="download, check, and say where the files are")
    fetched.add_argument(
        "names", nargs="+", metavar="NAME", help="of the list, hf://..., timm://... or torchvision://..."
    )
    inspected = commands.add_parser("inspect", help="format, network, images, classes and licence")
    inspected.add_argument("source", help="a name of the list, or any checkpoint")
    converted = commands.add_parser("convert", help="trunk and classifier in another format")
    converted.add_argument("source", help="a name of the list, or any checkpoint")
    endings = ", ".join(f"{' or '.join(form.writers)} for {to}" for to, form in TARGETS.items())
    converted.add_argument("target", help=f"the file to write: {endings}")
    converted.add_argument("--to", choices=TARGETS, required=True, help="the format to write")
    card = commands.add_parser("card", help="a README.md for a hub, of what a run's results.json says")
    card.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a finished run's folder; those of more seeds")
    card.add_argument("--license", required=True, help="of the weights, as the hub writes it: apache-2.0, cc-by-nc-4.0")
    card.add_argument("--name", help="of the model; without it, that of the first folder")
    card.add_argument("--out", type=Path, help="the file; without it, README.md in the first folder")
    for command in (inspected, converted):
        command.add_argument("--key", default="", help="which of several copies, such as state_dict_ema; inspect says")
    return parser.parse_args()


def show_list(args: argparse.Namespace) -> None:
    """Print the catalog."""
    print(documents_blocks()["weights-in-full"] if args.markdown else list_weights())


def fetch_all(args: argparse.Namespace) -> None:
    """Download what is not there; names of the list are looked up before the first byte."""
    wanted = [name if is_on_hub(name) or is_of_library(name) else find_weights(name) for name in args.names]
    for weights in wanted:
        print(local_file(weights) if isinstance(weights, str) else fetch(weights))


def write_card(args: argparse.Namespace) -> None:
    """Write a model card; one that is there, which somebody may have completed, is not replaced."""
    path = args.out or args.runs[0] / "README.md"
    if path.exists():
        raise UserError(f"{path} is there already: move it away, or name another file with --out")
    licences = {full_name(name): weights.publication.licence for name, weights in WEIGHTS.items()}
    card = model_card(read_runs(args.runs), args.name or args.runs[0].resolve().name, args.license, licences)
    with atomic_write(path, "w") as file:
        file.write(card)
    print(path)


COMMANDS = {
    "list": show_list,
    "fetch": fetch_all,
    "inspect": lambda args: print(printable(inspect_weights(args.source, args.key))),
    "convert": lambda args: print(convert_checkpoint(args.source, args.target, args.to, args.key)),
    "card": write_card,
}


@one_line_errors()
def main() -> None:
    """Do what the command line says."""
    args = parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("igdet").setLevel(logging.INFO)  # licences and downloads, on stderr
    COMMANDS[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
