"""Fuzzing: inputs can be made again, faults are told from refusals, and a few hundred inputs show none."""

import re
import subprocess
import sys
from random import Random

import pytest
from fuzz.damage import mutate_bytes
from fuzz.inputs import Inputs
from fuzz.jpegs import mutate_jpeg
from fuzz.judging import READ, REFUSED, TooSlowError, judge
from fuzz.trees import mutate_json, mutate_json_lines, mutate_yaml
from python_process import WITHOUT_DETECTRON2

from igdet.data.images import jpeg
from igdet.utils.errors import UserError

JPEGS = pytest.param("jpegs", marks=pytest.mark.skipif(not jpeg._jpeg, reason=jpeg.DECODER))
KINDS = (JPEGS, "images", "shards", "tables", "coco", "configs", "suites", "predictions", "ratings")
SOUND = b'{"a": [1, {"b": "c"}], "d": null}'


def _raise(error):
    raise error


@pytest.mark.parametrize("mutate", [mutate_bytes, mutate_json, mutate_json_lines, mutate_yaml])
def test_the_same_dice_give_the_same_damage_and_others_another(mutate):
    made = [mutate(SOUND, Random(seed)) for seed in (*range(20), *range(20))]
    assert made[:20] == made[20:]
    assert len(set(made)) > 10


def test_trees_are_damaged_in_values_and_keys_only_and_stay_trees():
    made = [mutate_json(SOUND, Random(seed)) for seed in range(100)]
    assert any(text.count(b'"a":') == 2 for text in made)  # a key twice
    assert any(b'"a":' not in text for text in made)
    assert any(b"NaN" in text for text in made)
    assert all(text.count(b"{") == text.count(b"}") for text in made)  # no bytes are damaged


def test_pieces_of_a_jpeg_are_left_out_doubled_and_renamed():
    sound = b"\xff\xd8" + b"".join(b"\xff" + bytes([0xD0 + i % 8]) + b"data" for i in range(9)) + b"\xff\xd9"
    made = [mutate_jpeg(sound, Random(seed)) for seed in (*range(100), *range(100))]
    assert made[:100] == made[100:]
    counts = {data.count(b"data") for data in made}
    assert {1, 8, 9, 10} <= counts
    assert any(data.startswith(b"\xff\xd8") and data.count(b"\xff\xd3") == 0 for data in made)


@pytest.mark.parametrize(
    ("read", "outcome"),
    [
        (lambda path: None, READ),
        (lambda path: _raise(UserError("fix it")), REFUSED),
        (lambda path: _raise(OSError("full")), REFUSED),
        (lambda path: _raise(KeyError("x")), r"KeyError at .*test_fuzz\.py:\d+"),
        (lambda path: _raise(TooSlowError()), "TooSlowError"),
        (lambda path: bytearray(2**40), "MemoryError"),
        (lambda path: print("\x1b[2J"), r"prints '\\x1b'"),
        (lambda path: print("x" * 30_000), "prints 30,001 characters"),
        (lambda path: sys.exit(3), "exit status 3"),
    ],
)
def test_reading_is_judged(tmp_path, read, outcome):
    assert re.match(outcome, judge(read, tmp_path))


def test_a_started_process_is_a_fault(tmp_path):
    script = WITHOUT_DETECTRON2 + (
        "import subprocess, sys; from pathlib import Path; from fuzz.judging import judge, watch_processes\n"
        "watch_processes()\n"
        "print(judge(lambda path: subprocess.run([sys.executable, '-c', '']), Path('x')))"
    )
    done = subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True)
    assert done.stdout == b"starts a process: subprocess.Popen\n"


@pytest.mark.parametrize("kind", KINDS)
def test_sound_files_are_read_and_inputs_can_be_made_again(tmp_path, kind):
    inputs = Inputs(kind, 0, tmp_path)
    inputs.check_sound()
    first = [path.read_bytes() if (path := inputs.make(number)).is_file() else None for number in range(20)]
    again = [path.read_bytes() if (path := inputs.make(number)).is_file() else None for number in range(20)]
    assert first == again and len(set(first)) > 5


@pytest.mark.parametrize("kind", [JPEGS, "images", "checkpoints", "ratings"])
def test_a_hundred_inputs_show_no_fault(tmp_path, kind):
    inputs = Inputs(kind, 1, tmp_path)
    inputs.check_sound()
    found = {fault: number for number in range(100) for fault in inputs.outcomes(number)}
    assert set(found) <= {READ, REFUSED}, found
