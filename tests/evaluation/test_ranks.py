"""Evaluation over two processes gives what one process gives."""

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from igdet.evaluation import ClassificationEvaluator

NAMES = ["ant", "bee", "cat"]
LABELS = [0, 1, 2, 0, 1]
LOGITS = torch.tensor([[3.0, 1, 2], [1, 3, 2], [1, 3, 2], [2, 1, 3], [3, 2, 1]])


def accuracy(output_dir, first, step):
    """Evaluate every `step`-th image from the `first` on."""
    evaluator = ClassificationEvaluator(NAMES, output_dir)
    for i in range(first, len(LABELS), step):
        evaluator.process(
            [{"image_id": str(i), "gt_classes": torch.tensor([LABELS[i]])}], [{"pred_class_logits": LOGITS[i]}]
        )
    return evaluator.evaluate()


def worker(rank, folder):
    torch.set_num_threads(1)  # a forked process has none of its parent's threads
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    torch.save(accuracy(folder, rank, 2), folder / f"{rank}.pth")
    dist.destroy_process_group()


def test_two_ranks_give_the_results_of_one(tmp_path):
    mp.start_processes(worker, (tmp_path,), nprocs=2, start_method="forkserver")  # as in test_sharding.py
    assert torch.load(tmp_path / "1.pth") == {}
    assert dict(torch.load(tmp_path / "0.pth", weights_only=False)) == dict(accuracy(tmp_path, 0, 1))
    assert accuracy(tmp_path, 0, 1)["classification"]["top1"] == 40.0
