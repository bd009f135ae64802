"""What stops the search for near-duplicates."""


class DuplicatesError(ValueError):
    """Pictures, pairs or judgements that near-duplicates cannot be found or removed with."""
