"""Runs that are killed and continued, against one that was not: the same samples, the same weights bit for bit."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
from python_process import ON_CPU, forked_python
from squares import run, write_config

from igdet.engine.hooks import forget_metrics
from igdet.formats.errors import DatasetError

WATCHED = Path(__file__).with_name("watched_run.py")
# 16 iterations of 4 of the 24 images are two passes and two thirds; one checkpoint in three iterations.
SCHEDULE = ("SOLVER.IMAGES_SEEN", "64", "SOLVER.CHECKPOINT_PERIOD", "3")
BREAKS = [
    ({"signal": "SIGKILL", "at_batch": 1}, 0),  # before there is a checkpoint
    ({"signal": "SIGKILL", "at_batch": 5}, 2),
    ({"signal": "SIGKILL", "while_saving": "model_0000008"}, 1),
    ({"signal": "SIGTERM", "at_batch": 10}, 2),
]


@pytest.fixture
def watched(repository, colour_config, tmp_path):
    """Runs the training of the small config, watched; gives its exit status and what it said on stderr."""

    def run(
        name: str, kill: dict, workers: int, *opts: str, resume=False, starter: tuple = (), config=colour_config
    ) -> tuple[int, str]:
        command = [*starter, WATCHED, tmp_path / f"{name}.jsonl", json.dumps(kill)]
        command += [repository / "tools/train_net.py", "--config-file", config]
        command += [*(["--resume"] if resume else []), *SCHEDULE, *opts]
        command += ["OUTPUT_DIR", tmp_path / name, "DATALOADER.NUM_WORKERS", workers]
        done = forked_python(*command, cwd=repository, env={**os.environ, **ON_CPU})
        return done.returncode, done.stdout + done.stderr

    return run


def history(notes):
    """What each iteration took, when it was done for the last time."""
    lines = [json.loads(line) for line in notes.read_text().splitlines()]
    return {iteration: batch for iteration, *batch in lines}


def test_killed_at_any_moment_the_run_ends_as_if_it_had_not_been(watched, tmp_path):
    assert watched("unbroken", {}, 0)[0] == 0
    for kill, workers in BREAKS:
        status, said = watched("broken", kill, workers, resume=True)
        if kill["signal"] == "SIGTERM":
            assert status == 128 + signal.SIGTERM, said
            assert "go on with the same command and --resume" in said
            assert (tmp_path / "broken/last_checkpoint").read_text() == "model_0000010.pth"  # the step was finished
        else:
            assert status == -signal.SIGKILL, said
    status, said = watched("broken", {}, 1, resume=True)
    assert status == 0, said
    assert history(tmp_path / "broken.jsonl") == history(tmp_path / "unbroken.jsonl")
    models = [torch.load(tmp_path / name / "model_final.pth")["model"] for name in ("broken", "unbroken")]
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[1])
    records = [json.loads((tmp_path / name / "results.json").read_text()) for name in ("broken", "unbroken")]
    assert records[0]["results"] == records[1]["results"]
    assert records[0]["images_seen"] == 64
    kept = sorted(path.name for path in (tmp_path / "broken").glob("model_*"))
    assert not list((tmp_path / "broken").glob(".model_*"))  # the half of one that a kill had left
    assert kept == ["model_0000010.pth", "model_0000011.pth", "model_0000014.pth", "model_final.pth"]


DETECTOR = ("MODEL.MASK_ON", "True", "INPUT.MIN_SIZE_TRAIN", "(48, 56, 64)")
DETECTOR_BREAKS = [({"signal": "SIGKILL", "at_batch": 4}, 2), ({"signal": "SIGTERM", "at_batch": 9}, 1)]


def test_a_detector_that_is_killed_ends_as_if_it_had_not_been(watched, tmp_path, squares, repository):
    """The same images, resized and flipped alike, and the same proposals among which losses are drawn."""
    config = write_config(squares, repository, tmp_path)
    opts = (*DETECTOR, "SOLVER.IMAGES_SEEN", "24")  # 12 iterations
    status, said = watched("unbroken", {}, 0, *opts, config=config)
    assert status == 0, said
    for kill, workers in DETECTOR_BREAKS:
        assert watched("broken", kill, workers, *opts, config=config, resume=True)[0] != 0
    status, said = watched("broken", {}, 0, *opts, config=config, resume=True)
    assert status == 0, said
    assert history(tmp_path / "broken.jsonl") == history(tmp_path / "unbroken.jsonl")
    models = [torch.load(tmp_path / name / "model_final.pth")["model"] for name in ("broken", "unbroken")]
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[1])
    sizes = {
        tuple(box[3] for box in boxes)
        for _, labels, _ in history(tmp_path / "broken.jsonl").values()
        for _, boxes in labels
    }
    assert len(sizes) > 6  # they did vary


def test_a_detector_does_not_go_on_with_other_images(squares, repository, tmp_path):
    run(squares, repository, tmp_path)
    content = json.loads((squares / "squares.json").read_text())
    content["annotations"].append({**content["annotations"][0], "id": 9})
    (squares / "squares.json").write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=r"training set has changed .* \(then squares: 4 images, .* now squares: 4"):
        run(squares, repository, tmp_path, "SOLVER.IMAGES_SEEN", "16", resume=True)


def test_two_processes_continue_what_one_began_with_the_same_global_batches(watched, tmp_path):
    """Random numbers too: without SEED, the seed that the first process drew is taken from the checkpoint."""
    assert watched("run", {"signal": "SIGTERM", "at_batch": 4}, 0, "SEED", "-1")[0] == 128 + signal.SIGTERM
    shutil.copytree(tmp_path / "run", tmp_path / "both")
    starter = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    opts = ("SEED", "-1", "SOLVER.IMAGES_SEEN", "40")
    status, said = watched("both", {}, 1, *opts, resume=True, starter=starter)
    assert status == 0, said
    assert watched("run", {}, 0, *opts, resume=True)[0] == 0
    shares = [history(tmp_path / f"both.jsonl{rank}") for rank in (0, 1)]
    for iteration, (images, labels, _) in history(tmp_path / "run.jsonl").items():
        if iteration > 4:  # of each batch, each process takes every second sample
            for rank, share in enumerate(shares):
                assert share[iteration][:2] == [images[rank::2], labels[rank::2]]


def test_metrics_of_iterations_that_come_again_are_forgotten(tmp_path):
    path = tmp_path / "metrics.json"
    lines = [json.dumps({"iteration": i}) + "\n" for i in (3, 7, 11)]
    path.write_text("".join(lines) + '{"iterat')
    forget_metrics(path, 12)
    assert path.read_text() == "".join(lines)
    forget_metrics(path, 7)
    assert path.read_text() == lines[0]
    forget_metrics(tmp_path / "none.json", 7)
    assert not (tmp_path / "none.json").exists()
