"""Mixtures of experts against hand-worked routings and a loop over images, and on two processes."""

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.utils.events import EventStorage
from torch import distributed, multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel

from igdet.checkpoint.fit import fit_tensors
from igdet.config import add_igdet_config
from igdet.formats.errors import WeightsError
from igdet.modeling import FAMILY, ImageClassifier, Mixture, build_resnext
from igdet.modeling.moe import MixtureBlock, Router, mix, mix_densely, mixture_blocks


def route(scores, top_k=2):
    """Route images whose features are the scores themselves."""
    router = Router(len(scores[0]), len(scores[0]), top_k)
    nn.init.eye_(router.scores.weight)
    return router(torch.tensor(scores)[:, :, None, None].expand(-1, -1, 2, 3))


def test_routing_by_hand():
    # probabilities 1/8, 2/8, 5/8: the best two share 2/7 and 5/7
    routing = route(torch.tensor([[1.0, 2.0, 5.0], [2.0, 5.0, 1.0]]).log().tolist())
    assert routing.experts.tolist() == [[2, 1], [1, 0]]
    torch.testing.assert_close(routing.gates, torch.tensor([[5 / 7, 2 / 7], [5 / 7, 2 / 7]]))
    torch.testing.assert_close(routing.shares, torch.tensor([1 / 4, 2 / 4, 1 / 4]))
    # mean probabilities 3/16, 7/16, 6/16: 3 * (3/16 / 4 + 7/16 / 2 + 6/16 / 4)
    assert routing.balance.item() == pytest.approx(3 * (3 + 14 + 6) / 64)


def test_balance_is_one_for_equal_use_and_more_for_favourites():
    assert route([[9.0, 9.0, 0.0, 0.0], [0.0, 0.0, 9.0, 9.0]]).balance.item() == pytest.approx(1)
    assert route([[30.0, 30.0, 0.0, 0.0]] * 2).balance.item() == pytest.approx(2)  # half of the experts do it all


def mixture_block(num_experts=4):
    torch.manual_seed(0)
    return MixtureBlock(8, 12, bottleneck_channels=16, num_experts=num_experts, top_k=2, stride=2, num_groups=4)


def test_a_block_equals_a_loop_over_images():
    block, features = mixture_block().eval(), torch.randn(5, 8, 6, 6)
    found = block(features)
    hidden = block.conv1(features).relu()
    probs = (hidden.mean(dim=(2, 3)) @ block.router.scores.weight.T).softmax(dim=1)
    for image in range(5):
        best = probs[image].argsort(descending=True)[:2].tolist()
        total = sum(probs[image, i] for i in best)
        mixed = sum(probs[image, i] / total * block.experts.here[str(i)](hidden[image : image + 1]) for i in best)
        expected = (block.norm(mixed) + block.shortcut(features[image : image + 1])).relu()
        torch.testing.assert_close(found[image : image + 1], expected)


def test_all_experts_with_their_gates_give_the_same():
    block, features = mixture_block(num_experts=6).eval(), torch.randn(3, 16, 6, 6)
    routing = block.router(features)
    torch.testing.assert_close(mix_densely(features, routing, block.experts), mix(features, routing, block.experts))


def test_an_expert_without_images_gets_gradients_of_zero():
    block = mixture_block(num_experts=6)
    block(torch.randn(1, 8, 6, 6)).sum().backward()
    idle = set(range(6)) - set(block.routing.experts.flatten().tolist())
    assert len(idle) == 4
    for number in idle:
        assert all((p.grad == 0).all() for p in block.experts.here[str(number)].parameters())


def trunk(**options):
    return build_resnext(FAMILY["X_26_8x4d"], **options)


@pytest.mark.parametrize(
    ("stages", "every", "expected"),
    [(("res5",), 2, ["res5.1"]), (("res4", "res5"), 1, ["res4.0", "res4.1", "res5.0", "res5.1"])],
)
def test_the_blocks_that_are_mixtures(stages, every, expected):
    model = trunk(mixture=Mixture(4, stages=stages, every=every))
    assert [name for name, module in model.named_modules() if isinstance(module, MixtureBlock)] == expected
    images = torch.randn(2, 3, 64, 64)
    assert model(images)["res5"].shape == trunk()(images)["res5"].shape


