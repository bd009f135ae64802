"""The command that chooses hashtags for a target task."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_process import forked_python, fresh_python

from igdet.curation.labels.label_table import SCHEMA
from igdet.formats.vocabulary import Vocabulary


@pytest.fixture
def run(repository, tmp_path):
    labels = [["kitty", "love"], ["kitty", "love"], [2, 1], [["kitty", "cat"], ["love"]]]
    pq.write_table(pa.table(labels, schema=SCHEMA), tmp_path / "labels.parquet")
    pq.write_table(pa.table({"labels": pa.array([[0], [0, 1]], pa.list_(pa.int32()))}), tmp_path / "posts.parquet")
    (tmp_path / "lexicon.csv").write_text("word,label\ncat,kitty\n")
    (tmp_path / "targets.txt").write_text("cat\nwalrus\n")

    def start(*arguments, python=forked_python):
        paths = [f"--labels={tmp_path}/labels.parquet", f"--posts={tmp_path}/posts.parquet"]
        paths += [f"--lexicon={tmp_path}/lexicon.csv", f"--out={tmp_path}/out"]
        return python(repository / "tools/match_label_space.py", *paths, *arguments)

    return start


def test_it_writes_a_vocabulary_and_names_what_is_unmatched(run, tmp_path):
    done = run(f"--targets={tmp_path}/targets.txt", python=fresh_python)
    assert done.returncode == 0, done.stderr
    assert "Target classes without any hashtag (1): walrus" in done.stdout
    assert f"beside it: {tmp_path}/out/vocabulary.txt" in done.stdout
    assert Vocabulary.read(tmp_path / "out/vocabulary.txt").names == ["kitty"]


def test_errors_are_one_line(run, tmp_path):
    done = run("--targets=none.txt")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("TargetError: none.txt: cannot read the target classes")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
