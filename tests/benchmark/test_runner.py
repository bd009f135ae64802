"""Running a matrix of pretended trainings: order, retries, failures, resuming, changed configs."""

import io
import json

import pytest

from igdet.benchmark.cells import LOG, expand
from igdet.benchmark.process import locked
from igdet.benchmark.progress import Progress
from igdet.benchmark.runner import PrepareError, Runner, prepare
from igdet.benchmark.suite_file import read_suite


@pytest.fixture
def run(write_suite):
    """Runs the suite, its keys replaced; returns (complete, printed, cells by short name)."""

    def run(**keys):
        suite, text = read_suite(write_suite(**keys)), io.StringIO()
        cells = expand(suite)
        with locked(suite.folder) as lock:
            complete = Runner(suite, cells, lock, lambda: None, Progress(text), poll=0.02).run()
        return complete, text.getvalue(), {cell.name.removeprefix("seed0/"): cell for cell in cells}

    return run


def states(cells):
    return {name: cell.state for name, cell in cells.items()}


def test_all_cells_finish_each_after_what_it_needs(run):
    complete, text, cells = run(THREADS=3)
    assert complete
    assert set(states(cells).values()) == {"finished"}
    assert text.index("finished  seed0/pretraining/hashtag") < text.index("started   seed0/boxes/hashtag")
    assert (cells["boxes/scratch"].folder / LOG).read_text() == "resume=False threads=3 gpus=None\n"


def test_a_second_run_starts_nothing(run):
    run()
    assert run()[:2] == (True, "")


def test_a_failed_cell_is_tried_twice_and_stops_only_what_needs_it(run, write_config):
    write_config("pretrain", ENDING="fail")
    complete, text, cells = run()
    assert not complete
    assert text.count("started   seed0/pretraining/hashtag") == 2
    assert "failed    seed0/pretraining/hashtag: exit code 3" in text
    assert "RuntimeError: the fake broke" in text
    assert "blocked   seed0/boxes/hashtag: it waits for seed0/pretraining/hashtag" in text
    assert states(cells) == {
        "pretraining/hashtag": "failed",
        "boxes/scratch": "finished",
        "boxes/hashtag": "waiting",
        "linear/scratch": "finished",
        "linear/hashtag": "waiting",
    }


def test_a_training_that_diverges_is_not_tried_again(run, write_config):
    write_config("pretrain", ENDING="diverge")
    complete, text, cells = run()
    assert not complete
    assert text.count("started   seed0/pretraining/hashtag") == 1
    assert "failed    seed0/pretraining/hashtag: it diverged, loss_cls is nan" in text
    assert states(cells)["pretraining/hashtag"] == "failed"


def test_an_attempt_that_fails_at_its_start_is_not_said_to_diverge_as_an_earlier_one_did(run, write_config):
    write_config("pretrain", ENDING="diverge_once")
    run()
    _, text, _ = run()
    assert text.count("started   seed0/pretraining/hashtag") == 2
    assert "failed    seed0/pretraining/hashtag: exit code 3" in text


def test_a_mended_cell_and_its_dependants_run_next_time(run, write_config):
    write_config("pretrain", ENDING="fail")
    run()
    write_config("pretrain")
    complete, text, _ = run()
    assert complete
    assert "seed0/boxes/scratch" not in text


def test_a_hiccup_is_resumed(run, write_config):
    write_config("linear", ENDING="fail_once")
    complete, text, cells = run()
    assert complete
    assert "retrying  seed0/linear/scratch: exit code 3" in text
    assert "resume=True" in (cells["linear/scratch"].folder / LOG).read_text()


def test_an_end_without_results_is_a_failure(run, write_config):
    write_config("linear", ENDING="silent")
    complete, text, _ = run()
    assert not complete
    assert "failed    seed0/linear/scratch: it ended without results.json" in text


def test_a_changed_config_runs_its_cells_anew_and_keeps_the_old_folder(run, write_config, folder):
    run()
    write_config("linear", TOP1=50)
    _, text, cells = run()
    assert text.count("started") == 2
    assert json.loads((cells["linear/scratch"].folder / "results.json").read_text())["results"]["fake_val"][
        "classification"
    ]["top1"] == pytest.approx(50)
    assert sorted(path.name for path in (folder / "out/replaced").iterdir()) == [
        "seed0-linear-hashtag-0",
        "seed0-linear-scratch-0",
    ]


def test_further_seeds_keep_what_is_finished(run):
    run()
    _, text, _ = run(SEEDS=2)
    assert text.count("started") == 5
    assert "seed0" not in text


def test_each_process_gets_its_own_gpus(run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    _, _, cells = run(GPUS=2, JOBS=2)
    seen = {(cell.folder / LOG).read_text().split("gpus=")[1].strip() for cell in cells.values()}
    assert seen == {"4,5", "6,7"}


def test_prepare_runs_a_script(write_suite, folder):
    (folder / "prepare.py").write_text("import sys, pathlib; pathlib.Path(sys.argv[1]).touch()")
    prepare(read_suite(write_suite(PREPARE="prepare.py 'a world'")), Progress(io.StringIO()))
    assert (folder / "a world").exists()


def test_a_failing_prepare_is_named(write_suite, folder):
    (folder / "prepare.py").write_text("raise SystemExit(7)")
    with pytest.raises(PrepareError, match=r"`prepare\.py` ended with exit code 7"):
        prepare(read_suite(write_suite(PREPARE="prepare.py")), Progress(io.StringIO()))


def test_a_prepare_that_makes_nothing_is_named(write_suite, folder):
    (folder / "prepare.py").touch()
    suite = read_suite(write_suite(PREPARE="prepare.py", PREPARED="world.json"))
    with pytest.raises(PrepareError, match=r"PREPARED names world\.json, which `prepare\.py` has not made"):
        prepare(suite, Progress(io.StringIO()))
