"""The statistics a model is evaluated with: precise ones, and those of several ranks."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from igdet.data import build_classification_train_loader
from igdet.engine import Trainer, averages, setup_config
from igdet.engine.averages import PreciseStatistics, SharedStatistics, average_over_ranks

PRECISE = ("TEST.PRECISE_BN.ENABLED", "True", "TEST.PRECISE_BN.NUM_ITER", "3", "SOLVER.IMAGES_SEEN", "8")


def trained(args):
    cfg = setup_config(args)
    torch.manual_seed(0)
    trainer = Trainer(cfg)
    trainer.resume_or_load(resume=False)
    trainer.train()
    return trainer.model, cfg


def first_statistics(model, cfg):
    """Mean and variance of what the first normalisation sees in the first three training batches, as one."""
    loader = iter(build_classification_train_loader(cfg, cfg.SEED))
    with torch.no_grad():
        seen = []
        for _ in range(3):
            images = torch.stack([sample["image"] for sample in next(loader)]).float()
            stem = model.backbone.stem.conv1
            pixels = (images - model.pixel_mean) / model.pixel_std
            seen.append(nn.functional.conv2d(pixels, stem.weight, stride=stem.stride, padding=stem.padding))
    seen = torch.cat(seen).double()
    return seen.mean(dim=(0, 2, 3)), seen.var(dim=(0, 2, 3), correction=0)


ADDITIONS = {"plain": (), "average": ("SOLVER.EMA_HALF_LIFE", "20")}


@pytest.mark.parametrize("additions", ADDITIONS.values(), ids=ADDITIONS)
def test_precise_statistics_are_those_of_the_saved_weights_and_disturb_nothing(command, tmp_path, additions):
    plain, _ = trained(command(*PRECISE, "TEST.PRECISE_BN.ENABLED", "False"))
    model, cfg = trained(command(*additions, *PRECISE))
    for (name, weight), expected in zip(model.named_parameters(), plain.parameters(), strict=True):
        assert torch.equal(weight, expected), name
    saved = torch.load(tmp_path / "run/model_final.pth", weights_only=False)["model"]
    model.load_state_dict({name: torch.as_tensor(tensor) for name, tensor in saved.items()})
    mean, variance = first_statistics(model, cfg)
    norm = model.backbone.stem.conv1.norm
    torch.testing.assert_close(norm.running_mean.double(), mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.running_var.double(), variance, rtol=1e-4, atol=1e-5)


class ConvNorm(nn.Sequential):
    """With a forward pass of its own: torch 2.4 compiles none of torch's containers."""

    def forward(self, images):
        return self[1](self[0](images))


def test_precise_statistics_of_a_compiled_model_cost_no_compilation():
    model, graphs = ConvNorm(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)), []
    model.compile(backend=lambda graph, inputs: graphs.append(graph) or graph.forward)
    batches = [torch.randn(3, 1, 2, 2) for _ in range(2)]
    model(batches[0])
    compiled = len(graphs)
    hook = PreciseStatistics(0, model, batches, len(batches), nullcontext)
    for _ in range(2):  # from the first batch each time
        hook.update_stats()
        expected = model[0](torch.cat(batches)).mean(dim=(0, 2, 3))
        torch.testing.assert_close(model[1].running_mean, expected.detach())
    assert compiled > 0
    assert len(graphs) == compiled or not hasattr(torch.compiler, "set_stance")  # torch before 2.6


def worker(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    model[1].running_mean.copy_(torch.tensor([1.0, 5.0]) * (rank + 1))
    found = []
    for iteration in (3, 4):
        hook = SharedStatistics((5, 0))
        hook.trainer = SimpleNamespace(iter=iteration, max_iter=100, model=model)
        hook.after_step()
        found.append(model[1].running_mean.tolist())
    torch.save(found, folder / f"{rank}.pth")
    dist.destroy_process_group()


def test_ranks_share_their_statistics_before_they_are_used(tmp_path):
    mp.start_processes(worker, (tmp_path,), nprocs=2, start_method="forkserver")  # as in test_sharding.py
    assert torch.load(tmp_path / "0.pth") == [[1.0, 5.0], [1.5, 7.5]]
    assert torch.load(tmp_path / "1.pth") == [[2.0, 10.0], [1.5, 7.5]]


def test_norms_without_running_statistics_have_none_to_share(monkeypatch):
    model = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(3, track_running_stats=False))
    model[0].running_mean.fill_(4)
    monkeypatch.setattr(averages.comm, "get_world_size", lambda: 2)
    monkeypatch.setattr(averages.distributed, "all_reduce", lambda flat: flat.add_(2))  # the other has 2 throughout
    average_over_ranks(model)
    assert model[0].running_mean.tolist() == [3, 3]  # (4 + 2) / 2
    assert model[0].running_var.tolist() == [1.5, 1.5]  # (1 + 2) / 2
