"""Writes the synthetic world: tagged posts, labelled images, COCO scenes with label maps."""

import argparse
import os
import sys
import time

from igdet.utils.command_lines import command_line
from igdet.utils.errors import one_line_errors
from igdet.world.build import WORLD_SIZES, world_parts, write_world


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="folder of the world; appears when everything is written")
    parser.add_argument("--size", choices=WORLD_SIZES, default="demo")
    parser.add_argument("--seed", type=int, default=0, help=">= 0; the same seed gives the same world")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="number of processes")
    return parser.parse_args()


@one_line_errors()
def main() -> None:
    """Say what will be written, write it, say what to do with it."""
    args = parse_args()
    size = WORLD_SIZES[args.size]
    print(f"World of size {args.size}, seed {args.seed}, to {args.out}, with {args.workers} processes:")
    for name, (_, _, style, count) in world_parts(size).items():
        per_class = " a class" if name.startswith(("clean", "target")) else ""
        print(f"  {name:<13}{count:>7,} images{per_class} of {style.side} x {style.side}")
    start = time.monotonic()
    written = write_world(args.out, size, args.seed, args.workers)
    print(f"Written in {time.monotonic() - start:.0f} s." if written else "It is there already; nothing to do.")
    print(f"Look at it: {args.out}/coco/train, {args.out}/loose/posts.csv")
    print(f"Next: {command_line('train_net')} --config-file configs/quick_schedules/pretrain_world.yaml")


if __name__ == "__main__":
    sys.exit(main())
