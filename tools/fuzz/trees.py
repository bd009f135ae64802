"""JSON and YAML with values that do not belong there, keys written twice and keys left out."""

import copy
import json
from random import Random

import yaml

# As JSON and YAML would write them; what JSON's own writer refuses (Infinity, half a surrogate pair) is among them.
VALUES = (
    *("null", "true", "false", "0", "-1", "1", "0.5", "-0.0", "1e308", "1e-320", "NaN", "Infinity", "-Infinity"),
    *("9007199254740993", "9223372036854775808", "1" + "0" * 400, "1" + "0" * 5000),
    *('""', '"0"', '"-1"', '"nan"', '"None"', '" "', '"\\u0000"', '"\\u001b[31mred"', '"\\ud800"', '"\\u202e"'),
    *('"../../etc/passwd"', '"/etc/passwd"', '"=1+1"', '"a.jpg\\u0000.png"', '"a\\nb"', '"http://[::1"'),
    '"' + "x" * 100_000 + '"',
    *("[]", "{}", "[[]]", "[null]", "[{}]", '{"": 0}', "[0, 0, 0, 0]", "[-5, -5, 1e9, 1e9]", "[NaN, 0, 1, 1]"),
    "[" * 60 + "]" * 60,
    "[" * 5000 + "]" * 5000,
    '{"a":' * 2000 + "0" + "}" * 2000,
    "[" + "0," * 5000 + "0]",
)
# What YAML alone knows.
YAML_VALUES = (
    *(".nan", ".inf", "~", "yes", "1_000", "0o17", "1:30", "2026-13-45", "2026-01-01", "!!binary aGk=", "!!set {a}"),
    *('!!python/object/apply:os.system ["true"]', "!!python/name:os.system", "!!timestamp nonsense", "!!int x"),
    *("*nowhere", "&a [*a]", "{<<: [1, 2]}", "{<<: {a: b}}", "{? [a]: 1}", "{1: a, true: b, null: c}", "@", "%"),
    "&a [x,x,x,x,x,x,x,x,x], b: &b [*a,*a,*a,*a,*a,*a,*a,*a], c: &c [*b,*b,*b,*b,*b,*b,*b,*b], d: [*c,*c,*c,*c]",
)


class _Written(str):
    """A value as it is to be written."""


class _Pairs(list):
    """A mapping as [key, value] pairs, of which two may have one key."""


def mutate_json(data: bytes, dice: Random) -> bytes:
    """Change one to three values or keys of a JSON document."""
    return _mutated(json.loads(data, object_pairs_hook=_pairs), VALUES, dice)


def mutate_json_lines(data: bytes, dice: Random) -> bytes:
    """Change one of the documents of a JSON-lines file."""
    lines = data.splitlines()
    place = dice.randrange(len(lines))
    lines[place] = mutate_json(lines[place], dice)
    return b"\n".join(lines) + b"\n"


def mutate_yaml(data: bytes, dice: Random) -> bytes:
    """Change one to three values or keys of a YAML document, written on as JSON, which YAML contains."""
    plain = json.dumps(yaml.safe_load(data))
    return _mutated(json.loads(plain, object_pairs_hook=_pairs), VALUES + YAML_VALUES, dice)


def _pairs(pairs: list[tuple]) -> _Pairs:
    return _Pairs(map(list, pairs))


def _mutated(tree: list, values: tuple[str, ...], dice: Random) -> bytes:
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            break
        holder, place = dice.choice(places)
        dice.choice(_CHANGES)(holder, place, values, dice)
    return _written(tree).encode(errors="surrogatepass")


def _places(node: object):
    """Yield every list or mapping in a tree with every place in it."""
    if isinstance(node, list):
        for place, entry in enumerate(node):
            yield node, place
            yield from _places(entry[1] if isinstance(node, _Pairs) else entry)


def _replace(holder: list, place: int, values: tuple[str, ...], dice: Random) -> None:
    value = _Written(dice.choice(values))
    holder[place] = [holder[place][0], value] if isinstance(holder, _Pairs) else value


def _rename(holder: list, place: int, values: tuple[str, ...], dice: Random) -> None:
    if isinstance(holder, _Pairs):
        holder[place] = [_Written(dice.choice(values)), holder[place][1]]


def _remove(holder: list, place: int, values: tuple[str, ...], dice: Random) -> None:
    del holder[place]


def _double(holder: list, place: int, values: tuple[str, ...], dice: Random) -> None:
    holder.insert(dice.randrange(len(holder) + 1), copy.deepcopy(holder[place]))


def _swap(holder: list, place: int, values: tuple[str, ...], dice: Random) -> None:
    other = dice.randrange(len(holder))
    holder[place], holder[other] = holder[other], holder[place]


def _nest(holder: list, place: int, values: tuple[str, ...], dice: Random) -> None:
    if isinstance(holder, _Pairs):
        holder[place] = [holder[place][0], [holder[place][1]]]
    else:
        holder[place] = [holder[place]]


_CHANGES = (_replace, _replace, _replace, _replace, _rename, _remove, _remove, _double, _swap, _nest)


def _written(node: object) -> str:
    if isinstance(node, _Written):
        return node
    if isinstance(node, _Pairs):
        return "{" + ", ".join(f"{_written(key)}: {_written(value)}" for key, value in node) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(_written, node)) + "]"
    return json.dumps(node)
