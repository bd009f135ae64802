"""Sample posts: the fate of each hashtag."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report.merges import POSTS as SHOWN
from igdet.curation.report.merges import samples
from igdet.curation.report.page import write_report

from .conftest import ARABIC, EMOJI, HOSTILE


def test_the_fate_of_each_hashtag(outcome):
    found = {sample.id: sample.chips for sample in samples(outcome)}
    assert found["p0"] == [("Dog", "kept", ""), ("love", "left", "blocked")]
    assert found["p4"] == [("dogs", "kept", "dog"), ("Dog", "kept", ""), ("dog", "kept", "")]
    assert found["p6"] == [("crane", "kept", ""), (HOSTILE, "left", "rare")]
    assert found["p8"] == [("_", "gone", "no label")]
    assert found["p9"] == []


def test_a_short_source_is_shown_as_a_whole(outcome):
    assert [(sample.id, sample.image) for sample in samples(outcome)] == [(f"p{i}", f"{i}.jpg") for i in range(10)]


def test_of_many_posts_the_same_few_every_time(outcome, monkeypatch):
    assert SHOWN < 100
    monkeypatch.setattr("igdet.curation.report.merges.POSTS", 4)
    drawn = samples(outcome)
    assert len(drawn) == 4
    assert samples(outcome) == drawn


def test_hostile_and_foreign_hashtags_on_the_page(outcome, canonicaliser, tmp_path):
    html = write_report(tmp_path, "Animals", canonicaliser).read_text(encoding="utf-8")
    assert "<script" not in html
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt;"
    for tag in (escaped, ARABIC, EMOJI):
        assert f'<span class="chip left"><bdi>{tag}</bdi> <small><bdi>rare</bdi></small></span>' in html
        assert html.count(tag) == html.count(f"<bdi>{tag}</bdi>")
