"""Judging a pickle by its instructions, before one is carried out: what it claims must be in the file."""

import pickle
import pickletools
from typing import IO, Any

# A checkpoint has about 20 instructions a tensor and 2 a class name: 400 tensors with momentum, 22,000 names: 60,000.
MAX_INSTRUCTIONS = 1_000_000
MAX_DEPTH = 100  # of containers in containers: beyond some 10,000, C code that follows them exhausts its stack

_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_FILLS = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"}  # they change what they leave on the stack


def scan_pickle(stream: IO[bytes], end: int) -> int:
    """Read the instructions of one pickle without following them.

    Args:
        stream: at the pickle's first byte; its `read` never makes room for more bytes than there are.
        end: the file's size in bytes.

    Returns:
        the offset behind the pickle.

    Raises:
        pickle.UnpicklingError, ValueError: an instruction is unknown or cut short, or it claims more memory, more bytes
            or a deeper nesting than a checkpoint has.
    """
    nesting = _Nesting()
    for count, (opcode, value, position) in enumerate(pickletools.genops(stream), start=1):
        if count > MAX_INSTRUCTIONS:
            raise pickle.UnpicklingError(f"it has more than {MAX_INSTRUCTIONS:,} instructions, far more than weights")
        if opcode.name in _PUTS and value > count:  # the unpickler makes a table as long as the largest number
            raise pickle.UnpicklingError(f"it numbers an object {value:,} among its first {count:,} instructions")
        if opcode.name == "FRAME" and value > end - position:
            raise pickle.UnpicklingError(f"it claims a frame of {value:,} bytes, more than the file has")
        nesting.follow(opcode, value)
    return stream.tell()


class _Nesting:
    """How deep the objects on a pickle's stack are nested: a shadow of the stack that holds depths, None for a mark."""

    def __init__(self):
        self._stack, self._memo = [], {}

    def follow(self, opcode: pickletools.OpcodeInfo, value: Any) -> None:
        if opcode.name in _PUTS or opcode.name == "MEMOIZE":
            self._memo[len(self._memo) if value is None else value] = self._stack[-1]
        elif opcode.name in _GETS:
            self._stack.append(self._memo.get(value, 0))
        elif opcode.name == "MARK":
            self._stack.append(None)
        else:
            self._replace(opcode)

    def _replace(self, opcode: pickletools.OpcodeInfo) -> None:
        taken = self._take(opcode.stack_before)
        changed = taken.pop(0) if opcode.name in _FILLS else 0
        depth = max([changed, *(inner + 1 for inner in taken)])
        if depth > MAX_DEPTH:
            raise pickle.UnpicklingError(f"it nests containers more than {MAX_DEPTH} deep")
        self._stack += [depth] * len(opcode.stack_after)

    def _take(self, before: list) -> list[int]:
        """Take off the stack what an instruction takes, the lowest first."""
        above = []
        fixed = before.index(pickletools.markobject) if pickletools.markobject in before else len(before)
        if fixed < len(before):
            while (depth := self._stack.pop()) is not None:
                above.append(depth)
        split = len(self._stack) - fixed
        if split < 0:
            raise pickle.UnpicklingError("it takes more off its stack than there is")
        below = [depth or 0 for depth in self._stack[split:]]
        del self._stack[split:]
        return below + above
