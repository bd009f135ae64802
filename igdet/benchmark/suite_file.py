"""Reading a suite file, strictly, and what would make the suite fail later, found before any work."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from igdet.benchmark.axes import axis_problems, expand_axes
from igdet.benchmark.selection import selection_problems
from igdet.benchmark.suite import PRETRAINING, PROBES, Suite
from igdet.formats.published import FINDINGS, PUBLISHED
from igdet.utils.messages import brief, did_you_mean, shown
from igdet.utils.old_keys import current_key
from igdet.utils.yaml import ConfigError, from_mapping, read_value, read_yaml

# Set by the benchmark itself for every cell.
RESERVED_OPTS = ("OUTPUT_DIR", "SEED", "MODEL.WEIGHTS")
# Names become folder names.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
LEAST = {"SEEDS": 1, "JOBS": 0, "THREADS": 1, "GPUS": 0}


def problems(suite: Suite) -> list[str]:
    """Every problem of a suite, each with its key and how to fix it; empty for a sound one."""
    return [problem for check in CHECKS for problem in check(suite)]


def _counts(suite: Suite) -> Iterator[str]:
    for key, least in LEAST.items():
        value = getattr(suite, key.lower())
        if value < least:
            yield f"{key} must be at least {least}, got {value}"


def _sections(suite: Suite) -> Iterator[str]:
    sections: dict[str, Mapping] = {"INITIALIZATIONS": suite.initializations, "TARGETS": suite.targets}
    for section, names in sections.items():
        if not names:
            yield f"{section} is empty; a suite needs at least one initialisation and one target"
    sections |= {"AXES": suite.axes} | {f"AXES.{name}.VALUES": axis.values for name, axis in suite.axes.items()}
    for section, names in sections.items():
        for name in names:
            if not NAME.fullmatch(str(name)) or name == PRETRAINING:
                yield f"{section}: {shown(name)} cannot name a folder of runs; use letters, digits, _ . -"


def _references(suite: Suite) -> Iterator[str]:
    uses: list[tuple[str, str, Mapping]]
    uses = [("BASELINES", name, suite.initializations) for name in suite.baselines]
    for target, node in suite.targets.items():
        uses += [(f"TARGETS.{target}.OPTS_FOR", name, suite.initializations) for name in node.opts_for]
        uses += [(f"TARGETS.{target}.PUBLISHED", name, PUBLISHED) for name in (node.published,) if name]
        uses += [(f"TARGETS.{target}.PROBE", name, dict.fromkeys(PROBES)) for name in node.probe]
    uses += [("FINDINGS", name, FINDINGS) for name in suite.findings]
    uses += [("RANKS", name, suite.targets) for name in suite.ranks]
    for where, name, known in uses:
        if name not in known:
            yield f"{where} names {shown(name)}; known: {', '.join(known)}{did_you_mean(str(name), known)}"


def _reserved(suite: Suite) -> Iterator[str]:
    groups = {"OPTS": suite.opts}
    groups |= {f"INITIALIZATIONS.{name}.OPTS": node.opts for name, node in suite.initializations.items()}
    for name, node in suite.targets.items():
        groups[f"TARGETS.{name}.OPTS"] = node.opts
        groups[f"TARGETS.{name}.GRID"] = node.grid
        groups |= {f"TARGETS.{name}.OPTS_FOR.{key}": opts for key, opts in node.opts_for.items()}
    for axis, varied in suite.axes.items():
        for value, change in varied.values.items():
            groups[f"AXES.{axis}.VALUES.{value}"] = change.pretraining | change.transfer | change.both
            groups |= {f"AXES.{axis}.VALUES.{value}.TARGETS.{name}": opts for name, opts in change.targets.items()}
    for where, opts in groups.items():
        for key in RESERVED_OPTS:
            if key in opts:
                yield f"{where} sets {key}, which the benchmark sets itself for every cell; remove it"


def _targets(suite: Suite) -> Iterator[str]:
    for name, node in suite.targets.items():
        if not node.metrics:
            yield f"TARGETS.{name}.METRICS is empty; name at least one metric of results.json"
        if node.probe and node.grid:
            yield f"TARGETS.{name} has both PROBE and GRID; a probe chooses its settings itself: remove GRID"


def _ranks(suite: Suite) -> Iterator[str]:
    if suite.ranks and (len(suite.ranks) != 2 or suite.ranks[0] == suite.ranks[1]):
        yield f"RANKS takes two targets, a cheap one and the one that it stands for, got {suite.ranks}"
    if suite.ranks and suite.axes:
        yield "RANKS compares initialisations, which AXES would multiply; remove one of them"


def _files(suite: Suite) -> Iterator[str]:
    files = {"TRAIN_SCRIPT": suite.train_script} if suite.train_script else {}
    for name, node in suite.initializations.items():
        if node.config and node.weights:
            yield f"INITIALIZATIONS.{name} has both CONFIG and WEIGHTS; keep one"
        if node.config:
            files[f"INITIALIZATIONS.{name}.CONFIG"] = node.config
    files |= {f"TARGETS.{name}.CONFIG": node.config for name, node in suite.targets.items()}
    for where, file in files.items():
        if not Path(file).is_file():
            yield f"{where}: there is no file {file}; paths count from the working directory, {Path.cwd()}"


CHECKS = (_counts, _sections, _references, _reserved, _targets, _ranks, _files, selection_problems, axis_problems)


def read_suite(path: str | os.PathLike, overrides: Sequence[str] = ()) -> Suite:
    """Read and check a suite file.

    Args:
        path: the YAML file.
        overrides: KEY VALUE KEY VALUE ...; top-level keys of the file, values in YAML.

    Returns:
        The suite.

    Raises:
        ConfigError: a key is unknown, missing, written twice or of the wrong type, or what it says cannot be run.
    """
    if len(overrides) % 2:
        raise ConfigError(f"overrides come in pairs KEY VALUE, but {shown(overrides[-1])} has no value")
    node = read_yaml(path)
    pairs = zip(overrides[::2], overrides[1::2], strict=True)
    node.update({current_key(key, "command line"): read_value(value, f"override {brief(key)}") for key, value in pairs})
    suite = from_mapping(Suite, node, str(path))
    if found := problems(suite):
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in found))
    return expand_axes(suite)
