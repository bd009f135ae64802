"""From raw hashtags to a vocabulary, a label space that fits the target, and clean shards."""
