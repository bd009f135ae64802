"""What stops the making of shards."""


class ShardingError(ValueError):
    """Posts that shards cannot be made of, or shards that do not hold what was written to them."""
