"""The config of a curation, its overrides, and mistakes in both."""

from pathlib import Path

import pytest

from igdet.curation.settings import asked_for, read_curation
from igdet.utils.yaml import ConfigError

CONFIG = """
OUTPUT_DIR: $HOME/out
SOURCE: {PATHS: [posts.csv], TAGS: tags}
VOCABULARY: {TOP: 10}
"""


@pytest.fixture
def read(tmp_path):
    """Read a config with overrides."""

    def run(*overrides, text=CONFIG):
        (tmp_path / "config.yaml").write_text(text)
        return read_curation(tmp_path / "config.yaml", overrides)

    return run


def test_absent_sections_take_their_defaults(read):
    curation = read()
    assert curation.folder == Path.home() / "out"
    assert (curation.vocabulary.top, curation.vocabulary.name) == (10, "wordnet-nouns")
    assert (curation.engine.runner, curation.lexicon.ambiguous) == ("native", "first_sense")
    assert curation.shards is None and curation.duplicates is None


def test_overrides_lead_into_sections_that_are_there_and_that_are_not(read):
    curation = read("VOCABULARY.MIN_POSTS", "3", "SHARDS.IMAGES", "~/images", "SOURCE.PATHS", "[a, b]", "TITLE", "x")
    assert (curation.vocabulary.top, curation.vocabulary.min_posts, curation.title) == (10, 3, "x")
    assert curation.shards.root == Path.home() / "images" and curation.source.paths == ["a", "b"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["VOCABULARY.TOPP", "3"], "unknown key 'TOPP'.*did you mean 'TOP'"),
        (["VOCABULARY.TOP", "many"], "TOP must be a whole number, got 'many'"),
        (["VOCABULARY.NAME", "topk"], "'topk' is none of .*did you mean 'top-k'"),
        (["VOCABULARY.NAME", "list"], "'list' needs TARGETS"),
        (["ENGINE.SLICE_MB", "0"], "SLICE_MB must be > 0, not 0"),
        (["SOURCE.PATHS", "[]"], "PATHS is empty"),
        (["SOURCE.MAX_BAD_SHARE", "5"], "MAX_BAD_SHARE must lie between 0 and 1, not 5"),
        (["SAMPLING.EPOCH_IMAGES", "-1"], "EPOCH_IMAGES must be >= 0, not -1"),
        (["DUPLICATES.MAX_DISTANCE", "300"], "MAX_DISTANCE must be 0 to 256 bits, not 300"),
        (
            ["SHARDS", "{IMAGES: x, NAME: {SOURCE: my-photos}}"],
            "the source in the name of a set is 'my-photos': expected",
        ),
        (["SHARDS", "{IMAGES: x, NAME: {ROLE: a b}}"], "the role in the name of a set is 'a b': expected"),
        (["VOCABULARY.TOP"], "'VOCABULARY.TOP' has no value"),
        (["OUTPUT_DIR.NAME", "x"], "override OUTPUT_DIR.NAME: OUTPUT_DIR is no section"),
        (["VOCABULARY.TOP.FIRST", "x"], "VOCABULARY.TOP is no section"),
        (["TITLE", "[open"], "override TITLE: not YAML that can be read safely"),
    ],
)
def test_wrong_overrides_are_named(read, overrides, message):
    with pytest.raises(ConfigError, match=message):
        read(*overrides)


def test_a_source_is_needed(read):
    with pytest.raises(ConfigError, match="the key SOURCE is missing"):
        read(text="OUTPUT_DIR: out\n")


def test_a_stage_names_the_section_that_it_lacks(read):
    with pytest.raises(ConfigError, match="SHARDS is missing"):
        asked_for(read().shards, "SHARDS")
    assert asked_for(read().source, "SOURCE").tags == "tags"
