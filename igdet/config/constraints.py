"""What a config's value must be: a test, and the words that say in an error what it expects."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from detectron2.layers import get_norm
from fvcore.common.registry import Registry


@dataclass(frozen=True)
class Constraint:
    """A test of a value that can say what it expects.

    Args:
        expected: ends the sentence "KEY is VALUE: expected ...".
        holds: the test; it may raise a TypeError for what it cannot compare.
    """

    expected: str
    holds: Callable[[Any], bool]

    def accepts(self, value: object) -> bool:
        """Return whether a value passes; neither an infinite number does, nor texts in the place of numbers."""
        try:
            return value not in (math.inf, -math.inf) and self.holds(value)
        except TypeError:
            return False


def at_least(least: float, unit: str = "", note: str = "") -> Constraint:
    """A number that is not below a bound; `unit` in the singular, `note` says what the number means."""
    return Constraint(_noted(" ".join(filter(None, (str(least), unit, "or more"))), note), lambda value: value >= least)


def above(bound: float, note: str = "") -> Constraint:
    """A number above a bound; `note` says what to use in place of the bound."""
    return Constraint(_noted(f"more than {bound}", note), lambda value: value > bound)


def zero_or_at_least(least: float) -> Constraint:
    """A size, or 0 to do without."""
    return Constraint(f"0 for none, or {least} or more", lambda value: value == 0 or value >= least)


def none_or_at_least(least: float) -> Constraint:
    """A number that is not below a bound and no switch, or None."""
    return Constraint(
        f"a number of {least} or more, or None",
        lambda value: value is None or (not isinstance(value, bool) and value >= least),
    )


def fraction_below_1() -> Constraint:
    """A number in [0, 1)."""
    return Constraint("0 or more, below 1", lambda value: 0 <= value < 1)


def share() -> Constraint:
    """A part of a whole, none and all included."""
    return Constraint("a share in 0..1", lambda value: 0 <= value <= 1)


def proper_share() -> Constraint:
    """A part of a whole, neither none nor all."""
    return Constraint("a share between 0 and 1", lambda value: 0 < value < 1)


def pair_of_shares() -> Constraint:
    """Two numbers from 0 to below 1."""
    return Constraint(
        "two shares, 0 or more, below 1", lambda values: len(values) == 2 and all(0 <= share < 1 for share in values)
    )


def one_of(*choices: str) -> Constraint:
    """One of two or more words."""
    return Constraint(f"{', '.join(choices[:-1])} or {choices[-1]}", lambda value: value in choices)


def some_of(*choices: str) -> Constraint:
    """Any number of words out of these."""
    return Constraint(f"some of {', '.join(choices)}", lambda value: set(value) <= set(choices))


def registered(registry: Registry, what: str) -> Constraint:
    """A name that a registry of Detectron2's knows."""
    return Constraint(f"a registered {what}", lambda value: value in registry)


def norm() -> Constraint:
    """The name of a normalization."""
    return Constraint("a norm of Detectron2's, such as FrozenBN, SyncBN or GN", _is_norm)


def not_empty(what: str) -> Constraint:
    """A sequence of one or more."""
    return Constraint(f"at least one {what}", lambda value: len(value) > 0)


def counts() -> Constraint:
    """A sequence, perhaps empty, of whole numbers from 1 on."""
    return Constraint("whole numbers of 1 or more", _are_counts)


def some_counts(what: str = "whole numbers of 1 or more") -> Constraint:
    """A sequence of one or more whole numbers from 1 on."""
    return Constraint(f"one or more {what}", lambda value: len(value) > 0 and _are_counts(value))


def some_above_0() -> Constraint:
    """A sequence of one or more finite numbers above 0."""
    return Constraint(
        "one or more finite numbers above 0",
        lambda value: len(value) > 0 and all(isinstance(part, int | float) and 0 < part < math.inf for part in value),
    )


def range_of_factors() -> Constraint:
    """A pair of factors above 0, in order."""
    return Constraint(
        "two factors, 0 < smallest <= largest", lambda value: len(value) == 2 and 0 < value[0] <= value[1]
    )


def _noted(expected: str, note: str) -> str:
    return f"{expected}; {note}" if note else expected


def _are_counts(values: Sequence) -> bool:
    return all(isinstance(value, int) and value >= 1 for value in values)


def _is_norm(name: str) -> bool:
    try:
        get_norm(name, 32)  # Detectron2 has no list of them
    except KeyError:
        return False
    return True
