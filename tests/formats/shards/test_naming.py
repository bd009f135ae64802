"""Names of sets of posts: how counts are rounded, and which names are refused."""

from decimal import ROUND_HALF_UP, Context, Decimal

import pytest

from igdet.formats.shards.naming import SetName, short_count
from igdet.utils.yaml import ConfigError

UNITS = {"k": 3, "M": 6, "B": 9}


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (80, "80"),
        (365, "365"),
        (999, "999"),
        (1_000, "1k"),
        (1_049, "1k"),
        (1_050, "1.1k"),
        (1_512, "1.5k"),
        (9_949, "9.9k"),
        (9_950, "10k"),
        (17_000, "17k"),
        (36_247, "36k"),
        (994_999, "990k"),
        (999_600, "1M"),
        (940_000_000, "940M"),
        (995_000_000, "1B"),
        (3_500_000_000, "3.5B"),
        (1_234_000_000_000, "1200B"),
        (2**63 - 1, "9200000000B"),
    ],
)
def test_counts_in_short(count, text):
    assert short_count(count) == text


@pytest.mark.parametrize("count", [round(1000 * 1.037**power) for power in range(700)])
def test_counts_are_rounded_as_decimals_are(count):
    """Two digits, halves up, by another implementation."""
    text = short_count(count)
    value = Decimal(text[:-1]).scaleb(UNITS[text[-1]])
    assert value == Context(prec=2, rounding=ROUND_HALF_UP).create_decimal(count)
    assert len(text) <= 4 or count >= 995 * 10**9


def test_a_name_has_role_source_and_counts():
    name = SetName("train", "IG").full(940_000_000, 1_512)
    assert name == "train-IG-940M-1.5k"
    assert SetName.of(name) == SetName("train", "IG")


@pytest.mark.parametrize("word", ["", "my-photos", "my photos", "IG ", "été", "a/b", "a\n", "x" * 5 + "–"])
def test_ambiguous_words_are_refused(word):
    with pytest.raises(ConfigError, match=r"the source in the name of a set is .*: expected"):
        SetName("train", word)
    with pytest.raises(ConfigError, match=r"the role in the name of a set is .*: expected"):
        SetName(word, "IG")


@pytest.mark.parametrize("name", ["", "train", "train-IG-940M", "train-a-b-940M-1.5k"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ConfigError, match=r"is no name of a set; expected one such as train-own-36k-1\.5k"):
        SetName.of(name)
