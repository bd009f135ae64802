"""Numbers for strings: compiled and plain, against a dictionary, and what the compiled module refuses."""

import random

import numpy as np
import pyarrow as pa
import pytest

from igdet.curation.labels.strings import BINDING, CompiledStrings, PlainStrings

needs_binding = pytest.mark.skipif(BINDING is None, reason="igdet.curation.labels._hashtags was not built")
KINDS = [pytest.param(CompiledStrings, marks=needs_binding), PlainStrings]


def some_strings(generator: random.Random, count: int) -> list[str]:
    """Return strings of all lengths, few of them different."""
    letters = ["a", "b", "é", "🐻", "\0", ""]
    return ["".join(generator.choices(letters, k=int(generator.expovariate(0.2)))) for _ in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_first_coming(kind):
    strings = kind()
    assert strings.add(pa.array(["b", "a", "b", "", "a"])).tolist() == [0, 1, 0, 2, 1]
    assert strings.add(pa.array(["c", "a"])).tolist() == [3, 1]
    assert len(strings) == 4
    assert strings.find(pa.array(["", "x", "c"])).tolist() == [2, -1, 3] and len(strings) == 4
    assert strings.take(np.array([3, 0, 3], np.int32)).to_pylist() == ["c", "b", "c"]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing(kind):
    strings, nothing = kind(), pa.array([], pa.string())
    assert strings.add(nothing).dtype == np.int32 and len(strings.find(nothing)) == 0
    assert len(strings) == 0 and strings.find(pa.array(["", "a"])).tolist() == [-1, -1]
    assert strings.take(np.empty(0, np.int32)).equals(nothing)


@pytest.mark.parametrize("kind", KINDS)
def test_a_dictionary_comes_to_the_same(kind):
    generator, strings, expected = random.Random(0), kind(), {}
    for _ in range(30):
        batch = some_strings(generator, generator.randrange(400))
        numbers = [expected.setdefault(string, len(expected)) for string in batch]
        start = generator.randrange(len(batch) + 1)
        array = pa.array(["hidden"] * start + batch, pa.string())[start:]  # offsets that do not begin with 0
        assert strings.add(array).tolist() == numbers
    assert len(expected) > 1000
    assert strings.take(np.arange(len(expected), dtype=np.int32)).to_pylist() == list(expected)
    assert strings.find(pa.array(expected)).tolist() == list(range(len(expected)))


@pytest.mark.parametrize("kind", KINDS)
def test_long_strings_that_differ_in_one_letter(kind):
    words = [("a" * 300)[:place] + "b" + ("a" * 300)[place:] for place in range(301)]
    assert kind().add(pa.array(words)).tolist() == list(range(301))


def as_int32(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


@needs_binding
@pytest.mark.parametrize(
    ("offsets", "found", "message"),
    [
        (as_int32(0, 4), as_int32(0), "offsets do not ascend within"),
        (as_int32(2, 1), as_int32(0), "offsets do not ascend within"),
        (as_int32(-1, 1), as_int32(0), "offsets do not ascend within"),
        (as_int32(0, 1, 2), as_int32(0), "another type or length"),
        (as_int32(0), as_int32(0), "another type or length"),
        (as_int32(), as_int32(), "another type or length"),
        (np.zeros(9, np.int8)[1:], as_int32(0), "another type or length"),
        (np.zeros(2, np.int64), as_int32(0), "another type or length"),
    ],
)
def test_arrays_that_do_not_fit(offsets, found, message):
    strings = BINDING.Strings()
    with pytest.raises(ValueError, match=message):
        strings.add(offsets, b"abc", found)
    assert len(strings) == 0


@needs_binding
@pytest.mark.parametrize("number", [-1, 1, 2**31 - 1])
def test_a_number_of_no_string(number):
    strings = CompiledStrings()
    strings.add(pa.array(["a"]))
    with pytest.raises(ValueError, match="a number of no string"):
        strings.take(as_int32(0, number))


@needs_binding
def test_more_bytes_than_an_array_has_room_for():
    strings = CompiledStrings()
    strings.add(pa.array(["x" * 2**20]))
    with pytest.raises(OverflowError, match="2\\*\\*31"):
        strings.take(np.zeros(2**11, np.int32))
