"""The command that writes the lexicon that igdet ships."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from build_lexicon import main

from igdet.curation.lexicon.words import FOLDER, IRREGULAR_NAME, LICENCE_NAME, TABLE_NAME

WORDNET = Path("/usr/share/wordnet")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command on a folder of database files."""

    def start(folder):
        monkeypatch.setattr("sys.argv", ["build_lexicon.py", "--wordnet", str(folder), "--out", str(tmp_path)])
        main()

    return start


@pytest.mark.skipif(not (WORDNET / "data.noun").exists(), reason="Debian's wordnet-base is not installed")
def test_it_writes_what_is_shipped(run, tmp_path, capsys):
    run(WORDNET)
    assert "82,115 synsets" in capsys.readouterr().out
    assert pq.read_table(tmp_path / TABLE_NAME).equals(pq.read_table(FOLDER / TABLE_NAME))
    for name in (IRREGULAR_NAME, LICENCE_NAME):
        assert (tmp_path / name).read_text() == (FOLDER / name).read_text()


def test_without_the_database_it_says_what_to_install(run, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(tmp_path)
    assert "index.noun is missing; install Debian's wordnet-base" in capsys.readouterr().err
