"""Headers of libraries, whole and broken, against headers written here byte by byte."""

import struct
import sys
from pathlib import Path

import pytest

from gatelab.engine.elf import Header, fault, header

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="libraries are ELF files on Linux")
X86_64 = 62


def written(path: Path, machine: int = X86_64, kind: int = 3, wide: bool = True, order: str = "<") -> Path:
    """Write a library of one segment of 100 bytes at 200, and one section header at its end, at 300."""
    marks = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    if wide:
        rest = struct.pack(order + "HHIQQQIHHHHHH", kind, machine, 1, 0, 64, 300, 0, 64, 56, 1, 64, 1, 0)
        segment = struct.pack(order + "IIQQQQQQ", 1, 5, 200, 0, 0, 100, 100, 4096)
    else:
        rest = struct.pack(order + "HHIIIIIHHHHHH", kind, machine, 1, 0, 64, 300, 0, 52, 32, 1, 40, 1, 0)
        segment = struct.pack(order + "IIIIIIII", 1, 200, 0, 0, 100, 100, 5, 4096)
    head = (marks + rest).ljust(64, b"\0") + segment
    path.write_bytes(head.ljust(300, b"\0") + bytes(64 if wide else 40))
    return path


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let this Python be one for x86-64."""
    monkeypatch.setattr(sys, "executable", str(written(tmp_path / "python", kind=2)))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("wide", [True, False])
def test_header(wide: bool, order: str, tmp_path: Path) -> None:
    came = header(written(tmp_path / "a.so", 21, wide=wide, order=order))
    assert came == Header(64 if wide else 32, order, 21, 3, 364 if wide else 340)


@pytest.mark.usefixtures("python")
def test_whole(tmp_path: Path) -> None:
    assert fault(written(tmp_path / "a.so")) is None


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"machine": 183}, "a library for ARM64, 64 bits, little-endian, while this Python is for x86-64"),
        ({"machine": 4711}, "processor number 4711"),
        ({"wide": False}, "x86-64, 32 bits"),
        ({"order": ">"}, "big-endian"),
        ({"kind": 1}, "no shared library"),
    ],
)
def test_foreign(change: dict, words: str, tmp_path: Path) -> None:
    assert words in fault(written(tmp_path / "a.so", **change))


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize("size", [0, 3, 63, 64, 100, 299, 300, 363])
def test_cut_off(size: int, tmp_path: Path) -> None:
    library = written(tmp_path / "a.so")
    library.write_bytes(library.read_bytes()[:size])
    words = "no ELF library" if size < 64 else f"cut off after {size} of at least 364 bytes"
    assert words in fault(library)


def test_a_python_that_is_no_elf_file_leaves_the_judgement_to_the_loader(tmp_path, monkeypatch) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\n")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert fault(tmp_path / "python") is None
