"""One input under limits: read, refused in a line, or a fault."""

import io
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from igdet.utils.errors import one_line_errors

SECONDS = 10  # of computing, which other work on the machine does not make longer; sleep is the driver's matter
MEMORY = 2 * 2**30  # bytes beyond what the process has
LONGEST_MESSAGE = 20_000  # characters that reading may print, messages included
READ, REFUSED = "read", "refused"
_STARTS = {"subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.startfile"}

_started: list[str] = []  # processes, since the last look


class TooSlowError(BaseException):
    """Reading takes too long; no reader may take it for an error of the file."""


def watch_processes() -> None:
    """Note from now on which processes are started from Python."""
    sys.addaudithook(lambda event, arguments: _started.append(event) if event in _STARTS else None)


def judge(read: Callable[[Path], object], path: Path) -> str:
    """Read a file.

    Args:
        read: what reads it; may print.
        path: the file.

    Returns:
        `READ`, `REFUSED`, or what is at fault: an exception that no user can fix, the time, the memory, a process
        that was started, a control character on the terminal, a message without an end.
    """
    said = io.StringIO()
    _started.clear()
    try:
        with redirect_stdout(said), redirect_stderr(said), _limits(), one_line_errors():
            read(path)
        outcome = READ
    except SystemExit as end:
        outcome = REFUSED if end.code == 2 else f"exit status {end.code}"
    except BaseException as error:  # whatever it is, it is what fuzzing looks for
        outcome = _described(error)
    return _fault_of_output(said.getvalue()) or outcome


def _fault_of_output(text: str) -> str:
    if _started:
        return f"starts a process: {_started[0]}"
    if len(text) > LONGEST_MESSAGE:
        return f"prints {len(text):,} characters: {text[:100]!r}"
    wild = [character for character in text if not character.isprintable() and character not in "\n\t\r"]
    return f"prints {wild[0]!r}: {text[:300]!r}" if wild else ""


def _described(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/igdet/" in frame.filename or "/tools/" in frame.filename]
    where = own[-1] if own else frames[-1]
    place = "/".join(Path(where.filename).parts[-3:])
    return f"{type(error).__name__} at {place}:{where.lineno}: {str(error)[:200]!r}"


@contextmanager
def _limits() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise TooSlowError(f"more than {SECONDS} s")

    has = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData"))
    limit = int(has.split()[1]) * 1024 + MEMORY
    before = resource.getrlimit(resource.RLIMIT_DATA), signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, before[0][1]))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before[1])
        resource.setrlimit(resource.RLIMIT_DATA, before[0])
