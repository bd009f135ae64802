"""Work in several processes comes back in order, and processes end with the one that started them."""

import multiprocessing
import os
import signal
import subprocess
import sys

import pytest
from python_process import WITHOUT_DETECTRON2

from igdet.utils.processes import ProcessKilledError, end_with, map_in_order

# Starts work that never ends and says so.
ENDLESS = f"""{WITHOUT_DETECTRON2}
import os, signal
from igdet.utils.processes import map_in_order

def wait_for_ever(number):
    os.write(1, f"{{number}}\\n".encode())  # one piece: both processes write into the same pipe
    signal.pause()

if __name__ == "__main__":
    list(map_in_order(wait_for_ever, [(0,), (1,)], 2, "fork"))
"""
# Has a worker that never comes to its work, for it imports this file first.
IMPORTING = f"""{WITHOUT_DETECTRON2}
import os, signal
from igdet.utils.processes import map_in_order

if __name__ == "__main__":
    list(map_in_order(print, [(0,)], 2))
os.write(1, b"importing\\n")
signal.pause()
"""
# Starts another program that never ends.
PROGRAM = f"""{WITHOUT_DETECTRON2}
import subprocess, sys
from igdet.utils.processes import bound_to_this

endless = "import signal; print('started', flush=True); signal.pause()"
subprocess.run([sys.executable, "-c", endless], preexec_fn=bound_to_this())
"""


def multiply(number, factor):
    """Multiply."""
    return number * factor


def kill_itself(_number):
    """End like a process that the system kills."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_order(processes):
    tasks = ((number, 2) for number in range(7))
    assert list(map_in_order(multiply, tasks, processes)) == [0, 2, 4, 6, 8, 10, 12]


def test_tasks_are_asked_for_when_they_can_be_worked_on():
    asked = []

    def tasks():
        for number in range(100):
            asked.append(number)
            yield number, 1

    results = map_in_order(multiply, tasks(), 2, "fork")
    next(results)
    assert len(asked) == 5
    results.close()


def test_an_error_of_the_work_arrives():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        list(map_in_order(multiply, [(1,)], 2, "fork"))


def test_a_killed_process_is_named():
    with pytest.raises(ProcessKilledError, match=r"a process was killed.*use fewer processes"):
        list(map_in_order(kill_itself, [(1,), (2,)], 2, "fork"))


def test_forked_workers_end_with_the_one_that_started_them(tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert {parent.stdout.readline() for _ in range(2)} == {"0\n", "1\n"}
        parent.kill()
        parent.communicate(timeout=20)  # ends when nobody holds the pipe any more


def test_a_spawned_worker_is_bound_before_it_imports_anything(tmp_path):
    script = tmp_path / "importing.py"
    script.write_text(IMPORTING)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "importing\n"
        parent.kill()
        parent.communicate(timeout=20)


def test_a_program_ends_with_the_one_that_started_it():
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "started\n"
        parent.kill()
        parent.communicate(timeout=20)


def test_a_process_whose_parent_has_ended_ends_at_once():
    process = multiprocessing.get_context("fork").Process(target=end_with, args=(2**22,))  # above every process id
    process.start()
    process.join(20)
    assert process.exitcode == 1
