"""Settings that stages refuse before any work is done."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation import pipeline
from igdet.curation.settings import read_curation
from igdet.utils.errors import UserError

from ..raw_posts import write_raw_posts


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("VOCABULARY.TARGETS", "none.txt", r"none\.txt: cannot read the target classes"),
        ("VOCABULARY.BLOCK_LISTS", "[none.txt]", r"none\.txt: cannot be read: No such file"),
        ("DUPLICATES.EVALUATION", "none", "none: expected shards, a .csv or .parquet table, or a folder of images"),
        ("DUPLICATES.JUDGED", "[none.json]", r"none\.json: cannot be read: No such file"),
        ("SHARDS.IMAGES", "none", r"SHARDS\.IMAGES: none: there is no such folder"),
        ("SHARDS.EXCLUDE", "{opted out: none.txt}", r"none\.txt: cannot be read: No such file"),
        ("SHARDS.SALT_FILE", "none.txt", r"none\.txt: cannot be read: No such file"),
        ("SOURCE.PATHS", "[none.csv]", r"none\.csv: there is no such file"),
        ("SOURCE.TAGS", "tags", "SOURCE: name one column"),
    ],
)
def test_it_is_named_and_nothing_is_made(tmp_path, key, value, message):
    config = write_raw_posts(tmp_path)
    with pytest.raises(UserError, match=message):
        pipeline.run(read_curation(config, [key, value]))
    assert not list((tmp_path / "out").glob("[!.]*"))


def test_a_vocabulary_of_nothing(tmp_path):
    with pytest.raises(UserError, match=r"VOCABULARY: nothing is left of 6 labels .*loosen what drops the most"):
        pipeline.run(read_curation(write_raw_posts(tmp_path), ["VOCABULARY.MIN_POSTS", "100"]))


def test_an_epoch_too_short_for_every_post(tmp_path):
    with pytest.raises(UserError, match="EPOCH_IMAGES: 3 images cannot show each of 8 posts once"):
        pipeline.run(read_curation(write_raw_posts(tmp_path), ["SAMPLING.EPOCH_IMAGES", "3"]))
