"""Train or evaluate any config of igdet, with Detectron2's own command line."""

import argparse
import sys

from igdet.cli._training_arguments import training_parser
from igdet.config.keys import check_keys
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples:
  pretrain on hashtags   igdet train_net --config-file configs/quick_schedules/pretrain_world.yaml
  continue a broken run  igdet train_net --config-file ... --resume
  transfer               igdet train_net --config-file configs/quick_schedules/mask_rcnn_world.yaml \\
                           MODEL.WEIGHTS runs/pretrain_world/model_final.pth
  evaluate only          igdet train_net --config-file ... --eval-only MODEL.WEIGHTS FILE
  several GPUs           igdet train_net --config-file ... --num-gpus 8
  the same, by torchrun  python -m torch.distributed.run --nproc-per-node 8 -m igdet.cli.train_net --config-file ...
  on a SLURM cluster     igdet submit --nodes 4 --gpus-per-node 8 --hours 24 -- --config-file ...
  change any key         igdet train_net --config-file ... SOLVER.BASE_LR 0.01 OUTPUT_DIR runs/lower
"""


def train(args: argparse.Namespace) -> None:
    """Run the command in one process."""
    from igdet.engine.heartbeat import heartbeat
    from igdet.engine.run import run

    with one_line_errors(FloatingPointError), heartbeat(args):
        run(args)


@one_line_errors()
def main() -> None:
    """Read the command line, then start the processes."""
    args = training_parser(as_started(EXAMPLES)).parse_args()
    check_keys(args.config_file, args.opts)
    from igdet.engine.launching import start  # now: PyTorch takes seconds

    start(train, args)


if __name__ == "__main__":
    sys.exit(main())
