"""The progress line, on a terminal and elsewhere."""

import io
from types import SimpleNamespace

import pytest

from igdet.benchmark import progress
from igdet.benchmark.progress import Progress, last_metrics


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def training(tmp_path):
    (tmp_path / "metrics.json").write_text('{"iteration": 19}\n{"iteration": 39, "eta_seconds": 65.2}\n{"iterat')
    return SimpleNamespace(cell=SimpleNamespace(name="seed0/boxes/hashtag", folder=tmp_path))


def test_a_terminal_gets_one_line_renewed(training, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    screen = Terminal()
    Progress(screen).show(3, 14, [training], 130.0)
    expected = "[3/14] 0:00 gone, about 2:10 left | seed0/boxes/hashtag it 39, 1:05 left"
    assert screen.getvalue() == f"\r\x1b[K{expected}"


def test_a_terminal_line_is_cut_to_its_width(training, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    screen = Terminal()
    Progress(screen).show(3, 14, [training], 130.0)
    assert len(screen.getvalue().removeprefix("\r\x1b[K")) == 19


def test_a_file_gets_lines_now_and_then(training, monkeypatch):
    now = 100.0
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))
    text = io.StringIO()
    shown = Progress(text)
    shown.show(3, 14, [training], 130.0)
    assert text.getvalue() == ""
    now += progress.QUIET
    shown.show(3, 14, [training], 130.0)
    assert text.getvalue().startswith("[3/14] 1:00 gone, about 2:10 left | seed0/boxes/hashtag it 39")


def test_metrics_before_the_first_line(tmp_path):
    assert last_metrics(tmp_path) == {}
    (tmp_path / "metrics.json").write_text('{"iter')
    assert last_metrics(tmp_path) == {}


def test_metrics_of_a_long_file(tmp_path):
    (tmp_path / "metrics.json").write_text("".join(f'{{"iteration": {number}}}\n' for number in range(5000)))
    assert last_metrics(tmp_path) == {"iteration": 4999}
