"""One step of training: micro-batches, precision, several ranks, and losses that break."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from detectron2.utils.events import EventStorage
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from igdet.engine.step import NonFiniteLoss, TrainStep, split
from igdet.modeling import FAMILY, ImageClassifier, build_resnext


def classifier():
    torch.manual_seed(0)
    backbone = build_resnext(FAMILY["X_14_8x4d"], norm="FrozenBN")  # no batch statistics: images do not see each other
    return ImageClassifier(backbone=backbone, num_classes=5, pixel_mean=[120.0] * 3, pixel_std=[60.0] * 3).double()


def batches(count=3, size=4):
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        images = torch.randint(0, 256, (size, 3, 32, 32), dtype=torch.uint8, generator=generator)
        yield [{"image": image, "gt_classes": torch.tensor([i, i + 1])} for i, image in enumerate(images)]


def train(model, data, **options):
    """Step through all batches; the last step's metrics."""
    data = list(data)
    step = TrainStep(model, data, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), **options)
    with EventStorage() as storage:
        for _ in data:
            step.run_step()
    return {name: value for name, (value, _) in storage.latest().items()}


@pytest.mark.parametrize("accumulate", [2, 4])
def test_accumulation_takes_the_steps_of_the_whole_batch(accumulate):
    whole, parts = classifier(), classifier()
    expected, found = train(whole, batches()), train(parts, batches(), accumulate=accumulate)
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], weight, rtol=0, atol=1e-6)
    assert set(expected) == {"total_loss", "loss_cls", "train_top1", "data_time"}
    for name in ("total_loss", "loss_cls", "train_top1"):
        assert found[name] == pytest.approx(expected[name], abs=1e-5)
    assert expected["total_loss"] == expected["loss_cls"]  # the share of hits is no loss


def test_a_batch_that_cannot_be_split_is_refused():
    assert split([1, 2, 3, 4], 2) == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match="ACCUMULATE 3 does not divide a batch of 4 images"):
        split([1, 2, 3, 4], 3)


def share_of(rank, batch):
    return batch[2 * rank : 2 * rank + 2]


def worker(rank, folder):
    torch.set_num_threads(1)  # the two share the cores
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    model, exchanges = DistributedDataParallel(classifier()), []

    def count(state, bucket):
        exchanges.append(bucket.index())
        average = dist.all_reduce(bucket.buffer() / 2, async_op=True).get_future()
        return average.then(lambda done: done.value()[0])

    model.register_comm_hook(None, count)
    metrics = train(model, [share_of(rank, batch) for batch in batches()], accumulate=2)
    torch.save((model.module.state_dict(), metrics, exchanges.count(0)), folder / f"{rank}.pth")
    with torch.no_grad():
        model.module.classifier.bias.fill_(float("nan") if rank == 1 else 0.0)
    with pytest.raises(NonFiniteLoss) as error:
        train(model, [share_of(rank, batch) for batch in batches()])
    assert error.value.ranks == [1]
    dist.destroy_process_group()


def test_two_ranks_take_the_steps_of_one_and_exchange_gradients_once_a_step(tmp_path):
    mp.start_processes(worker, (tmp_path,), nprocs=2, start_method="forkserver")  # as in test_sharding.py
    model = classifier()
    expected = train(model, batches())
    found, metrics, exchanges = torch.load(tmp_path / "0.pth")
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(found[name], weight, rtol=0, atol=1e-6)
    for name in ("total_loss", "train_top1"):
        assert metrics[name] == pytest.approx(expected[name], abs=1e-5)
    assert exchanges == 3
    assert torch.load(tmp_path / "1.pth")[1] == {}  # the main rank logs


class Linear(nn.Module):
    """loss = w * x, so the gradient of w is x."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))
        self.seen = []

    def forward(self, batch):
        self.seen.append(torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None)
        return {"loss": (self.weight * torch.stack(batch)).mean()}


@pytest.mark.parametrize("dtype", [None, torch.bfloat16, torch.float16])
def test_the_forward_pass_runs_in_the_precision_asked_for(dtype):
    model = Linear()
    metrics = train(model, [[torch.tensor(3.0)]], amp_dtype=dtype)
    assert model.seen == [dtype]
    assert float(model.weight) == pytest.approx(2 - 0.1 * 3)  # the scale of the loss is taken out again
    assert ("grad_scale" in metrics) == (dtype == torch.float16)


def test_gradients_that_overflow_in_half_precision_are_not_used():
    model = Linear()
    huge = 3e38 / 2**15  # times the first scale of 2**16: infinite
    metrics = train(model, [[torch.tensor(3.0)], [torch.tensor(huge)]], amp_dtype=torch.float16)
    assert float(model.weight) == pytest.approx(2 - 0.1 * 3)
    assert metrics["total_loss"] == pytest.approx(1.7 * huge)


def test_the_scale_of_the_loss_survives_a_checkpoint():
    model = Linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step, resumed = (TrainStep(model, [], optimizer, amp_dtype=torch.float16) for _ in range(2))
    step.scaler.load_state_dict({**step.scaler.state_dict(), "scale": 512.0})
    resumed.load_state_dict(step.state_dict())
    assert resumed.scaler.get_scale() == 512.0
    unscaled = TrainStep(model, [], optimizer)
    unscaled.load_state_dict(step.state_dict())
    step.load_state_dict(unscaled.state_dict())  # a run that turns to float16: the scale it has is kept
    assert step.scaler.get_scale() == 512.0


def test_a_broken_loss_leaves_the_weights_alone():
    model = Linear()
    with pytest.raises(NonFiniteLoss, match=r"A loss is infinite or not a number: \{'loss': nan\}"):
        train(model, [[torch.tensor(float("nan"))]])
    assert float(model.weight) == 2
