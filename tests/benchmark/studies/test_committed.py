"""The committed pages of studies are those that their committed results draw."""

from pathlib import Path

import pytest

from igdet.benchmark.studies.page import write_page
from igdet.benchmark.studies.results import Results
from igdet.cli.study import read_study

ROOT = Path(__file__).resolve().parents[3]
STUDIES = sorted((ROOT / "docs/studies").glob("*.parquet"))


@pytest.mark.parametrize("results", STUDIES, ids=lambda path: path.stem)
def test_the_page_is_drawn_from_its_results(results, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    suite = read_study(Path(f"configs/studies/{results.stem}.yaml"))
    write_page(
        suite, Results.read(results), f"python tools/study.py run {results.stem}", tmp_path / f"{results.stem}.md"
    )
    for suffix in (".md", ".csv", ".tex"):
        name = f"{results.stem}{suffix}"
        assert (tmp_path / name).read_text() == (results.parent / name).read_text(), name
    assert {path.name for path in tmp_path.glob("*.svg")} == {
        path.name for path in results.parent.glob(f"{results.stem}-*.svg")
    }
