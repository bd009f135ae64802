"""The command that curates, on three posts without images."""

import pytest
from python_process import forked_python, fresh_python

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.formats.shards import SetName, ShardWriter
from igdet.formats.vocabulary import Vocabulary

CONFIG = """
OUTPUT_DIR: {folder}/out
SOURCE: {{PATHS: ["{folder}/posts.csv"], TAGS: tags}}
LEXICON: {{PATH: "{folder}/lexicon.csv"}}
"""


@pytest.fixture
def curate(repository, tmp_path):
    """Run tools/curate.py on the config."""
    (tmp_path / "posts.csv").write_text("image,tags\na.jpg,#dog #cat\nb.jpg,#dogs\nc.jpg,\n")
    (tmp_path / "lexicon.csv").write_text("word,label\ndog,n1\ncat,n2\n")
    (tmp_path / "config.yaml").write_text(CONFIG.format(folder=tmp_path))

    def run(action, *overrides, python=forked_python):
        return python(repository / "tools/curate.py", action, tmp_path / "config.yaml", *overrides)

    return run


def test_status_run_report(curate, tmp_path):
    before = curate("status")
    assert before.returncode == 0 and before.stdout.count("to do") == 3, before.stderr
    done = curate("run", python=fresh_python)
    assert done.returncode == 0, done.stderr
    assert "vocabulary: 3 rows in, 2 out" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("next      shards")
    assert curate("status").stdout.count("done") == 3
    (tmp_path / "out/report.html").unlink()
    assert curate("report").returncode == 0
    assert (tmp_path / "out/report.html").stat().st_size > 0


def test_list_prints_the_sets_below_a_folder(repository, tmp_path):
    with ShardWriter(tmp_path / "posts", Vocabulary([("cat",)]), name=SetName("train", "zoo")) as writer:
        writer.add("a", b"image", ["cat"])
    (tmp_path / "later").mkdir()
    (tmp_path / "later/posts-000000.tar").write_bytes(b"")
    done = forked_python(repository / "tools/curate.py", "list", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines() if "|" in line]
    assert [row[0] for row in rows[2:]] == ["unfinished", "train-zoo-1-1"]
    assert rows[3][1:5] == ["1", "1", "1.00", str(tmp_path / "posts")]
    missing = forked_python(repository / "tools/curate.py", "list", tmp_path / "nowhere")
    assert (missing.returncode, "Traceback" in missing.stderr) == (2, False)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["ENGINE.RUNNER", "rey"], "ConfigError: ENGINE.RUNNER: 'rey' is none of native, ray; did you mean 'ray'?"),
        (["SOURCE.TAGS", "hashtags"], "SourceError: 1 of 1 files cannot be read"),
    ],
)
def test_errors_are_one_line(curate, overrides, message):
    done = curate("run", *overrides)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(message)
    assert "Traceback" not in done.stderr
