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
# What is said of an axis: how a metric grows along it, how each value compares with the first, or which value is best;
# what an axis is asked unless it says so itself follows from its scale.
QUESTIONS = {"growth": ("log",), "values": SCALES, "best": ("log", "linear")}
# The axis of a study without AXES: its initialisations.
STARTS = "initialisation"


@dataclass(frozen=True)
class AxisValue:
    """A value of an axis: KEY: VALUE overrides, and where it is drawn."""

    title: str = ""  # "": its name
    x: float = float("nan")  # place on a scale of numbers
    pretraining: dict = field(default_factory=dict)  # overrides of pretrainings alone
    transfer: dict = field(default_factory=dict)  # overrides of transfers alone
    both: dict = field(default_factory=dict)  # of both, such as the network's
    targets: dict[str, dict] = field(default_factory=dict)  # target -> overrides of its transfers, over the others


@dataclass(frozen=True)
class Axis:
    """Something that a study varies."""

    title: str
    values: dict[str, AxisValue]
    scale: str = "category"
    of: list[str] = field(default_factory=list)  # initialisations that vary along it; []: all that it changes
    asks: str = ""  # a key of QUESTIONS; "": growth on a log scale, else values

    @property
    def asked(self) -> str:
        """The key of `QUESTIONS` that is answered."""
        return self.asks or ("growth" if self.scale == "log" else "values")


Effect = tuple[dict, dict[str, dict]]  # overrides of the pretraining, and of the transfers to each target


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
        axes = {name: axis for name, axis in suite.axes.items() if _varies(suite, series, axis)}
        for values in product(*(axis.values.items() for axis in axes.values())):
            point = {axis: value for axis, (value, _) in zip(axes, values, strict=True)}
            name = ".".join([series, *(f"{axis}-{value}" for axis, value in point.items())])
            pretraining, transfers = _merged([_effect(suite, node, value) for _, value in values])
            title = ", ".join([node.title, *(value.title or of for of, value in values)])
            opts = node.opts | pretraining
            first = pretrained.setdefault(fingerprint(opts), name)
            shares = "" if first == name or not node.config else first
            starts[name] = replace(
                node, title=title, opts=opts, series=series, series_title=node.title, point=point, shares=shares
            )
            for target, task in suite.targets.items():
                opts_for[target][name] = task.opts_for.get(series, {}) | transfers.get(target, {})
    targets = {name: replace(task, opts_for=opts_for[name]) for name, task in suite.targets.items()}
    baselines = [name for series in suite.baselines for name, node in starts.items() if node.series == series]
    return replace(suite, initializations=starts, targets=targets, baselines=baselines)


def with_starts_as_axis(suite: "Suite") -> "Suite":
    """Return a suite without axes with one whose values are its initialisations, so that it is drawn as a study."""
    axis = Axis("Initialisation", {name: AxisValue(node.title) for name, node in suite.initializations.items()})
    starts = {
        name: replace(node, series="", series_title="", point={STARTS: name})
        for name, node in suite.initializations.items()
    }
    return replace(suite, axes={STARTS: axis}, initializations=starts)


def axis_of(suite: "Suite") -> str:
    """Return the name of the axis that is drawn from left to right."""
    return suite.x or next(iter(suite.axes))


def place_of(suite: "Suite", node: "Initialisation") -> dict[str, str]:
    """Return what an initialisation is but for its place on the drawn axis: its series, its value of each other axis.

    One that OF leaves out of an axis stands at the first value; one in which an axis changes nothing stands nowhere.
    """
    place = {"series": node.series}
    for name, axis in suite.axes.items():
        if name != axis_of(suite) and (name in node.point or (axis.of and node.series not in axis.of)):
            place[name] = node.point.get(name, next(iter(axis.values)))
    return place


def are_comparable(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    """Whether two places, as `place_of` gives them, differ in one thing at most, so that a difference says of what."""
    return sum(first[name] != second[name] for name in first.keys() & second.keys()) <= 1


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
        yield from _question_problems(where, axis)
        yield from _target_problems(where, axis, suite)
        yield from _effect_problems(where, axis, suite)
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


def _question_problems(where: str, axis: Axis) -> Iterator[str]:
    if axis.asks and axis.asks not in QUESTIONS:
        yield f"{where}.ASKS is {shown(axis.asks)}; expected one of {', '.join(QUESTIONS)}"
    elif axis.scale in SCALES and axis.scale not in QUESTIONS[axis.asked]:
        scales = " or ".join(QUESTIONS[axis.asked])
        yield f"{where}.ASKS is {axis.asks}, which has an answer on a {scales} scale; SCALE is {axis.scale}"


def _target_problems(where: str, axis: Axis, suite: "Suite") -> Iterator[str]:
    for name, value in axis.values.items():
        for target in value.targets:
            if target not in suite.targets:
                known = suite.targets
                hint = did_you_mean(str(target), known)
                yield f"{where}.VALUES.{name}.TARGETS names {shown(target)}; known: {', '.join(known)}{hint}"


def _effect_problems(where: str, axis: Axis, suite: "Suite") -> Iterator[str]:
    if len(axis.values) > 1 and not any(_varies(suite, series, axis) for series in suite.initializations):
        yield f"{where} changes nothing in any initialisation: PRETRAINING, TRANSFER, BOTH or TARGETS must differ"
    effects = [(value.pretraining, value.transfer, value.both, value.targets) for value in axis.values.values()]
    names = list(axis.values)
    for at, effect in enumerate(effects):
        if effect in effects[:at]:
            yield f"{where}.VALUES: {names[at]} changes what {names[effects.index(effect)]} does; keep one of them"


def _effect(suite: "Suite", node: "Initialisation", value: AxisValue) -> Effect:
    """Without a pretraining of its own, an initialisation has nothing that overrides of one could change."""
    pretraining = value.both | value.pretraining if node.config else {}
    return pretraining, {of: value.both | value.transfer | value.targets.get(of, {}) for of in suite.targets}


def _varies(suite: "Suite", series: str, axis: Axis) -> bool:
    effects = [_effect(suite, suite.initializations[series], value) for value in axis.values.values()]
    return (not axis.of or series in axis.of) and any(effect != effects[0] for effect in effects)


def _merged(effects: list[Effect]) -> Effect:
    pretraining: dict = {}
    transfers: dict[str, dict] = {}
    for of_pretraining, of_transfers in effects:
        pretraining |= of_pretraining
        transfers = {target: transfers.get(target, {}) | opts for target, opts in of_transfers.items()}
    return pretraining, transfers
