"""Which training pictures near-duplicates cost."""

import pyarrow as pa


def excluded_against(pairs: pa.Table) -> list[str]:
    """Give the training pictures that resemble an evaluation picture: all of them go.

    Args:
        pairs: with the columns query, of evaluation pictures, and match, of training pictures.

    Returns:
        ids, sorted.
    """
    return sorted(set(pairs["match"].to_pylist()))


def excluded_within(pairs: pa.Table) -> list[str]:
    """Give the training pictures that are superfluous: all but one of each group.

    Pictures that are linked by pairs, directly or through others, form a group. The one whose id sorts first stays,
    so that the choice depends on nothing else.

    Args:
        pairs: with the columns query and match, both of training pictures.

    Returns:
        ids, sorted.
    """
    first: dict[str, str] = {}
    for query, match in zip(pairs["query"].to_pylist(), pairs["match"].to_pylist(), strict=True):
        lower, higher = sorted((_first_of_group(first, query), _first_of_group(first, match)))
        first[higher] = lower
    return sorted(name for name in first if _first_of_group(first, name) != name)


def _first_of_group(first: dict[str, str], name: str) -> str:
    """Follow the links to the group's first picture, and shorten them on the way (union-find with path halving)."""
    first.setdefault(name, name)
    while first[name] != name:
        first[name] = first[first[name]]
        name = first[name]
    return name
