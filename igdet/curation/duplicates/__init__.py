"""Near-duplicates: copies, crops and edits, between evaluation and training pictures or among the latter."""
