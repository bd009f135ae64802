"""The axes of a study: what varies, by how much, and the suite with an initialisation for every point."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from igdet.utils.hashing import fingerprint
from igdet.utils.messages import did_you_mean, shown

if TYPE_CHECKING:
    from igdet.benchmark.suite import Initialisation, Suite

# How an axis is drawn; of the first two, every value has a number.
SCALES = ("log", "linear", "category")


@dataclass(frozen=True)
class AxisValue:
    """A value of an axis: KEY: VALUE overrides, and where it is drawn."""

    title: str = ""  # "": its name
    x: float = float("nan")  # place on a scale of numbers
    pretraining: dict = field(default_factory=dict)  # overrides of pretrainings alone
    transfer: dict = field(default_factory=dict)  # overrides of transfers alone
    both: dict = field(default_factory=dict)  # of both, such as the network's


@dataclass(frozen=True)
class Axis:
    """Something that a study varies."""

    title: str
    values: dict[str, AxisValue]
    scale: str = "category"
    of: list[str] = field(default_factory=list)  # initialisations that vary along it; []: all that it changes


Effect = tuple[dict, dict]  # overrides of the pretraining and of the transfers


def expand_axes(suite: "Suite") -> "Suite":
    """Return the suite with an initialisation for every point of its axes.

    An initialisation is made once for all values of an axis that change nothing in it: training from scratch, say,
    where the pretraining's posts vary. A pretraining is run once for all points that change it in nothing. What stays
    is the `series`, and `point` says where on the axes it is.

    Args:
        suite: checked, as it was read.
    """
    starts: dict[str, Initialisation] = {}
    opts_for: dict[str, dict[str, dict]] = {target: {} for target in suite.targets}
    for series, node in suite.initializations.items():
        pretrained: dict[str, str] = {}  # overrides of the pretraining -> the first initialisation that has them
        axes = {name: axis for name, axis in suite.axes.items() if _varies(series, node, axis)}
        for values in product(*(axis.values.items() for axis in axes.values())):
            point = {axis: value for axis, (value, _) in zip(axes, values, strict=True)}
            name = ".".join([series, *(f"{axis}-{value}" for axis, value in point.items())])
            pretraining, transfer = _merged([_effect(node, value) for _, value in values])
            title = ", ".join([node.title, *(value.title or of for of, value in values)])
            opts = node.opts | pretraining
            first = pretrained.setdefault(fingerprint(opts), name)
            shares = "" if first == name else first
            starts[name] = replace(
                node, title=title, opts=opts, series=series, series_title=node.title, point=point, shares=shares
            )
            for target, task in suite.targets.items():
                opts_for[target][name] = task.opts_for.get(series, {}) | transfer
    targets = {name: replace(task, opts_for=opts_for[name]) for name, task in suite.targets.items()}
    baselines = [name for series in suite.baselines for name, node in starts.items() if node.series == series]
    return replace(suite, initializations=starts, targets=targets, baselines=baselines)


def axis_of(suite: "Suite") -> str:
    """Return the name of the axis that is drawn from left to right."""
    return suite.x or next(iter(suite.axes))


def axis_problems(suite: "Suite") -> Iterator[str]:
    """What is wrong with the axes of a suite that was read, each with its key and how to fix it."""
    for name, axis in suite.axes.items():
        where = f"AXES.{name}"
        if axis.scale not in SCALES:
            yield f"{where}.SCALE is {shown(axis.scale)}; expected one of {', '.join(SCALES)}"
        for series in axis.of:
            if series not in suite.initializations:
                known = suite.initializations
                yield f"{where}.OF names {shown(series)}; known: {', '.join(known)}{did_you_mean(series, known)}"
        if len(axis.values) < 2:
            yield f"{where}.VALUES has {len(axis.values)} values; an axis varies over two or more"
        if axis.scale in ("log", "linear"):
            yield from _number_problems(where, axis)
        yield from _effect_problems(where, axis, suite.initializations)
    if suite.x and suite.x not in suite.axes:
        yield f"X names {shown(suite.x)}; known: {', '.join(suite.axes)}{did_you_mean(suite.x, suite.axes)}"


def _number_problems(where: str, axis: Axis) -> Iterator[str]:
    places = [value.x for value in axis.values.values()]
    for name, value in axis.values.items():
        if value.x != value.x:
            yield f"{where}.VALUES.{name} has no X, its place on the {axis.scale} scale"
        elif axis.scale == "log" and value.x <= 0:
            yield f"{where}.VALUES.{name}.X is {value.x:g}; a log scale has numbers above 0 alone"
    if len(set(places)) < len(places):
        yield f"{where}.VALUES: two values have the same X"


def _effect_problems(where: str, axis: Axis, starts: "Mapping[str, Initialisation]") -> Iterator[str]:
    if len(axis.values) > 1 and not any(_varies(name, node, axis) for name, node in starts.items()):
        yield f"{where} changes nothing in any initialisation: PRETRAINING, TRANSFER or BOTH must differ"
    effects = [(value.pretraining, value.transfer, value.both) for value in axis.values.values()]
    names = list(axis.values)
    for at, effect in enumerate(effects):
        if effect in effects[:at]:
            yield f"{where}.VALUES: {names[at]} changes what {names[effects.index(effect)]} does; keep one of them"


def _effect(node: "Initialisation", value: AxisValue) -> Effect:
    """Without a pretraining of its own, an initialisation has nothing that overrides of one could change."""
    return (value.both | value.pretraining if node.config else {}), value.both | value.transfer


def _varies(series: str, node: "Initialisation", axis: Axis) -> bool:
    effects = [_effect(node, value) for value in axis.values.values()]
    return (not axis.of or series in axis.of) and any(effect != effects[0] for effect in effects)


def _merged(effects: list[Effect]) -> Effect:
    pretraining: dict = {}
    transfer: dict = {}
    for of_pretraining, of_transfer in effects:
        pretraining |= of_pretraining
        transfer |= of_transfer
    return pretraining, transfer
