"""Tables of posts: how CSV and JSON lines are read, and hashtags found in cells; the same for curation and training."""
