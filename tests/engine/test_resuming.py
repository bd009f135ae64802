"""Runs that are resumed with other settings: these are used from there on and listed, or refused at the start."""

import json

import pytest
import torch
import yaml
from hub_server import Repository
from safetensors.torch import save

from igdet.config import ConfigError
from igdet.engine import setup_config, train
from igdet.engine.optimizer import parameter_names
from igdet.engine.resuming import check_resumption
from igdet.engine.setup import setup
from igdet.engine.trainer import Trainer
from igdet.utils.errors import UserError

# What of a run is tried again without its training: its config, and that it has a checkpoint after three iterations.
CHECKPOINT = "model_0000002.pth"


@pytest.fixture
def begun(command, tmp_path):
    """The folder of a run of six iterations that was broken off after three; the checkpoint is empty."""

    def begin(*opts):
        folder = tmp_path / "run"
        setup(command(*opts))
        (folder / CHECKPOINT).touch()
        (folder / "last_checkpoint").write_text(CHECKPOINT)
        return folder

    return begin


def momentum(names, optimizer):
    """Name -> momentum of each parameter, from an optimizer's state."""
    return {names[number]: values["momentum_buffer"] for number, values in optimizer["state"].items()}


def test_settings_take_effect_in_the_middle_of_a_run(command, tmp_path):
    train(setup(args := command()), args)  # six iterations at 0.01
    before = torch.load(tmp_path / "run/model_final.pth", weights_only=True)["trainer"]
    # Ten iterations with a drop after the fifth, ten times lower: the next one, the seventh, has 0.004 x 0.1.
    rates = ("SOLVER.IMAGES_SEEN", "40", "SOLVER.LR_DROPS", "1", "SOLVER.BASE_LR", "0.004")
    others = ("SOLVER.MOMENTUM", "0.5", "SOLVER.NESTEROV", "True", "SOLVER.WEIGHT_DECAY", "0.03")
    groups = ("SOLVER.WEIGHT_DECAY_NORM", "0.02", "SOLVER.BACKBONE_LR_FACTOR", "0.5", "SOLVER.BIAS_LR_FACTOR", "2.0")
    args = command(*rates, *others, *groups, resume=True)
    trainer = Trainer(setup(args))
    assert "  SOLVER.BASE_LR 0.01 -> 0.004\n" in (tmp_path / "run/log.txt").read_text()
    trainer.resume_or_load(resume=True)
    optimizer = trainer.optimizer
    group_of = {id(weight): group for group in optimizer.param_groups for weight in group["params"]}
    found = {name: group_of[id(weight)] for name, weight in trainer.model.named_parameters()}
    assert all((group["momentum"], group["nesterov"]) == (0.5, True) for group in found.values())
    expected = {
        "classifier.weight": (0.0004, 0.03),
        "classifier.bias": (0.0008, 0.03),
        "backbone.stem.conv1.weight": (0.0002, 0.03),
        "backbone.stem.conv1.norm.weight": (0.0002, 0.02),
    }
    for name, settings in expected.items():
        assert (found[name]["lr"], found[name]["weight_decay"]) == pytest.approx(settings), name
    # Other groups, in another order: each parameter has kept its own momentum.
    names = parameter_names(optimizer, trainer.model)
    assert names != before["parameters"]
    kept, old = momentum(names, optimizer.state_dict()), momentum(before["parameters"], before["_trainer"]["optimizer"])
    assert kept.keys() == old.keys() == set(names)
    assert all(torch.equal(buffer, kept[name]) for name, buffer in old.items())
    trainer.train()
    assert [group["lr"] for group in optimizer.param_groups][:1] == pytest.approx([0.0002])
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.json").read_text().splitlines()]
    assert [line["lr"] for line in lines if "lr" in line][-1] == pytest.approx(
        0.0002
    )  # of the trunk, the largest group


def test_the_record_tells_what_was_changed_and_when(command, tmp_path):
    train(setup(args := command()), args)
    train(setup(args := command("SOLVER.IMAGES_SEEN", "28", "SOLVER.BASE_LR", "0.004", resume=True)), args)
    record = json.loads((tmp_path / "run/results.json").read_text())
    assert record["changes"] == [
        {"iteration": 6, "key": "SOLVER.BASE_LR", "was": 0.01, "now": 0.004},
        {"iteration": 6, "key": "SOLVER.MAX_ITER", "was": 6, "now": 7},
    ]
    train(setup(args := command()), args)  # a new run in the folder has changed nothing
    assert json.loads((tmp_path / "run/results.json").read_text())["changes"] == []


