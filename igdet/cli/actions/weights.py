"""What the command weights does: fetch weights, look into them, convert them, write a card."""

import argparse

from igdet.benchmark.model_card import model_card, read_runs
from igdet.checkpoint.convert import convert_checkpoint
from igdet.checkpoint.download import fetch, find_weights
from igdet.checkpoint.hub import is_on_hub
from igdet.checkpoint.inspection import inspect_weights
from igdet.checkpoint.library_weights import is_of_library
from igdet.checkpoint.locating import local_file
from igdet.formats.catalog import WEIGHTS, full_name
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.utils.messages import printable


def fetch_named(args: argparse.Namespace) -> None:
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


def inspect(args: argparse.Namespace) -> None:
    """Print what a checkpoint is."""
    print(printable(inspect_weights(args.source, args.key)))


def convert(args: argparse.Namespace) -> None:
    """Convert a checkpoint, and say what was written."""
    print(convert_checkpoint(args.source, args.target, args.to, args.key))


ACTIONS = {"fetch": fetch_named, "inspect": inspect, "convert": convert, "card": write_card}
