"""What stops the making of shards."""

from igdet.utils.errors import UserError


class ShardingError(UserError):
    """Posts that shards cannot be made of, or shards that do not hold what was written to them."""