HONOURED = [
    ("SOLVER.MAX_ITER", "SOLVER.IMAGES_SEEN", "40"),
    ("SOLVER.WEIGHT_DECAY_BIAS", "SOLVER.WEIGHT_DECAY_BIAS", "0.5"),
    ("SOLVER.CLIP_GRADIENTS.ENABLED", "SOLVER.CLIP_GRADIENTS.ENABLED", "True"),
    ("SOLVER.CHECKPOINT_PERIOD", "SOLVER.CHECKPOINT_PERIOD", "2"),
    ("DATALOADER.NUM_WORKERS", "DATALOADER.NUM_WORKERS", "1"),
    ("TEST.EVAL_PERIOD", "TEST.EVAL_PERIOD", "2"),
    ("MODEL.COMPILE", "MODEL.COMPILE", "True"),
    ("INPUT.CLASSIFICATION.TRAIN_CROP", "INPUT.CLASSIFICATION.TRAIN_CROP", "64"),
    ("DATASETS.OWN.colours_val.ROOT", "DATASETS.OWN.colours_val.ROOT", "{train}"),
]


@pytest.mark.parametrize(("changed", "key", "value"), HONOURED)
def test_what_can_be_honoured_is_listed(begun, command, colour_folders, changed, key, value):
    begun()
    [change] = check_resumption(setup_config(command(key, value.format(train=colour_folders / "train"), resume=True)))
    assert (change.key, change.iteration) == (changed, 3)


def test_half_lives_change_but_averages_neither_begin_nor_end(begun, command):
    begun("SOLVER.EMA_HALF_LIFE", "8")
    [change] = check_resumption(setup_config(command("SOLVER.EMA_HALF_LIFE", "16", resume=True)))
    assert str(change) == "SOLVER.EMA_HALF_LIFE 8 -> 16"
    with pytest.raises(ConfigError, match=r"SOLVER\.EMA_HALF_LIFE 8 -> 0 cannot be honoured: an average of weights"):
        check_resumption(setup_config(command(resume=True)))


REFUSED = [
    ("SEED", "8", r"SEED 7 -> 8 cannot be honoured: the run's place in its draws"),
    ("SOLVER.IMS_PER_BATCH", "8", r"SOLVER\.IMS_PER_BATCH 4 -> 8 .*counted in batches of the old size"),
    ("SOLVER.EMA_HALF_LIFE", "8", r"SOLVER\.EMA_HALF_LIFE 0 -> 8 .*neither begins nor ends"),
    ("SOLVER.IMAGES_SEEN", "12", r"SOLVER\.MAX_ITER 6 -> 3 .*the run has done 3 iterations"),
    ("MODEL.BACKBONE.NAME", "X_26_8x4d", r"MODEL\.BACKBONE\.NAME 'X_14_8x4d' -> 'X_26_8x4d' .*of the old model"),
    ("MODEL.BACKBONE.FREEZE_AT", "3", r"MODEL\.BACKBONE\.FREEZE_AT . -> 3 .*of the old model"),
    ("DATASETS.TRAIN", "('colours_val',)", r"DATASETS\.TRAIN \['colours_train'\] -> \['colours_val'\] "),
    ("DATASETS.OWN.colours_train.ROOT", "{val}", r"DATASETS\.OWN\.colours_train\.ROOT '.*train' -> '.*val' "),
    ("DATALOADER.LABEL_NOISE", "0.5", r"DATALOADER\.LABEL_NOISE 0\.0 -> 0\.5 "),
    ("INPUT.FORMAT", "BGR", r"INPUT\.FORMAT 'RGB' -> 'BGR' .*order of channels"),
]


