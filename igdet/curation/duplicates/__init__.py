"""Near-duplicates: copies, crops and edits, between evaluation and training images or among the latter."""
