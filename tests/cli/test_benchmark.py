"""The benchmark's command line on pretended trainings: stopping, going on, two at a time."""

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from igdet.benchmark.process import locked
from igdet.cli import benchmark

FAKE = Path(__file__).parents[1] / "benchmark" / "fake_train_net.py"
SCRATCH = Path("out/seed0/t/scratch")


@pytest.fixture
def write_suite(tmp_path, monkeypatch):
    """Writes, into an empty working directory, a suite of one cell whose training ends as told."""

    def write(**fake):
        (tmp_path / "t.yaml").write_text(yaml.safe_dump({"FAKE": {"TOP1": 30, **fake}}))

    target = {"TITLE": "T", "CONFIG": "t.yaml", "METRICS": {"classification/top1": "Top-1"}}
    suite = {"TITLE": "A test", "OUTPUT_DIR": "out", "TRAIN_SCRIPT": str(FAKE)}
    suite |= {"INITIALIZATIONS": {"scratch": {"TITLE": "S"}}, "TARGETS": {"t": target}}
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(suite))
    monkeypatch.chdir(tmp_path)
    write()
    return write


@pytest.fixture
def call(monkeypatch, capsys):
    """Calls the command line; returns (exit code, output, errors)."""

    def call(action, *arguments):
        monkeypatch.setattr(sys, "argv", ["tools/benchmark.py", action, "suite.yaml", *arguments])
        try:
            code = benchmark.main()
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def hanging(write_suite, tmp_path, repository):
    """A runner in a process of its own, and the process id of its training, which hangs after a checkpoint."""
    write_suite(ENDING="hang_once")
    os.mkfifo(tmp_path / "ready")
    runner = subprocess.Popen(
        [sys.executable, str(repository / "tools/benchmark.py"), "run", "suite.yaml"],
        env=os.environ | {"PYTHONPATH": str(repository)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background are started with Ctrl-C ignored, and would hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    return runner, int(first_words(tmp_path / "ready", runner))


def first_words(pipe, process):
    """What is written into a named pipe, unless the process ends before that."""
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while process.poll() is None:
            readable, _, _ = select.select([reader], [], [], 0.1)
            if readable and (words := os.read(reader, 100)):
                return words
    finally:
        os.close(reader)
    pytest.fail(process.stderr.read())


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_run_then_status_then_report(write_suite, call, tmp_path):
    code, output, _ = call("run")
    assert code == 0
    assert "report    out/report.html" in output
    assert re.search("more seeds: \\S*python\\S* tools/benchmark.py run suite.yaml --seeds 3", output)
    code, output, _ = call("status", "--seeds", "2")
    states = re.findall(r"(\S+/scratch) +(\w+)", output)
    assert states == [("seed0/t/scratch", "finished"), ("seed1/t/scratch", "waiting")]
    (tmp_path / "out/report.html").unlink()
    assert call("report")[1] == "out/report.html\n"
    assert (tmp_path / "out/report.html").is_file()


def test_without_a_run_there_is_no_report_but_the_command_that_runs(write_suite, call, tmp_path):
    code, output, _ = call("report")
    assert code == 1
    assert re.fullmatch("out has no run of this suite yet: \\S*python\\S* tools/benchmark.py run suite.yaml\n", output)
    assert not (tmp_path / "out").exists()
    output = call("report", "--seeds", "2", "OUTPUT_DIR", "other")[1]
    assert output.endswith("tools/benchmark.py run suite.yaml --seeds 2 OUTPUT_DIR other\n")


def test_finished_seeds_stay_in_the_report(write_suite, call, tmp_path):
    call("run", "--seeds", "2", "JOBS", "1")
    assert "started" not in call("run", "--seeds", "1")[1]
    assert "30.5 ± 0.7" in (tmp_path / "out/report.md").read_text()  # 30 and 31


def test_a_failure_gives_exit_code_1_and_says_how_to_go_on(write_suite, call):
    write_suite(ENDING="fail")
    code, output, _ = call("run")
    assert code == 1
    assert "RuntimeError: the fake broke" in output
    assert re.search("then the same command runs only those: \\S*python\\S* tools/benchmark.py run suite.yaml", output)
    assert "RuntimeError: the fake broke" in call("status")[1]


def test_a_wrong_key_is_one_line(write_suite, call):
    code, output, errors = call("run", "SEED", "3")
    assert (code, output) == (2, "")
    assert errors.startswith("ConfigError: suite.yaml: unknown key 'SEED'; known keys: ")


def test_two_runners_do_not_share_a_folder(write_suite, call, tmp_path):
    with locked(tmp_path / "out"):
        code, _, errors = call("run")
    assert code == 2
    assert "another benchmark, or a training that it left behind, still writes there" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_and_gone_on_with(hanging, call, number):
    runner, training = hanging
    runner.send_signal(number)
    _, errors = runner.communicate(timeout=60)
    assert runner.returncode == 130
    assert "the same command goes on where it stopped: " in errors
    assert not is_alive(training)
    assert "interrupted" in call("status")[1]
    assert call("run")[0] == 0
    assert "resume=True" in (SCRATCH / "output.txt").read_text()


def test_a_killed_command_takes_its_training_with_it_and_frees_the_folder(hanging, call):
    runner, training = hanging
    end = os.pidfd_open(training)  # readable when the training has ended
    runner.kill()
    runner.communicate()
    assert select.select([end], [], [], 30)[0]
    os.close(end)
    assert call("run")[0] == 0
