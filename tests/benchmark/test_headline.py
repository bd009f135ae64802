"""The answer in words, against sentences written by hand."""

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.report import ONE_SEED, headline


def plain(sentences):
    return [sentence.replace("\u00a0", " ") for sentence in sentences]


def test_gains_and_what_stays_within_the_spread(study):
    assert plain(headline(study)) == [
        "Against “From scratch”, “Hashtags” gains +12.0 ± 2.0 Top-1; "
        "it makes no difference beyond the spread on +0.0 ± 1.0 Box AP."
    ]


def test_one_seed_is_said_to_be_one(suite, finish):
    for cell in expand(suite):
        finish(cell, {"classification": {"top1": 30 + 5 * bool(cell.needs)}, "bbox": {"AP": 10 - bool(cell.needs)}})
    assert plain(headline(Study(suite, expand(suite)))) == [
        "Against “From scratch”, “Hashtags” differs by −1.0 Box AP and +5.0 Top-1.",
        ONE_SEED,
    ]


def test_nothing_finished(suite):
    assert headline(Study(suite, expand(suite))) == ["No comparison is finished yet."]
