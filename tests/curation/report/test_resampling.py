"""Images of labels under each resampling."""

import pyarrow as pa
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report.distributions import resampling_section

from .conftest import SAMPLING, cells


@pytest.fixture
def section_of(finish):
    """Makes the section of a sampling table."""

    def make(sampling):
        return resampling_section(
            finish("posts", "labels", "vocabulary", tables={"vocabulary/sampling.parquet": sampling})
        )

    return make


def test_each_resampling_has_a_row(outcome):
    section = resampling_section(outcome)
    assert cells(section.tables[0].rows) == [
        ["natural", "12", "7", "2", "1"],
        ["square root", "10", "7", "4", "4.06"],
        ["uniform", "7", "7", "7", "7"],
    ]
    assert len(section.charts) == 1


def test_a_single_label(section_of):
    section = section_of(pa.table(SAMPLING)[:1])
    assert cells(section.tables[0].rows)[0] == ["natural", "12", "12", "12", "1"]


def test_an_empty_vocabulary_has_no_section(section_of):
    assert section_of(pa.table(SAMPLING)[:0]) is None


def test_the_curve_is_of_means_between_ranks(section_of, monkeypatch):
    drawn = []
    monkeypatch.setattr("igdet.curation.report.distributions.line_chart", lambda *a, **_: drawn.extend(a[2]) or "")
    monkeypatch.setattr("igdet.reporting.charts.POINTS", 3)  # ranks 1, 3, 9
    section_of(pa.table({name: [float(i) for i in range(1, 10)] for name in SAMPLING}))
    assert [series.name for series in drawn] == ["natural", "square root", "uniform"]
    assert drawn[0].xs == [1, 3, 9]
    assert drawn[0].ys == [1.5, 5.5, 9.0]  # means of 1..2, of 3..8, and of 9
