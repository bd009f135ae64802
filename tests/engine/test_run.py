"""Whole runs on tiny data: records, exact resumption, evaluation, and runs that break."""

import errno
import json
import shutil

import numpy as np
import pytest
import torch
import yaml

from igdet.config import ConfigError
from igdet.engine import evaluate, setup_config, train
from igdet.engine.run import run as run_engine
from igdet.engine.setup import setup
from igdet.engine.trainer import Trainer
from igdet.formats.errors import DatasetError
from igdet.utils.cache import LockError, locked
from igdet.utils.messages import printable_logs


def run(args):
    return (evaluate if args.eval_only else train)(setup(args), args)


def record(folder, name="results.json"):
    return json.loads((folder / name).read_text())


def weights(folder, name="model_final.pth"):
    return torch.load(folder / name, weights_only=False)["model"]


def test_a_run_leaves_its_record(command, tmp_path):
    results = run(command("TEST.EVAL_PERIOD", "3"))
    found = record(tmp_path / "run")
    assert found["results"] == results
    assert set(results["colours_val"]["classification"]) >= {"top1", "top5", "top1-red"}
    assert found["images_seen"] == 24
    assert found["seconds"] > 0
    assert found["started"] <= found["finished"]
    assert found["opts"] == ["TEST.EVAL_PERIOD", "3"]
    assert found["config"]["SOLVER"]["MAX_ITER"] == 6
    assert {"torch", "detectron2", "igdet", "python"} <= set(found["versions"])
    assert found["host"]["cores"] >= 1
    lines = (tmp_path / "run/metrics.json").read_text().splitlines()
    step, evaluation = json.loads(lines[0]), json.loads(lines[-1])
    assert step["images_seen"] == evaluation["images_seen"] == 24
    assert step["images_per_second"] > 0
    assert evaluation["classification/top1"] == results["colours_val"]["classification"]["top1"]


def test_the_dumped_config_runs_again_as_it_is(command, tmp_path):
    args = command()
    cfg = setup(args)
    args.config_file, args.opts = str(tmp_path / "run/config.yaml"), []
    assert yaml.safe_load(setup_config(args).dump()) == yaml.safe_load(cfg.dump())


def test_an_error_that_its_user_can_mend_is_logged_without_a_traceback(command, tmp_path, monkeypatch):
    def fill_disk(self, name, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", "model_0000002.pth")

    # printable_logs: as every command has it
    with printable_logs(), monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr("igdet.checkpoint.IgdetCheckpointer.save", fill_disk)
        run(command())
    log = (tmp_path / "run/log.txt").read_text()
    assert "Exception during training: OSError: [Errno 28] No space left on device: 'model_0000002.pth'" in log
    assert "Traceback" not in log


def test_a_second_run_in_a_folder_is_refused_before_it_writes(command, tmp_path):
    with locked(tmp_path / "run"), pytest.raises(LockError, match="run: another run is at work there"):
        run_engine(command())
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]
    assert run_engine(command("SOLVER.IMAGES_SEEN", "4"))


ADDITIONS = {
    "plain": (),
    "average": ("SOLVER.EMA_HALF_LIFE", "8", "TEST.EVAL_PERIOD", "2"),
    "parts": ("SOLVER.ACCUMULATE", "2", "SOLVER.AMP.ENABLED", "True", "SOLVER.AMP.DTYPE", "fp16"),
    "precise": ("TEST.PRECISE_BN.ENABLED", "True", "TEST.PRECISE_BN.NUM_ITER", "2", "TEST.EVAL_PERIOD", "2"),
}


@pytest.mark.parametrize("additions", ADDITIONS.values(), ids=ADDITIONS)
def test_a_resumed_run_ends_where_the_unbroken_one_ended(command, tmp_path, additions):
    run(command(*additions))
    broken = tmp_path / "broken"
    broken.mkdir()
    shutil.copy(tmp_path / "run/model_0000002.pth", broken)
    (broken / "last_checkpoint").write_text("model_0000002.pth")
    run(command("OUTPUT_DIR", str(broken), *additions, resume=True))
    unbroken = weights(tmp_path / "run")
    for name, tensor in weights(broken).items():
        assert torch.equal(torch.as_tensor(tensor), torch.as_tensor(unbroken[name])), name
    assert record(broken)["images_seen"] == 24
    assert record(broken)["results"] == record(tmp_path / "run")["results"]


def test_a_finished_run_is_left_alone_by_resume(command, tmp_path):
    first = run(command())
    before = (tmp_path / "run/results.json").read_bytes()
    assert run(command(resume=True)) == first
    assert (tmp_path / "run/results.json").read_bytes() == before


