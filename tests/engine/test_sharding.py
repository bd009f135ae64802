"""Weights spread over two processes train exactly as whole ones do, and their checkpoints are anyone's."""

import json
import shutil

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from detectron2.utils import comm

from igdet.config import ConfigError
from igdet.engine import setup_config, train
from igdet.engine.setup import setup
from igdet.engine.sharding import share_model
from igdet.engine.trainer import Trainer
from igdet.modeling.trunk import blocks_in
from igdet.utils import versions

spreads = pytest.mark.skipif(bool(reason := versions.too_old("SOLVER.FSDP")), reason=reason)
FSDP = ("SOLVER.FSDP", "True")
CLIP = ("SOLVER.CLIP_GRADIENTS.ENABLED", "True", "SOLVER.CLIP_GRADIENTS.CLIP_VALUE", "0.01")


def worker(rank, folder, runs):
    torch.set_num_threads(1)  # the two share the cores
    # FSDP2 takes contiguous weights only, and convolutions round otherwise with channels-last ones.
    build = Trainer.build_model
    Trainer.build_model = staticmethod(lambda cfg: build(cfg).to(memory_format=torch.contiguous_format))
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    comm._LOCAL_PROCESS_GROUP, _ = dist.new_subgroups(2)
    for args in runs:
        train(setup(args), args)
    dist.destroy_process_group()


def on_two_processes(folder, *runs):
    folder.mkdir(exist_ok=True)
    (folder / "rendezvous").unlink(missing_ok=True)
    # A fork of this process does not survive autograd's threads of earlier tests; one of a fresh server has none, and
    # ends without tearing down gloo's threads, which now and then abort an interpreter that exits.
    mp.start_processes(worker, (folder, runs), nprocs=2, start_method="forkserver")


def losses(run):
    lines = [json.loads(line) for line in (run / "metrics.json").read_text().splitlines()]
    return [line["total_loss"] for line in lines if "total_loss" in line]


def contents(run, name="model_final.pth"):
    return torch.load(run / name, weights_only=True)


def assert_same(first, second):
    """The same weights and momentum, bit for bit."""
    assert first["model"].keys() == second["model"].keys()
    for name, tensor in first["model"].items():
        assert torch.equal(tensor, second["model"][name]), name
    states = [run["trainer"]["_trainer"]["optimizer"]["state"] for run in (first, second)]
    assert states[0].keys() == states[1].keys()
    for number, state in states[0].items():
        assert torch.equal(state["momentum_buffer"], states[1][number]["momentum_buffer"]), number


@pytest.fixture
def spread_and_whole(command, colour_folders, tmp_path):
    """Six steps of the small config, by two processes, both ways, with two groups of parameters."""
    folders = {name: tmp_path / name for name in ("spread", "whole")}
    # 21 images: the ranks evaluate 6 and 5 batches of 2.
    shutil.copytree(colour_folders / "val", tmp_path / "val", ignore=shutil.ignore_patterns("*_7.png"))
    val = ("DATASETS.OWN.colours_val.ROOT", str(tmp_path / "val"), "TEST.EVAL_PERIOD", "3")
    opts = ("SOLVER.WEIGHT_DECAY_NORM", "0.0", *val)
    on_two_processes(
        tmp_path,
        command(*opts, *FSDP, "OUTPUT_DIR", str(folders["spread"])),
        command(*opts, "OUTPUT_DIR", str(folders["whole"])),
    )
    return folders


@spreads
def test_spread_weights_train_exactly_as_whole_ones(spread_and_whole):
    spread, whole = spread_and_whole["spread"], spread_and_whole["whole"]
    assert losses(spread) == losses(whole)
    assert_same(contents(spread), contents(whole))
    results = [json.loads((run / "results.json").read_text())["results"] for run in (spread, whole)]
    assert results[0] == results[1]


@spreads
def test_one_process_resumes_and_evaluates_what_two_have_spread(spread_and_whole, command, tmp_path):
    spread = spread_and_whole["spread"]
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(spread / "model_0000002.pth", alone)
    (alone / "last_checkpoint").write_text("model_0000002.pth")
    args = command(*FSDP, "OUTPUT_DIR", str(alone), resume=True)
    assert train(setup(args), args)
    assert contents(alone)["iteration"] == 5


@spreads
def test_two_processes_resume_where_they_stopped(spread_and_whole, command, tmp_path):
    """Spread again, from a file; and as whole as the file is, by DistributedDataParallel."""
    broken = {name: tmp_path / f"broken_{name}" for name in ("spread", "whole")}
    runs = []
    for name, folder in broken.items():
        folder.mkdir()
        shutil.copy(spread_and_whole["spread"] / "model_0000002.pth", folder)
        (folder / "last_checkpoint").write_text("model_0000002.pth")
        opts = ("SOLVER.WEIGHT_DECAY_NORM", "0.0", "OUTPUT_DIR", str(folder), *(FSDP if name == "spread" else ()))
        runs.append(command(*opts, resume=True))
    on_two_processes(tmp_path, *runs)
    assert_same(contents(broken["spread"]), contents(broken["whole"]))


