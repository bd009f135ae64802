"""Numbers for strings, in the order in which they come: compiled, or plain Python where nothing was compiled."""

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from igdet.utils.bindings import load_binding

BINDING = load_binding("igdet.curation.labels._hashtags", Path(__file__).parent)[0]


class CompiledStrings:
    """Different strings, each with a number; several threads may look some up, or one may add some."""

    def __init__(self) -> None:
        assert BINDING is not None
        self._strings = BINDING.Strings()

    def __len__(self) -> int:
        return len(self._strings)

    def add(self, strings: pa.StringArray) -> np.ndarray:
        """Return the numbers of strings, which new ones get, from 0 on in their order.

        Args:
            strings: (n,), without nulls.

        Returns:
            int32 (n,).
        """
        return _look_up(self._strings.add, strings)

    def find(self, strings: pa.StringArray) -> np.ndarray:
        """Return the numbers of strings (n,) without nulls: int32 (n,), -1 for unknown ones, which are not added."""
        return _look_up(self._strings.find, strings)

    def take(self, numbers: np.ndarray) -> pa.StringArray:
        """Return the strings (n,) that have the numbers, int32 (n,).

        Raises:
            OverflowError: they take more than 2 GiB.
        """
        return pa.StringArray.from_buffers(len(numbers), *map(pa.py_buffer, self._strings.take(numbers)))


def _look_up(look_up: Callable, strings: pa.StringArray) -> np.ndarray:
    found = np.empty(len(strings), np.int32)
    if len(strings):  # Arrow has no buffers for none
        _, offsets, data = strings.buffers()
        ends = np.frombuffer(offsets, np.int32, strings.offset + len(strings) + 1)
        look_up(ends[strings.offset :], data or b"", found)
    return found


class PlainStrings:
    """The same, several times as slow."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._strings: list[str] = []

    def __len__(self) -> int:
        return len(self._strings)

    def add(self, strings: pa.StringArray) -> np.ndarray:
        """See `CompiledStrings`."""
        encoded = strings.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        return self.add_keys(distinct, distinct)[encoded.indices.to_numpy()]

    def add_keys(self, keys: Sequence[Hashable], strings: Sequence[str]) -> np.ndarray:
        """Return the numbers of keys, int32 (n,); those of new ones are numbers of the strings (n,) as well."""
        for key, string in zip(keys, strings, strict=True):
            if key not in self._numbers:
                self._numbers[key] = len(self._strings)
                self._strings.append(string)
        return self._numbers_of(keys)

    def find(self, strings: pa.StringArray) -> np.ndarray:
        """See `CompiledStrings`."""
        return self._numbers_of(strings.to_pylist())

    def _numbers_of(self, keys: Sequence[Hashable]) -> np.ndarray:
        return np.fromiter((self._numbers.get(key, -1) for key in keys), np.int32, len(keys))

    def take(self, numbers: np.ndarray) -> pa.StringArray:
        """See `CompiledStrings`."""
        return pa.array([self._strings[number] for number in numbers.tolist()], pa.string())


Strings = CompiledStrings | PlainStrings


def make_strings() -> Strings:
    """Return an empty collection of the faster kind that there is."""
    return CompiledStrings() if BINDING is not None else PlainStrings()
