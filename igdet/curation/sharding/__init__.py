"""From labelled posts to clean shards that training reads."""

from igdet.curation.sharding.errors import ShardingError
from igdet.curation.sharding.id_list import IdList
from igdet.curation.sharding.make import make_shards
from igdet.curation.sharding.settings import ShardSettings
from igdet.curation.sharding.tally import Tally

__all__ = ["IdList", "ShardSettings", "ShardingError", "Tally", "make_shards"]
