"""Tests of numbered random streams."""

import numpy as np

from igdet.data.draws.randomness import Stream, generator, hashed, keys


def test_a_generator_depends_on_each_of_its_numbers():
    numbers = {
        (seed, stream, number): generator(seed, stream, number).integers(2**62)
        for seed in (0, 1)
        for stream in Stream
        for number in (0, 1)
    }
    assert len(set(numbers.values())) == 4 * len(Stream)
    assert generator(1, Stream.DRAW, 0).integers(2**62) == numbers[1, Stream.DRAW, 0]


def test_keys_depend_on_each_of_their_numbers():
    found = [keys(seed, stream, number, 3) for seed in (0, 1) for stream in Stream for number in (0, 1)]
    assert len(np.unique(found)) == 3 * 4 * len(Stream)


def test_hashes_are_splitmix64():
    # The first outputs of the generator for the seed 1234567, as published with its reference implementation.
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert hashed(np.uint64(1234567), np.arange(1, 6)).tolist() == expected


def test_hashes_fill_all_bits():
    bits = np.unpackbits(hashed(np.uint64(0), np.arange(10_000)).view(np.uint8).reshape(-1, 8), axis=1)
    assert abs(bits.mean(axis=0) - 0.5).max() < 0.025  # standard error 0.005, 64 bits
