"""Registration of igdet's networks and weights with Detectron2, as soon as that is imported, before or after igdet."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

_PLUGGED_INTO = "detectron2"
_REGISTER = ("igdet.modeling", "igdet.checkpoint.path_handler")  # modules that register what they hold


def register_with_detectron2() -> None:
    """Register at once where Detectron2 is imported, else right after it: to import it takes seconds."""
    if sys.modules.get(_PLUGGED_INTO):
        _register()
    else:
        sys.meta_path.insert(0, _Watcher())


def _register() -> None:
    for name in _REGISTER:
        import_module(name)


class _Watcher(MetaPathFinder):
    """Sees that Detectron2 is being imported, and lets the registration follow."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find Detectron2 as others would; leave all else to them."""
        if fullname != _PLUGGED_INTO:
            return None
        sys.meta_path.remove(self)  # or it would be asked again
        try:
            spec = find_spec(fullname)
        finally:
            sys.meta_path.insert(0, self)
        if spec and spec.loader:
            spec.loader = _Registering(spec.loader, self)
        return spec


class _Registering(Loader):
    """Loads as another loader does, then registers; the watch ends when that has worked."""

    def __init__(self, loader: Loader, watcher: _Watcher):
        self._loader = loader
        self._watcher = watcher

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the other."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Let the other run the module and stand in its place again; register."""
        module.__loader__ = self._loader
        if module.__spec__:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        sys.meta_path.remove(self._watcher)
        _register()
