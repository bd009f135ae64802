"""Inputs by number: the same kind, seed and number make the same damaged file, read in a folder of its own.

Only checkpoints in torch.save's older format differ between processes, for they hold addresses of memory.
"""

import io
import shutil
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from random import Random

from fuzz.damage import damage
from fuzz.judging import judge
from fuzz.kinds import KINDS
from igdet.utils.errors import one_line_errors


class Inputs:
    """The inputs of one kind.

    Args:
        kind: a key of `KINDS`.
        seed: of the dice.
        folder: where sound files are written, at `sound`, and damaged ones, at `damaged`; must be empty.
    """

    def __init__(self, kind: str, seed: int, folder: Path) -> None:
        self._kind, self._seed, self._folder = kind, seed, folder / "input"
        self._write()
        self._sound = folder / "sound"
        self._folder.rename(self._sound)

    def _write(self) -> None:
        self._folder.mkdir()
        self._names = [path.relative_to(self._folder) for path in KINDS[self._kind].write(self._folder)]

    def check_sound(self) -> None:
        """Read the sound files, which starts whatever the readers start once.

        Where one is refused, the process ends with the message: fuzzing would find nothing.
        """
        for name in self._names:
            for entry in KINDS[self._kind].entries:
                with one_line_errors(), redirect_stdout(io.StringIO()):
                    entry(self._fresh(name))

    def make(self, number: int) -> Path:
        """Write an input; return the file that is damaged in it."""
        dice = Random(f"{self._seed} {self._kind} {number}")
        path = self._fresh(dice.choice(self._names))
        damage(path, dice)
        return path

    def outcomes(self, number: int) -> list[str]:
        """Judge an input: what comes of it, for each entry."""
        return [judge(entry, self.make(number)) for entry in KINDS[self._kind].entries]

    def _fresh(self, name: Path) -> Path:
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._sound, self._folder)
        return self._folder / name


def temporary_folder() -> tempfile.TemporaryDirectory:
    """Return a folder in memory where there is one: an input is a dozen files."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory if memory.is_dir() else None)