def test_parameters_by_hand():
    more = sum(p.numel() for p in trunk(mixture=Mixture(4)).parameters()) - sum(p.numel() for p in trunk().parameters())
    # The last block: 256 channels inside in 8 groups, 512 out. An expert: 3x3, norm, 1x1; the router: 256 x 4.
    expert = 256 * (256 // 8) * 9 + 2 * 256 + 256 * 512
    assert more == 3 * expert + 256 * 4


def test_a_mixture_takes_a_mixtures_weights_and_no_other():
    dense, mixture = trunk().state_dict(), trunk(mixture=Mixture(4)).state_dict()
    assert fit_tensors(mixture, mixture).loaded.keys() == mixture.keys()
    with pytest.raises(WeightsError):
        fit_tensors(mixture, dense)


def test_the_config_reaches_the_trunk():
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.merge_from_list(["MODEL.DEVICE", "cpu", "MODEL.BACKBONE.NAME", "X_14_8x4d", "MODEL.BACKBONE.FREEZE_AT", 0])
    cfg.merge_from_list(["MODEL.RESNETS.OUT_FEATURES", ["res5"], "MODEL.RESNETS.STRIDE_IN_1X1", False])
    cfg.merge_from_list(["MODEL.MOE.EXPERTS", 3, "MODEL.MOE.LOSS_WEIGHT", 0.5])
    model = ImageClassifier(cfg)
    assert [block.experts.num_experts for block in mixture_blocks(model)] == [3]
    assert model.balance_weight == 0.5


STEPS, BATCH = 4, 6


def build_classifier():
    torch.manual_seed(0)
    # Group normalisation: batch statistics of a half are not those of the whole.
    backbone = trunk(norm=lambda channels: nn.GroupNorm(4, channels), mixture=Mixture(4, stages=("res4", "res5")))
    model = ImageClassifier(
        backbone=backbone, num_classes=5, pixel_mean=[120.0] * 3, pixel_std=[60.0] * 3, balance_weight=0.1
    )
    return model.double()


def train(model, rank=0, world=1):
    """Train on this rank's share of the same batches; gives each step's losses."""
    generator, history = torch.Generator().manual_seed(1), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(STEPS):
        images = torch.randint(0, 256, (BATCH, 3, 32, 32), dtype=torch.uint8, generator=generator)
        classes = torch.randint(0, 5, (BATCH, 1), generator=generator)
        share = slice(rank * BATCH // world, (rank + 1) * BATCH // world)
        samples = [{"image": i, "gt_classes": c} for i, c in zip(images[share], classes[share], strict=True)]
        with EventStorage():
            losses = model(samples)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        history.append(torch.stack([losses["loss_cls"], losses["loss_balance"]]).detach())
    return torch.stack(history)


def _two_processes(rank, folder):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    model = build_classifier()
    losses = train(DistributedDataParallel(model), rank, 2)
    distributed.all_reduce(losses)
    if rank == 0:
        torch.save((losses / 2, model.state_dict()), f"{folder}/two.pth")
    distributed.destroy_process_group()


def test_two_processes_equal_one(tmp_path):
    """The balance of the experts is that of the whole batch; those without images on a rank take part."""
    alone = build_classifier()
    initial = {name: tensor.clone() for name, tensor in alone.state_dict().items()}
    expected = train(alone)
    # Spawned processes could abort at their end, for they tear down an interpreter in which gloo's threads still run.
    multiprocessing.start_processes(_two_processes, (str(tmp_path),), nprocs=2, start_method="forkserver")
    losses, weights = torch.load(tmp_path / "two.pth")
    torch.testing.assert_close(losses, expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(weights, alone.state_dict(), rtol=0, atol=1e-10)
    moved = [name for name in weights if ".here." in name and not torch.equal(weights[name], initial[name])]
    assert {name.split(".here.")[1][0] for name in moved} == {"0", "1", "2", "3"}


def test_the_loss_reaches_the_classifiers_losses():
    model = build_classifier()
    losses = model([{"image": torch.zeros(3, 32, 32, dtype=torch.uint8), "gt_classes": torch.tensor([1])}] * 2)
    assert losses["loss_balance"].item() == pytest.approx(
        0.1 * sum(block.routing.balance.item() for block in mixture_blocks(model)) / 2
    )
    assert sum(losses[f"expert_share_{i}"].item() for i in range(4)) == pytest.approx(1)
