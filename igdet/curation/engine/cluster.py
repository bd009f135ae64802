"""Work shared out in a Ray cluster: results in the order of the items, made again where a machine was lost."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar
from uuid import uuid4

from igdet.curation.engine.frames import set_up
from igdet.utils.processes import ProcessKilledError
from igdet.utils.yaml import ConfigError

_RETRIES = 3  # of an item whose worker or machine dies: what kills its worker each time must not be tried for ever
_AHEAD = 4  # items for each CPU that are worked on or wait, so that a slow one leaves no other idle
_LOOK = 64  # items after which machines that have joined meanwhile are noticed

Result = TypeVar("Result")


def join(address: str) -> None:
    """Connect to a cluster.

    Args:
        address: of one that runs; "" for one of this machine's own.

    Raises:
        ConfigError: Ray is not installed.
        ConnectionError: there is no such cluster.
    """
    try:
        import ray
    except ImportError as error:
        raise ConfigError("ENGINE.RUNNER ray needs Ray, the extra 'cluster': pip install 'igdet[cluster]'") from error
    ray.init(address=address or "local", ignore_reinit_error=True)


def map_in_order(work: Callable[..., Result], tasks: Iterable[tuple]) -> Iterator[Result]:
    """Yield `work(*task)` for each task; each takes a CPU, and tasks are asked for when one is about to be free.

    Args:
        work: can be pickled; doing the same task twice, even at one time, must do no harm.
        tasks: arguments, which can be pickled.

    Raises:
        ProcessKilledError: a task has killed its worker again and again.
    """
    import ray

    do = ray.remote(num_cpus=1, max_retries=_RETRIES)(_do)
    name, packed = uuid4().hex, [ray.put(work)]  # in a list: Ray would unpack it for each task
    waiting: deque = deque()
    try:
        for number, task in enumerate(tasks):
            if number % _LOOK == 0:
                most = _AHEAD * _count_cpus()
            waiting.append(do.remote(name, packed, task))
            if len(waiting) >= most:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        for task in waiting:
            ray.cancel(task)


def _count_cpus() -> int:
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _result(task: Any) -> Any:
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        return ray.get(task)
    except RayTaskError as error:
        raise error.cause from error
    except RayError as error:
        raise ProcessKilledError(
            f"the cluster did not do some work: {str(error).splitlines()[0]}; what loses its process or machine is "
            f"begun {_RETRIES + 1} times, and is lost most often because the memory is full: give the machines fewer "
            "CPUs in Ray, and run again"
        ) from error


_received: dict[str, Callable] = {}  # in a worker: its present work by name


def _do(name: str, packed: list, task: tuple) -> Any:
    import ray

    if name not in _received:
        set_up(threads=1)
        _received.clear()
        _received[name] = ray.get(packed[0])
    return _received[name](*task)
