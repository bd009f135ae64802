"""Train or evaluate any config of igdet, with Detectron2's own command line."""

from detectron2.engine import default_argument_parser, launch

from igdet.engine import evaluate, setup, train
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples (each after `python`):
  pretrain on hashtags   tools/train_net.py --config-file configs/quick_schedules/pretrain_world.yaml
  continue a broken run  tools/train_net.py --config-file ... --resume
  transfer               tools/train_net.py --config-file configs/quick_schedules/mask_rcnn_world.yaml \\
                           MODEL.WEIGHTS runs/pretrain_world/model_final.pth
  evaluate only          tools/train_net.py --config-file ... --eval-only MODEL.WEIGHTS FILE
  several GPUs           tools/train_net.py --config-file ... --num-gpus 8
  change any key         tools/train_net.py --config-file ... SOLVER.BASE_LR 0.01 OUTPUT_DIR runs/lower
"""


def main(args):
    """Set up one process and run the command in it."""
    with one_line_errors(FloatingPointError):
        cfg = setup(args)
        return evaluate(cfg, args) if args.eval_only else train(cfg, args)


if __name__ == "__main__":
    arguments = default_argument_parser(epilog=EXAMPLES).parse_args()
    launch(
        main,
        arguments.num_gpus,
        num_machines=arguments.num_machines,
        machine_rank=arguments.machine_rank,
        dist_url=arguments.dist_url,
        args=(arguments,),
    )
