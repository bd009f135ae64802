"""Weights by name: list and fetch them, look into a checkpoint, convert one to another format, write a model card."""

import argparse
import logging
import sys
from pathlib import Path

from igdet.formats.catalog_tables import documents_blocks, list_weights
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

# Formats to convert to, and how their files end; igdet/checkpoint/convert.py writes them.
ENDINGS = {
    **dict.fromkeys(("torchvision", "timm"), (".pth", ".safetensors")),
    "detectron2": (".pkl",),
    "onnx": (".onnx",),
}
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
    endings = ", ".join(f"{' or '.join(ending)} for {to}" for to, ending in ENDINGS.items())
    converted.add_argument("target", help=f"the file to write: {endings}")
    converted.add_argument("--to", choices=ENDINGS, required=True, help="the format to write")
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


@one_line_errors()
def main() -> None:
    """Do what the command line says."""
    args = parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("igdet").setLevel(logging.INFO)  # licences and downloads, on stderr
    if args.command == "list":
        show_list(args)
        return
    from igdet.cli.actions.weights import ACTIONS  # now: PyTorch takes seconds

    ACTIONS[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
