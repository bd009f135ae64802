"""The two tools that make data: their messages and exit codes."""

import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"


def run(tool, *arguments):
    command = [sys.executable, TOOLS / tool, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=TOOLS.parent)


def test_make_world_writes_once_and_says_what_is_next(tmp_path):
    arguments = ("make_world.py", "--out", tmp_path / "world", "--size", "tiny", "--workers", 1)
    first, second = run(*arguments), run(*arguments)
    assert first.returncode == 0, first.stderr
    assert "posts/train" in first.stdout and "Next: python tools/train_net.py" in first.stdout
    assert second.returncode == 0 and "nothing to do" in second.stdout
    other = run(*arguments, "--seed", 1)
    assert other.returncode == 2 and "a world of another seed" in other.stderr and "Traceback" not in other.stderr


def test_simulate_hashtags_writes_a_table_or_one_clear_line(tmp_path):
    (tmp_path / "images/n1").mkdir(parents=True)
    (tmp_path / "images/n1/1.jpg").write_bytes(b"")
    (tmp_path / "synsets.txt").write_text("n1\tbear\n")
    arguments = (
        "--images",
        tmp_path / "images",
        "--synsets",
        tmp_path / "synsets.txt",
        "--out",
        tmp_path / "posts.csv",
    )
    good = run("simulate_hashtags.py", *arguments)
    assert (
        good.returncode == 0 and "1 posts in" in good.stdout and (tmp_path / "vocabulary.txt").read_text() == "bear\n"
    )
    bad = run("simulate_hashtags.py", *arguments, "--classes", "nonsense")
    assert bad.returncode == 2 and "expected all, first:N" in bad.stderr and "Traceback" not in bad.stderr
