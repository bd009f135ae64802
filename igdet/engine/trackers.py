"""A training's scalars in Weights & Biases and MLflow, beside TensorBoard, where TRACKERS names them."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from detectron2.config import CfgNode
from detectron2.utils.events import EventWriter, get_event_storage

from igdet.config import ConfigError
from igdet.utils.files import atomic_write, read_json
from igdet.utils.mappings import flat

logger = logging.getLogger(__name__)

IDS = "trackers.json"  # in a run's folder: tracker -> its own name of the run, by which a resumed run goes on there
PROJECT = "igdet"  # where the tracker's own variables name no other
_WINDOW = 20  # values that are smoothed by their median, as in Detectron2's other writers
_PARAMETERS_A_CALL, _LONGEST_PARAMETER = 100, 500  # limits of MLflow's servers, the second of older ones
_NOT_IN_NAMES = re.compile(r"[^\w\-. /]")  # of MLflow's metrics


class Tracked(NamedTuple):
    """A run as a tracker has it.

    Attributes:
        id: the tracker's own name of it.
        log: takes scalars by name, and their iteration.
        close: called once at the end.
    """

    id: str
    log: Callable[[Mapping[str, float], int], None]
    close: Callable[[], None]


def check_trackers(cfg: CfgNode) -> None:
    """Refuse trackers that are not installed.

    Raises:
        ConfigError: naming the package and how to get it.
    """
    for name in cfg.TRACKERS:
        if find_spec(name) is None:
            raise ConfigError(f'TRACKERS names {name}, which is not installed: pip install "igdet[{name}]"')


class TrackerWriter(EventWriter):
    """Sends each scalar to a tracker once; a tracker that fails is left alone, for a training is worth more."""

    def __init__(self, name: str, cfg: CfgNode, start_iter: int):
        """Open the run there.

        Args:
            name: of `TRACKERS`.
            cfg: the config, which the tracker keeps.
            start_iter: the iteration at which the training goes on; 0 begins another run there.
        """
        self._name, self._cfg, self._last = name, cfg, start_iter - 1
        self._run: Tracked | None = self._guarded(self._open, start_iter > 0)

    def _open(self, is_resumed: bool) -> Tracked:
        path = Path(self._cfg.OUTPUT_DIR, IDS)
        ids = read_json(path, "the names of a run in its trackers") if path.is_file() else {}
        run = TRACKERS[self._name](self._cfg, ids.get(self._name) if is_resumed else None)
        with atomic_write(path, "w") as file:
            json.dump({**ids, self._name: run.id}, file)
        return run

    def write(self) -> None:
        """Send what is new since the last call."""
        found: dict[int, dict[str, float]] = defaultdict(dict)
        for name, (value, iteration) in get_event_storage().latest_with_smoothing_hint(_WINDOW).items():
            if iteration > self._last:
                found[iteration][name] = float(value)
        for iteration in sorted(found):
            self._last = iteration
            if self._run:
                self._guarded(self._run.log, found[iteration], iteration)

    def close(self) -> None:
        """End the run there."""
        if self._run:
            self._guarded(self._run.close)

    def _guarded(self, call: Callable[..., Any], *args: Any) -> Any:
        try:
            return call(*args)
        except Exception as error:  # whatever a client raises: no network, no login, a full disk
            logger.warning(f"{self._name} gets no more scalars of this run: {type(error).__name__}: {error}")
            self._run = None
            return None


def _open_wandb(cfg: CfgNode, known: str | None) -> Tracked:
    """WANDB_PROJECT, WANDB_ENTITY, WANDB_MODE and its other variables count as always."""
    import wandb

    folder, project = Path(cfg.OUTPUT_DIR), os.environ.get("WANDB_PROJECT", PROJECT)
    told = {"project": project, "name": folder.name, "dir": str(folder), "config": dict(flat(cfg))}
    run = wandb.init(**told, id=known, resume="allow")
    return Tracked(run.id, lambda scalars, iteration: run.log(dict(scalars), step=iteration), run.finish)


def _open_mlflow(cfg: CfgNode, known: str | None) -> Tracked:
    """MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME and its other variables count as always."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    client = MlflowClient()
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
    experiment = client.get_experiment_by_name(name)
    place = experiment.experiment_id if experiment else client.create_experiment(name)
    run = known or client.create_run(place, run_name=Path(cfg.OUTPUT_DIR).name).info.run_id
    if not known:
        parameters = [Param(key, str(value)[:_LONGEST_PARAMETER]) for key, value in flat(cfg)]
        for start in range(0, len(parameters), _PARAMETERS_A_CALL):
            client.log_batch(run, params=parameters[start : start + _PARAMETERS_A_CALL])

    def log(scalars: Mapping[str, float], iteration: int) -> None:
        now = round(1000 * time.time())  # milliseconds
        client.log_batch(run, [Metric(_NOT_IN_NAMES.sub("_", name), v, now, iteration) for name, v in scalars.items()])

    return Tracked(run, log, lambda: client.set_terminated(run))


# Value of TRACKERS, which is also the package -> opens a run there.
TRACKERS: dict[str, Callable[[CfgNode, str | None], Tracked]] = {"wandb": _open_wandb, "mlflow": _open_mlflow}
