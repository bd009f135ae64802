"""Train or evaluate any config of igdet, with Detectron2's own command line."""

import argparse
import sys

from detectron2.engine import default_argument_parser

from igdet.engine import run
from igdet.engine.heartbeat import heartbeat
from igdet.engine.launching import start
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples (each after `python`):
  pretrain on hashtags   tools/train_net.py --config-file configs/quick_schedules/pretrain_world.yaml
  continue a broken run  tools/train_net.py --config-file ... --resume
  transfer               tools/train_net.py --config-file configs/quick_schedules/mask_rcnn_world.yaml \\
                           MODEL.WEIGHTS runs/pretrain_world/model_final.pth
  evaluate only          tools/train_net.py --config-file ... --eval-only MODEL.WEIGHTS FILE
  several GPUs           tools/train_net.py --config-file ... --num-gpus 8
  the same, by torchrun  -m torch.distributed.run --nproc-per-node 8 tools/train_net.py --config-file ...
  on a SLURM cluster     tools/submit.py --nodes 4 --gpus-per-node 8 --hours 24 -- --config-file ...
  change any key         tools/train_net.py --config-file ... SOLVER.BASE_LR 0.01 OUTPUT_DIR runs/lower
"""


def train(args: argparse.Namespace) -> None:
    """Run the command in one process."""
    with one_line_errors(FloatingPointError), heartbeat(args):
        run(args)


@one_line_errors()
def main() -> None:
    """Read the command line, then start the processes."""
    start(train, default_argument_parser(epilog=EXAMPLES).parse_args())


if __name__ == "__main__":
    sys.exit(main())
