"""What messages show of untrusted values: its length has a bound, and no terminal obeys it."""

import pytest

from igdet.utils.messages import printable, shown


@pytest.mark.parametrize("value", ["dog", 5, -1.5, None, True, [1, "a"], {"id": 3, "bbox": [0, 1, 2, 3]}, b"ab"])
def test_small_values_are_shown_as_python_writes_them(value):
    assert shown(value) == repr(value)


def test_lists_that_repeat_one_another_are_cut():
    value = ["lol"] * 9
    for _ in range(8):  # 9 ** 9 texts if they were written out
        value = [value] * 9
    assert len(shown(value)) < 2_000


def test_whole_numbers_beyond_what_python_writes_out_are_described():
    assert shown(10**5_000) == "<a whole number of 16,610 bits>"


@pytest.mark.parametrize("value", ["x" * 10**6, b"x" * 10**6, 1.5e300, {"x" * 10**6: "y" * 10**6}, list(range(10**6))])
def test_length_has_a_bound(value):
    assert len(shown(value)) < 1_000


def test_what_a_terminal_would_obey_is_escaped():
    assert printable("\x1b[31mred\x07.jpg \u202egpj\nnext \udcff") == "\\x1b[31mred\\x07.jpg \\u202egpj\nnext \\udcff"
    assert shown("a\x1b\nb") == r"'a\x1b\nb'"


def test_letters_of_any_script_stay():
    family, narrow = "👩\u200d👧", "17\u202f%\t\xa0x"  # joined by a character without a shape; spaces of other widths
    for text in ("İstanbul 猫 café", family, narrow):
        assert printable(text) == text