def test_a_finished_run_can_be_made_longer(command, tmp_path):
    run(command())
    run(command("SOLVER.IMAGES_SEEN", "32", resume=True))
    assert record(tmp_path / "run")["images_seen"] == 32


def test_a_training_set_that_has_changed_stops_a_resumed_run(command, colour_folders, tmp_path):
    root = shutil.copytree(colour_folders / "train", tmp_path / "train")  # other tests use the folder
    own = ("DATASETS.OWN.colours_train.ROOT", str(root))
    run(command(*own))
    shutil.copy(root / "blue/blue_0.png", root / "blue/another.png")
    with pytest.raises(DatasetError, match=r"has changed since .*then colours_train: .*now colours_train: "):
        run(command(*own, "SOLVER.IMAGES_SEEN", "32", resume=True))


def test_a_new_run_in_the_same_folder_keeps_the_old_record_aside(command, tmp_path):
    run(command())
    run(command("SOLVER.IMAGES_SEEN", "8"))
    folder = tmp_path / "run"
    assert (record(folder)["images_seen"], record(folder, "results.json.previous")["images_seen"]) == (8, 24)
    assert {json.loads(line)["images_seen"] for line in (folder / "metrics.json").read_text().splitlines()} == {8}


def test_a_new_run_that_breaks_off_early_is_not_resumed_from_the_old_one(command, tmp_path, monkeypatch):
    run(command())
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run_step", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(command("SOLVER.BASE_LR", "0.5"))
    run(command("SOLVER.BASE_LR", "0.5", resume=True))
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.json").read_text().splitlines()]
    assert any("total_loss" in line for line in lines)  # it did train
    assert record(tmp_path / "run")["config"]["SOLVER"]["BASE_LR"] == 0.5


def test_evaluation_alone_needs_no_training_data(command, tmp_path):
    trained = run(command())
    final = str(tmp_path / "run/model_final.pth")
    gone = ("DATASETS.OWN.colours_train.ROOT", "/nowhere")
    assert run(command("MODEL.WEIGHTS", final, *gone, eval_only=True)) == trained


def test_the_average_of_the_weights_is_evaluated_and_saved(command, tmp_path):
    raw = run(command("OUTPUT_DIR", str(tmp_path / "raw")))
    trained = run(command("SOLVER.EMA_HALF_LIFE", "100"))
    assert trained != raw
    average, last = weights(tmp_path / "run"), weights(tmp_path / "raw")
    assert not torch.equal(average["classifier.weight"], last["classifier.weight"])
    state = torch.load(tmp_path / "run/model_final.pth", weights_only=False)["trainer"]["hooks"]["WeightAverage"]
    assert torch.equal(state["weights"]["classifier.weight"], last["classifier.weight"])  # for a resumption
    assert run(command("MODEL.WEIGHTS", str(tmp_path / "run/model_final.pth"), eval_only=True)) == trained


def test_evaluation_alone_gives_the_results_of_the_training(command, tmp_path):
    trained = run(command())
    final = str(tmp_path / "run/model_final.pth")
    assert run(command("MODEL.WEIGHTS", final, "OUTPUT_DIR", str(tmp_path / "eval"), eval_only=True)) == trained
    assert record(tmp_path / "eval", "evaluation.json")["results"] == trained
    assert not (tmp_path / "eval/results.json").exists()
    assert run(command(eval_only=True, resume=True)) == trained


def test_evaluation_alone_needs_weights(command):
    with pytest.raises(ConfigError, match="--eval-only needs weights"):
        run(command(eval_only=True))


def test_expected_results_are_the_gate(command, tmp_path):
    with pytest.raises(SystemExit):
        run(command("TEST.EXPECTED_RESULTS", "[['classification', 'top5', 50.0, 1.0]]"))  # of three classes it is 100
    assert record(tmp_path / "run")["results"]["colours_val"]["classification"]["top5"] == 100


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_batch(command, tmp_path):
    with pytest.raises(FloatingPointError) as error:
        run(command("SOLVER.BASE_LR", "1e8", "SOLVER.IMAGES_SEEN", "400", "SOLVER.CHECKPOINT_PERIOD", "1"))
    assert "loss_cls" in str(error.value) or "weights are not finite" in str(error.value)
    last = (tmp_path / "run/last_checkpoint").read_text()
    assert all(np.isfinite(value).all() for value in weights(tmp_path / "run", last).values())
    assert not (tmp_path / "run/results.json").exists()
    assert record(tmp_path / "run", "diverged.json")["why"] == str(error.value)
    run(command("SOLVER.IMAGES_SEEN", "40"))
    assert not (tmp_path / "run/diverged.json").exists()
