"""The order of training samples written out, draw by draw: slow and plain, an oracle and a guide.

Records that can be looked up (`draws`): epochs follow one another, each goes through its list (reference_sampling.py)
in random order, and all draws are numbered. Rank r of W takes the draws r, r + W, r + 2 W, ... A run resumed at draw n
goes on with n; nothing else is remembered.

Shards that can only be streamed (`buffers`, `batches`): every process of every rank is a reader. Readers share the
shards of a pass, open a few at a time, fill a buffer from all of them, repeat its posts and shuffle it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from reference_sampling import BLOCK, epoch_list

from igdet.data.draws.randomness import ROUNDS, Stream, generator, keys, name_number

UNIT = 2**24  # factors are whole numbers of 2^-24
GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # of SplitMix64


def random_bits(key: int, number: int) -> int:
    """Return 64 bits: the output of SplitMix64 whose state is key + number * GOLDEN."""
    bits = (key + number * GOLDEN) % 2**64
    bits = (bits ^ bits >> 30) * FIRST % 2**64
    bits = (bits ^ bits >> 27) * SECOND % 2**64
    return bits ^ bits >> 31


def shuffled(size: int, seed: int, stream: Stream, number: int) -> list[int]:
    """Return 0..size - 1 in random order, place by place: a Feistel network on the row and column of a number."""
    key = [int(k) for k in keys(seed, stream, number, ROUNDS)]
    columns = math.isqrt(size - 1) + 1 if size else 1
    rows = -(-size // columns)

    def once(place: int) -> int:
        row, column = divmod(place, columns)
        for i in range(0, ROUNDS, 2):
            row = (row + (random_bits(key[i], column) >> 16)) % rows
            column = (column + (random_bits(key[i + 1], row) >> 16)) % columns
        return row * columns + column

    def inside(place: int) -> int:
        place = once(place)
        return place if place < size else inside(place)  # the rectangle is a little larger than what is shuffled

    return [inside(place) for place in range(size)]


def epoch(factors: Sequence[int], seed: int, number: int) -> list[int]:
    """Return the records of an epoch in the order in which they are drawn; factors in units of 2^-24."""
    [offset_key], [rotation_key] = keys(seed, Stream.ROUNDING, 0), keys(seed, Stream.ROUNDING, number + 1)
    offset = random_bits(int(offset_key), number) >> 40  # the upper 24 bits
    rotations = [random_bits(int(rotation_key), block) >> 32 for block in range(-(-len(factors) // BLOCK))]
    slots = epoch_list(factors, UNIT, offset, rotations)
    return [slots[place] for place in shuffled(len(slots), seed, Stream.EPOCH_ORDER, number)]


def draws(factors: Sequence[int], seed: int, start: int, rank: int, world_size: int) -> Iterator[tuple[int, int]]:
    """Yield (number of the draw, record) for one rank, without end."""
    numbered = enumerate(record for number in count() for record in epoch(factors, seed, number))
    for draw, record in numbered:
        if draw >= start and (draw - start) % world_size == rank:
            yield draw, record


def buffers(
    shards: Mapping[str, Sequence[tuple[str, int]]],
    seed: int,
    at_a_time: int,
    size: int,
    passes: int,
    reader: tuple[int, int],
) -> Iterator[list[str]]:
    """Yield the posts of a reader's buffers in the order in which they are shown, without end.

    Args:
        shards: name -> (key, factor in units of 2^-24) of its posts, in their order.
        seed: the run's.
        at_a_time: shards that are open together.
        size: posts in a buffer, at least one of each open shard.
        passes: over the shards in an epoch, among which the copies of a post are shared.
        reader: (its number, how many there are).
    """
    number, readers = reader
    filled = count()
    for turn in count():
        order = [list(shards)[place] for place in shuffled(len(shards), seed, Stream.SHARD_ORDER, turn)][
            number::readers
        ]
        for first in range(0, len(order), at_a_time):
            together = [list(shards[name]) for name in order[first : first + at_a_time]]
            share = max(1, size // len(together))
            while any(together):
                posts = [post for shard in together for post in shard[:share]]
                together = [shard[share:] for shard in together]
                shown = [key for key, factor in posts for _ in range(copies(key, factor, seed, turn, passes))]
                generator(seed, Stream.BUFFER_ORDER, next(filled) * readers + number).shuffle(shown)
                yield shown


def copies(key: str, factor: int, seed: int, turn: int, passes: int) -> int:
    """Return how often a pass shows a post: floor(r + u) in an epoch, spread over its passes as evenly as can be."""
    number, step = divmod(turn, passes)
    u = random_bits(int(keys(seed, Stream.ROUNDING, number)[0]), name_number(key)) >> 40
    return (factor * (step + 1) // passes + u) // UNIT - (factor * step // passes + u) // UNIT


def batches(readers: Sequence[Iterator[str]], size: int, rank: int, world_size: int) -> Iterator[list[tuple[int, str]]]:
    """Yield the (number of the draw, post) of one rank's batches: its readers make them in turn.

    Args:
        readers: the posts of each loader process of the rank, without end.
        size: samples of a batch over all ranks.
        rank, world_size: as everywhere.
    """
    for batch in count():
        numbers = range(batch * size + rank, (batch + 1) * size, world_size)
        yield [(draw, next(readers[batch % len(readers)])) for draw in numbers]