@pytest.mark.parametrize(("key", "value", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_cannot_be_honoured_is_refused_before_anything_is_written(
    begun, command, colour_folders, key, value, message
):
    folder = begun()
    before = (folder / "config.yaml").read_bytes()
    with pytest.raises(UserError, match=f"--resume: {message}"):
        setup(command(key, value.format(val=colour_folders / "val"), resume=True))
    assert (folder / "config.yaml").read_bytes() == before


def test_loaders_of_a_stream_stay_as_many(begun, command):
    begun()
    cfg = setup_config(command("DATALOADER.NUM_WORKERS", "2", resume=True))
    assert [change.key for change in check_resumption(cfg)] == ["DATALOADER.NUM_WORKERS"]
    cfg.DATASETS.OWN.colours_train.KIND = "hashtag_stream"
    with pytest.raises(ConfigError, match=r"NUM_WORKERS 0 -> 2 .*each process of a stream's loader"):
        check_resumption(cfg)


def test_a_finished_run_refuses_what_it_would_not_use(begun, command):
    folder = begun()
    (folder / "results.json").write_text(json.dumps({"images_seen": 24}))
    with pytest.raises(ConfigError, match=r"SOLVER\.BASE_LR 0\.01 -> 0\.004 .*the run is finished"):
        check_resumption(setup_config(command("SOLVER.BASE_LR", "0.004", resume=True)))
    assert check_resumption(setup_config(command("DATALOADER.NUM_WORKERS", "1", resume=True)))
    assert len(check_resumption(setup_config(command("SOLVER.BASE_LR", "0.004", "SOLVER.IMAGES_SEEN", "28")))) == 2


def test_a_config_that_a_kill_has_cut_short_is_not_compared(begun, command):
    folder = begun()
    (folder / "config.yaml").write_text((folder / "config.yaml").read_text()[:900])
    assert check_resumption(setup_config(command("SEED", "8", resume=True))) == []
    assert "missing or cut short" in (folder / "log.txt").read_text()


def test_an_evaluation_leaves_the_config_of_the_training(begun, command):
    folder = begun()
    before = (folder / "config.yaml").read_bytes()
    setup(command("TEST.DETECTIONS_PER_IMAGE", "7", eval_only=True))
    assert (folder / "config.yaml").read_bytes() == before


@pytest.fixture
def repo(hub):
    """The repository owner/net with a tag v1; what it holds is not weights, which no checkpoint needs any more."""
    hub.repositories["owner/net"] = repo = Repository()
    repo.commit({"model.safetensors": b"first"}, "main", "v1")
    return repo


def weights_of(folder):
    return yaml.safe_load((folder / "config.yaml").read_text())["MODEL"]["WEIGHTS"]


@pytest.mark.parametrize(
    "name", ["hf://owner/net/model.safetensors", "hf://owner/net@v1/model.safetensors", "hf-hub:owner/net"]
)
def test_a_run_is_told_that_the_weights_it_began_from_have_moved(name, repo, begun, command):
    folder = begun("MODEL.WEIGHTS", name)
    began = f"hf://owner/net@{repo.refs['main']}/model.safetensors"
    assert weights_of(folder) == began
    args = command("MODEL.WEIGHTS", name, resume=True)
    assert began == setup(args).MODEL.WEIGHTS and "now; this run began" not in (folder / "log.txt").read_text()
    moved = repo.commit({"model.safetensors": b"second"}, "main", "v1")
    assert setup(args).MODEL.WEIGHTS == weights_of(folder) == began
    assert f"{name} is commit {moved} now; this run began from {began}" in (folder / "log.txt").read_text()


def test_a_run_goes_on_where_the_hub_cannot_be_asked(repo, begun, command, monkeypatch):
    folder = begun("MODEL.WEIGHTS", "hf-hub:owner/net")
    began = weights_of(folder)
    monkeypatch.setenv("IGDET_OFFLINE", "1")
    assert began == setup(command("MODEL.WEIGHTS", "hf-hub:owner/net", resume=True)).MODEL.WEIGHTS
    assert "Not checked whether these weights have moved" in (folder / "log.txt").read_text()


def test_the_commit_that_a_run_began_from_can_be_given_and_no_other(repo, begun, command):
    first, second = repo.refs["main"], repo.commit({"model.safetensors": b"second"})
    folder = begun("MODEL.WEIGHTS", "hf-hub:owner/net@v1")
    began = weights_of(folder)
    for name in (began, f"hf-hub:owner/net@{first}"):
        assert began == setup(command("MODEL.WEIGHTS", name, resume=True)).MODEL.WEIGHTS
    for name in (f"hf-hub:owner/net@{second}", "hf://owner/net@v1/other.safetensors", ""):
        with pytest.raises(UserError, match=r"MODEL\.WEIGHTS|has no file other\.safetensors"):
            setup(command("MODEL.WEIGHTS", name, resume=True))


def test_weights_of_a_hub_are_trained_from_and_recorded_with_their_commit(repo, command, tmp_path):
    state = Trainer.build_model(setup_config(command())).state_dict()
    commit = repo.commit({"model.safetensors": save({name: value.contiguous() for name, value in state.items()})})
    args = command("MODEL.WEIGHTS", "hf-hub:owner/net")
    train(setup(args), args)
    record = json.loads((tmp_path / "run/results.json").read_text())
    assert record["weights"] == record["config"]["MODEL"]["WEIGHTS"] == f"hf://owner/net@{commit}/model.safetensors"


@pytest.mark.parametrize("name", ["hf://owner", "hf-hub:owner", "hf-hub:owner/nothing", "hf://owner/net@v9/a.pth"])
def test_names_of_no_weights_are_refused_before_anything_is_written(name, repo, command, tmp_path):
    with pytest.raises(UserError, match=name):
        setup(command("MODEL.WEIGHTS", name))
    assert not (tmp_path / "run/config.yaml").exists()
