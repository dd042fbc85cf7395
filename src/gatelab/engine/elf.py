"""Whether a file is a whole shared library for this machine, from its ELF header.

The loader of the system says little about a library that it refuses, and maps some truncated ones, which then
end the process at their first use. So the header is read before.

Source: System V Application Binary Interface, chapters 4 and 5 (ELF header, program header).
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import NamedTuple

MACHINES = {3: "x86", 21: "POWER", 22: "S/390", 40: "ARM", 62: "x86-64", 183: "ARM64", 243: "RISC-V"}
ORDERS = {1: "<", 2: ">"}
SHARED = 3  # ET_DYN


class Header(NamedTuple):
    """What of an ELF header matters here."""

    bits: int
    order: str
    machine: int
    kind: int
    end: int  # the last byte that the header speaks of

    @property
    def architecture(self) -> str:
        """Name of the processor family."""
        name = MACHINES.get(self.machine, f"processor number {self.machine}")
        return f"{name}, {self.bits} bits, {'little' if self.order == '<' else 'big'}-endian"


def fault(path: Path) -> str | None:
    """Return what is wrong with a library, in the words of a message, or None.

    >>> fault(Path(sys.executable).resolve()) or "a program, and whole"
    'a program, and whole'
    """
    mine = header(Path(sys.executable).resolve())
    if mine is None:
        return None  # not a system of ELF files: the loader has to judge
    size = path.stat().st_size
    came = header(path)
    if came is None:
        return f"a file of {size} bytes that is no ELF library"
    if came.architecture != mine.architecture:
        return f"a library for {came.architecture}, while this Python is for {mine.architecture}"
    if came.kind != SHARED:
        return "an ELF file that is no shared library"
    if came.end > size:
        return f"a library cut off after {size} of at least {came.end} bytes"
    return None


def header(path: Path) -> Header | None:
    """Return the ELF header of a file, or None where it has none."""
    with path.open("rb") as file:
        start = file.read(64)
        if len(start) < 64 or start[:4] != b"\x7fELF" or start[4] not in (1, 2) or start[5] not in ORDERS:
            return None
        order, wide = ORDERS[start[5]], start[4] == 2
        kind, machine = struct.unpack_from(order + "HH", start, 16)
        segments, sections = struct.unpack_from(order + ("QQ" if wide else "II"), start, 32 if wide else 28)
        sizes = struct.unpack_from(order + "HHHH", start, 54 if wide else 42)
        segment_size, segment_count, section_size, section_count = sizes
        file.seek(segments)
        table = file.read(segment_size * segment_count)
    ends = [segments + segment_size * segment_count, sections + section_size * section_count]
    for at in range(0, len(table) - segment_size + 1, segment_size or 1):
        offset, length = _place(table, at, order, wide)
        ends.append(offset + length)
    return Header(64 if wide else 32, order, machine, kind, max(ends))


def _place(table: bytes, at: int, order: str, wide: bool) -> tuple[int, int]:
    """Return where in the file a segment begins, and its length there, from its program header."""
    if wide:
        offset, _, _, length = struct.unpack_from(order + "QQQQ", table, at + 8)
    else:
        offset, _, _, length = struct.unpack_from(order + "IIII", table, at + 4)
    return offset, length
