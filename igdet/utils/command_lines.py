"""Commands of igdet as one types them, for messages that say how to go on."""

import shlex
import sys
from pathlib import Path


def command_line(name: str) -> str:
    """Return how a command is started, in the way in which the running program was: `python tools/train_net.py`, say.

    Args:
        name: of a module of igdet/cli.
    """
    start = sys.argv[0]
    if start.startswith("igdet "):
        return f"igdet {name}"
    return f"python -m igdet.cli.{name}" if _is_module(start) else f"python tools/{name}.py"


def this_command_line(python: str = "python") -> str:
    """Return the running command with its arguments.

    Args:
        python: the interpreter, as one types it.
    """
    start, *arguments = sys.argv
    if start.startswith("igdet "):
        return f"{start} {shlex.join(arguments)}"
    program = ["-m", f"igdet.cli.{Path(start).stem}"] if _is_module(start) else [start]
    return f"{python} {shlex.join([*program, *arguments])}"


def _is_module(start: str) -> bool:
    """Whether a program was started by `python -m igdet.cli.NAME`, which Python turns into the module's file."""
    return Path(start).parts[-3:-1] == ("igdet", "cli")
