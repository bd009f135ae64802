"""Nested mappings by keys with dots."""

from igdet.utils.mappings import flat


def test_keys_have_dots_and_empty_mappings_none():
    assert dict(flat({"A": {"B": 1, "C": {"D": [2]}}, "E": {}, "F": None})) == {"A.B": 1, "A.C.D": [2], "F": None}
    assert dict(flat({})) == {}
