"""What the command check_configs does: find what would stop runs at their start."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from detectron2.config import CfgNode

from igdet.data.own_datasets import forget_own_datasets, register_own_datasets
from igdet.engine.setup import check_merged, merged_config
from igdet.utils.errors import UserError


def problems(runs: Iterable[Mapping]) -> dict[str, list[str]]:
    """What would stop each run at its start: message -> names of the runs that it stops."""
    found, groups = defaultdict(list), defaultdict(list)
    for run in runs:
        try:
            cfg = merged_config(run["config_file"], run["opts"])
            groups[cfg.DATASETS.dump()].append((run, cfg))
        except UserError as error:
            found[str(error)].append(run["name"])
    for group in groups.values():
        for name, message in _problems_on_the_same_data(group):
            found[message].append(name)
    return found


def _problems_on_the_same_data(group: Sequence[tuple[Mapping, CfgNode]]) -> Iterator[tuple[str, str]]:
    """(name, message) of the runs that would stop; their data sets, which may take long to read, are read once."""
    forget_own_datasets()
    try:
        register_own_datasets(group[0][1])
    except UserError as error:
        yield from ((run["name"], str(error)) for run, _ in group)
        return
    for run, cfg in group:
        try:
            check_merged(cfg, processes=run["processes"])
        except UserError as error:
            yield run["name"], str(error)
