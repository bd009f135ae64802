"""Submit a training to a SLURM cluster, from which it comes back by itself when it is preempted."""

import argparse
import sys

from igdet.engine.submission import CLUSTERS, describe, submit
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples (what follows -- goes to train_net):
  4 machines of 8 GPUs for a day  igdet submit --nodes 4 --gpus-per-node 8 --hours 24 --partition gpu -- \\
                                    --config-file configs/Pretrain/pretrain_X_101_32x8d.yaml
  try it out on this machine      igdet submit --on local --gpus-per-node 2 --hours 1 -- \\
                                    --config-file configs/quick_schedules/pretrain_world.yaml
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=1, help="machines")
    parser.add_argument("--gpus-per-node", type=int, default=8, help="GPUs, and so processes, a machine")
    parser.add_argument("--hours", type=float, default=24, help="until the job goes back in the queue")
    parser.add_argument("--partition", default="", help="of the cluster; none: its default one")
    parser.add_argument("--requeues", type=int, default=100, help="how often its time may run out")
    parser.add_argument("--logs", default="runs/jobs", help="folder for the output of the processes")
    parser.add_argument("--on", choices=CLUSTERS, default="slurm", help="local: on this machine's CPU, to try it out")
    parser.add_argument("arguments", nargs="+", metavar="-- ARGUMENT", help="of train_net")
    return parser.parse_args()


@one_line_errors()
def main() -> None:
    """Submit, then say what will happen."""
    args = parse_args()
    print(describe(submit(args), args))


if __name__ == "__main__":
    sys.exit(main())
