"""YAML mappings as dataclasses: nested values, defaults, and mistakes named with their place."""

from dataclasses import dataclass, field

import pytest

from igdet.utils.yaml import ConfigError, from_mapping


@dataclass
class Wheel:
    size: float


@dataclass
class Car:
    name: str
    wheels: dict[str, Wheel] = field(default_factory=dict)
    years: list[int] = field(default_factory=list)


def test_keys_become_fields():
    car = from_mapping(Car, {"NAME": "a", "WHEELS": {"left": {"SIZE": 3}}, "YEARS": [1, 2]}, "car.yaml")
    assert car == Car("a", {"left": Wheel(3.0)}, [1, 2])


def test_absent_keys_take_their_defaults():
    assert from_mapping(Car, {"NAME": "a"}, "car.yaml") == Car("a")


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({}, "car.yaml: the key NAME is missing"),
        ({"NAME": 3}, "car.yaml: NAME must be a text, got 3"),
        ({"NAME": "a", "YEAR": 1}, r"unknown key 'YEAR'; known keys: NAME, WHEELS, YEARS; did you mean 'YEARS'\?"),
        ({"NAME": "a", "YEARS": [1, "x"]}, r"YEARS\[1\] must be a whole number, got 'x'"),
        ({"NAME": "a", "YEARS": [True]}, r"YEARS\[0\] must be a whole number, got True"),
        ({"NAME": "a", "WHEELS": {"left": {"SIZE": "x"}}}, r"WHEELS\.left: SIZE must be a number"),
        ({"NAME": "a", "YEARS": [2**63]}, r"YEARS\[0\] is 9223372036854775808: expected .* at most 64 bits"),
        ({"NAME": "a", "WHEELS": {"left": {"SIZE": float("nan")}}}, "SIZE is nan: expected a number"),
        ({"NAME": "a", "WHEELS": {"left": {"SIZE": float("inf")}}}, "SIZE is inf: expected a finite number"),
        ([1], r"expected a mapping of keys, got \[1\]"),
    ],
)
def test_mistakes_are_named(node, message):
    with pytest.raises(ConfigError, match=message):
        from_mapping(Car, node, "car.yaml")
