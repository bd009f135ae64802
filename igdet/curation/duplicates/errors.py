"""What stops the search for near-duplicates."""

from igdet.utils.errors import UserError


class DuplicatesError(UserError):
    """Pictures, pairs or judgements that near-duplicates cannot be found or removed with."""
