"""Settings that cannot be meant are refused, and the salt is read."""

import pytest

from igdet.curation.shards import ShardSettings
from igdet.utils.yaml import ConfigError


@pytest.mark.parametrize(
    "settings", [{"posts_per_shard": 0}, {"max_bad_share": -0.1}, {"max_bad_share": 1.1}, {"reads_at_a_time": 0}]
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError, match=str(*settings.values())):
        ShardSettings(**settings)


def test_the_salt_is_the_content_of_a_file(tmp_path):
    (tmp_path / "salt").write_text("secret\n")
    assert ShardSettings(salt_file=str(tmp_path / "salt")).read_salt() == b"secret"
    assert ShardSettings().read_salt() == b""


@pytest.mark.parametrize("name", ["none", "empty"])
def test_a_salt_that_is_none_is_refused(tmp_path, name):
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(ConfigError, match="expected a file with a secret"):
        ShardSettings(salt_file=str(tmp_path / name)).read_salt()
