"""Python in a process of its own: a fresh interpreter, or the fork of a server that has imported igdet already."""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerContext
from pathlib import Path

TIMEOUT = 600  # seconds, after which a process is killed
ON_CPU = {"CUDA_VISIBLE_DEVICES": ""}  # environment: several processes need a GPU each where there is one
# Code that lets a process see no Detectron2: igdet then imports no torch either, which would take seconds.
WITHOUT_DETECTRON2 = "import sys; sys.modules['detectron2'] = None\n"

_CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
# With what they import in turn, this is what commands, and ranks of a training, need: torch, Detectron2, Daft, igdet.
_IMPORTED = ["igdet.engine.heartbeat", "igdet.engine.run", "igdet.engine.launching", "igdet.cli.curate"]
_RUNNERS: dict[str, Callable[[str], object]] = {
    "-c": lambda code: exec(compile(code, "<string>", "exec"), {"__name__": "__main__"}),
    "-m": lambda module: runpy.run_module(module, run_name="__main__", alter_sys=True),
}


def import_beforehand() -> None:
    """Let every process that is started by "forkserver" find imported what takes seconds to import."""
    _CONTEXT.set_forkserver_preload(_IMPORTED)


def fresh_python(
    *command: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Run `python COMMAND` as a user does; arguments as for `forked_python`."""
    words = [sys.executable, *map(str, command)]
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=TIMEOUT)


def forked_python(
    *command: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Run `python COMMAND` without the seconds that importing igdet takes; functions of `atexit` are not called.

    Args:
        command: a script, "-c" and code, or "-m" and a module; then arguments.
        cwd: working directory; this process's without it.
        env: all environment variables; this process's without it.
    """
    words = list(map(str, command))
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("stdout", "stderr")]
        for file in files:
            file.touch()
        place = (str(cwd or Path.cwd()), dict(os.environ if env is None else env))
        process = _CONTEXT.Process(target=_run, args=(words, *place, files))
        process.start()
        process.join(TIMEOUT)
        process.kill()
        process.join()
        return subprocess.CompletedProcess(words, process.exitcode, *(file.read_text() for file in files))


def _run(words: list[str], folder: str, environment: dict[str, str], files: list[Path]) -> None:
    """Take the place of the interpreter: streams, folder, environment and command line."""
    for stream, file in zip((sys.stdout, sys.stderr), files, strict=True):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), stream.fileno())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    multiprocessing.set_start_method(None, force=True)  # the default, not that by which this process was started
    runner = _RUNNERS.get(words[0])
    sys.argv = words[1:] if runner else words
    if runner:
        runner(words[1])
    else:
        runpy.run_path(words[0], run_name="__main__")
