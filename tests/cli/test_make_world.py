"""The two tools that make data: their messages and exit codes."""

from pathlib import Path

from python_process import forked_python, fresh_python

TOOLS = Path(__file__).parents[2] / "tools"


def run(tool, *arguments, python=forked_python):
    return python(TOOLS / tool, *arguments, cwd=TOOLS.parent)


def test_make_world_writes_once_and_says_what_is_next(tmp_path):
    arguments = ("make_world.py", "--out", tmp_path / "world", "--size", "tiny", "--workers", 1)
    first, second = run(*arguments, python=fresh_python), run(*arguments)
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
    good = run("simulate_hashtags.py", *arguments, python=fresh_python)
    assert (
        good.returncode == 0 and "1 posts in" in good.stdout and (tmp_path / "vocabulary.txt").read_text() == "bear\n"
    )
    bad = run("simulate_hashtags.py", *arguments, "--classes", "nonsense")
    assert bad.returncode == 2 and "expected all, first:N" in bad.stderr and "Traceback" not in bad.stderr
