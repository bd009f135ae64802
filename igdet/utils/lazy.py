"""Names of a package that are imported when they are first asked for (PEP 562), so that the package costs nothing."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(package: str, modules: Mapping[str, Sequence[str]]) -> tuple[list[str], Callable[[str], Any]]:
    """Return what a package sets its `__all__` and its `__getattr__` to.

    Args:
        package: its `__name__`.
        modules: module of the package -> the names that are imported from it; none may be a module's own.
    """
    module_of = {name: f"{package}.{module}" for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module_of[name]), name)

    return sorted(module_of), get
