"""From labelled posts to clean shards that training reads."""

from igdet.curation.shards.id_list import IdList
from igdet.curation.shards.labelled_posts import ShardingError
from igdet.curation.shards.make import make_shards
from igdet.curation.shards.preparing import ShardingSettings, ShardSettings
from igdet.curation.shards.shard_maker import Tally

__all__ = ["IdList", "ShardSettings", "ShardingError", "ShardingSettings", "Tally", "make_shards"]
