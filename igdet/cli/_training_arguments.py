"""The command line of Detectron2's training scripts, without its import, which takes seconds; a test compares both."""

import argparse
import os

_PORTS = 2**14  # from 49,152 on: those that no service has for its own


def training_parser(epilog: str) -> argparse.ArgumentParser:
    """Return a parser of what Detectron2's `default_argument_parser` takes.

    Args:
        epilog: what the help ends with.
    """
    parser = argparse.ArgumentParser(epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config-file", default="", metavar="FILE", help="of the run; docs/CONFIGS.md lists them")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in OUTPUT_DIR")
    parser.add_argument("--eval-only", action="store_true", help="evaluate MODEL.WEIGHTS, train nothing")
    parser.add_argument("--num-gpus", type=int, default=1, help="of each machine")
    parser.add_argument("--num-machines", type=int, default=1, help="that train together")
    parser.add_argument("--machine-rank", type=int, default=0, help="which of the machines this is, from 0")
    port = 3 * _PORTS + hash(os.getuid()) % _PORTS  # the same for a user, who sees that an old run still has it
    parser.add_argument("--dist-url", default=f"tcp://127.0.0.1:{port}", help="where the processes of a run meet")
    parser.add_argument(
        "opts", nargs=argparse.REMAINDER, metavar="KEY VALUE", help="overrides of config keys, such as SEED 3"
    )
    return parser