@spreads
@pytest.mark.parametrize("kind", ["value", "norm"])
def test_gradients_in_pieces_are_clipped_like_whole_ones(command, tmp_path, kind):
    opts = (*CLIP, "SOLVER.CLIP_GRADIENTS.CLIP_TYPE", kind, "SOLVER.IMAGES_SEEN", "4")  # one step
    spread, whole = tmp_path / "spread", tmp_path / "whole"
    on_two_processes(
        tmp_path,
        command(*opts, *FSDP, "OUTPUT_DIR", str(spread)),
        command(*opts, "OUTPUT_DIR", str(whole)),
    )
    for name, tensor in contents(spread)["model"].items():
        # A norm is summed in another order over pieces than over the whole.
        torch.testing.assert_close(tensor, contents(whole)["model"][name], rtol=1e-5, atol=1e-6)


@spreads
def test_one_process_keeps_its_model_as_it_is(command):
    trainer = Trainer(setup_config(command(*FSDP)))
    assert all(type(weight) is torch.nn.Parameter for weight in trainer.model.parameters())


def test_an_old_pytorch_is_refused_by_name(command, monkeypatch):
    monkeypatch.setattr(versions, "version", {"torch": "2.8.0"}.__getitem__)
    with pytest.raises(ConfigError, match=r"SOLVER.FSDP needs torch 2\.9 or later, this is 2\.8\.0"):
        setup_config(command(*FSDP))
    setup_config(command())


def test_compiled_checkpoints_need_the_pytorch_that_computes_them_right(command, monkeypatch):
    opts = ("MODEL.COMPILE", "True", "MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS", "True")
    monkeypatch.setattr(versions, "version", {"torch": "2.8.1+cpu"}.__getitem__)
    with pytest.raises(ConfigError, match=r"MODEL\.COMPILE with .*CHECKPOINT_ACTIVATIONS needs torch 2\.9"):
        setup_config(command(*opts))
    setup_config(command(*opts[:2]))
    setup_config(command(*opts[2:]))
    monkeypatch.setattr(versions, "version", {"torch": "2.9.0"}.__getitem__)
    setup_config(command(*opts))


FAMILIES = {
    "basic": ("MODEL.BACKBONE.NAME", "R_18"),
    "bottleneck": ("MODEL.BACKBONE.NAME", "X_14_8x4d"),
    "mixture": ("MODEL.MOE.EXPERTS", "2", "MODEL.MOE.STAGES", "('res4', 'res5')", "MODEL.MOE.EVERY", "1"),
    "recomputed": ("MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS", "True"),
}


@pytest.fixture
def spread_alone(tmp_path, monkeypatch):
    """Lets one process spread a model over itself alone, as it would over many."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/alone", rank=0, world_size=1)
    monkeypatch.setattr("igdet.engine.sharding.comm.get_world_size", lambda: 2)
    init_mesh = dist.device_mesh.init_device_mesh
    monkeypatch.setattr(dist.device_mesh, "init_device_mesh", lambda device, _shape: init_mesh(device, (1,)))
    yield lambda model: share_model(model, fsdp=True)
    dist.destroy_process_group()


def numbers_in_whole(model):
    """How many numbers of parameters are whole in this process now."""
    return sum(weight.numel() for weight in model.parameters() if not hasattr(weight, "full_tensor"))


@spreads
@pytest.mark.parametrize("opts", FAMILIES.values(), ids=FAMILIES)
def test_each_block_is_whole_only_while_it_computes(command, spread_alone, opts):
    model = Trainer.build_model(setup_config(command(*opts)))
    blocks = blocks_in(model)
    sizes = [sum(weight.numel() for weight in block.parameters()) for block in blocks]
    outside = numbers_in_whole(model) - sum(sizes)  # the stem and the classifier
    spread_alone(model)
    wrapped = [module for module in model.modules() if hasattr(module, "set_reshard_after_forward")]
    assert wrapped == [model, *blocks]
    assert numbers_in_whole(model) == 0
    whole = []
    for block in blocks:
        block.conv1.register_forward_pre_hook(lambda *_: whole.append(numbers_in_whole(model)))
    images = [{"image": torch.zeros(3, 32, 32, dtype=torch.uint8), "gt_classes": torch.tensor([0])}] * 2
    with torch.no_grad():
        model(images)
    assert whole == [outside + size for size in sizes]
    assert numbers_in_whole(model) == 0
