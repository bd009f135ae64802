"""When bad records are no longer accidents."""

ALWAYS_TOLERATED = 10  # bad records: below this a share of the few records seen so far says nothing
USUAL_SHARE = 0.01  # of the records of a data set that may be bad


def too_many(bad: int, seen: int, max_share: float) -> bool:
    """Whether `bad` of `seen` records is more than a share of `max_share` (0..1) and more than a handful."""
    return bad > max(ALWAYS_TOLERATED, max_share * seen)
