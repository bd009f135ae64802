"""Commands of igdet as one types them, for messages that say how to go on."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from igdet.utils.errors import one_line_errors

_COMMANDS = Path(__file__).parent.parent / "cli"


def command_line(name: str) -> str:
    """Return how a command is started, in the way in which the running program was: `python tools/train_net.py`, say.

    Args:
        name: of a module of igdet/cli.
    """
    return f"igdet {name}" if sys.argv[0].startswith("igdet ") else f"python {program(name)}"


def program(name: str) -> str:
    """Return what the interpreter, or torchrun, is given to run a command: its file in a clone, else its module.

    Args:
        name: as for `command_line`.
    """
    in_clone = not sys.argv[0].startswith("igdet ") and not _is_module(sys.argv[0])
    return f"tools/{name}.py" if in_clone else f"-m igdet.cli.{name}"


def as_started(text: str) -> str:
    """Return a help text in which each `igdet COMMAND` is named as `command_line` does."""

    def named(found: re.Match) -> str:
        return command_line(found[1]) if (_COMMANDS / f"{found[1]}.py").is_file() else found[0]

    return re.sub(r"\bigdet (\w+)", named, text)


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


def main_of(parse_args: Callable[[], dict]) -> Callable[[], None]:
    """Return the main function of a command that has commands of its own; errors are one line.

    Args:
        parse_args: reads the command line; returns "run", a function, and what it is called with.
    """

    @one_line_errors()
    def main() -> None:
        """Run what the command line asks for."""
        args = parse_args()
        args.pop("run")(**args)

    return main
