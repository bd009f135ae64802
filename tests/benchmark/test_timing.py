"""Expected durations and the order that follows from them."""

import pytest

from igdet.benchmark.cells import expand
from igdet.benchmark.runner import Timing
from igdet.benchmark.suite_file import read_suite


@pytest.fixture
def cells(write_suite):
    target = {"TITLE": "T", "CONFIG": "boxes.yaml", "METRICS": {"a": "A"}, "MINUTES": 2}
    starts = {"scratch": {"TITLE": "S"}, "hashtag": {"TITLE": "H", "CONFIG": "pretrain.yaml", "MINUTES": 3}}
    suite = read_suite(write_suite(INITIALIZATIONS=starts, TARGETS={"t": target}, SEEDS=2))
    return {cell.name: cell for cell in expand(suite)}


def test_the_longest_chain_comes_first(cells):
    timing = Timing(cells.values())
    assert timing.chain(cells["seed0/pretraining/hashtag"]) == 60 * (3 + 2)
    assert timing.chain(cells["seed0/t/scratch"]) == 60 * 2


def test_measured_times_replace_expected_ones(cells):
    timing = Timing(cells.values())
    timing.learn(cells["seed0/t/scratch"], 240.0)  # twice the expected 120 s
    assert timing.seconds(cells["seed1/t/scratch"]) == 240.0
    assert timing.seconds(cells["seed0/pretraining/hashtag"]) == 2 * 180  # nothing measured: as slow as the rest


def test_finished_cells_are_learned_from(cells, finish):
    finish(cells["seed0/t/scratch"], {})
    assert Timing(cells.values()).seconds(cells["seed1/t/scratch"]) == 90


def test_remaining_time(cells):
    timing = Timing(cells.values())
    waiting = [cells["seed0/t/scratch"], cells["seed1/t/scratch"]]
    running = [(cells["seed0/pretraining/hashtag"], 60.0)]
    assert timing.remaining(waiting, running, jobs=2) == (120 + 120 + 120) / 2
    assert timing.remaining([], running, jobs=2) == 120
    assert timing.remaining([], [(cells["seed0/t/scratch"], 500.0)], jobs=2) == 0
    assert timing.remaining([cells["seed0/pretraining/hashtag"]], [], jobs=2) == 300  # its transfer has to wait for it
