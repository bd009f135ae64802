"""Tests of numbered random streams."""

from igdet.data.randomness import Stream, generator


def test_a_generator_depends_on_each_of_its_numbers():
    numbers = {
        (seed, stream, number): generator(seed, stream, number).integers(2**62)
        for seed in (0, 1)
        for stream in Stream
        for number in (0, 1)
    }
    assert len(set(numbers.values())) == 8
    assert generator(1, Stream.DRAW, 0).integers(2**62) == numbers[1, Stream.DRAW, 0]
