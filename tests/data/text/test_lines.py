"""Lines of files, plain and compressed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gatelab.data.text.lines import read_lines, text_lines, unzipped
from gatelab.errors import DataError

TEXT = "one\r\ntwo\u2028still\x0b two\n\nlast"
LINES = ["one", "two\u2028still\x0b two", "", "last"]


def test_plain_and_compressed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT.encode())
    (tmp_path / "a.txt.GZ").write_bytes(gzip.compress(TEXT[:8].encode()) + gzip.compress(TEXT[8:].encode()))
    assert read_lines(tmp_path / "a.txt") == read_lines(tmp_path / "a.txt.GZ") == LINES
    assert text_lines("\ufeffone\n".encode(), "a") == ["one"]
    assert text_lines(b"", "a") == []


def test_says_where_it_is_not_utf8() -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        with pytest.raises(
            DataError, match=rf"a.txt, line 3, byte {7 + len(mark)}: wanted UTF-8, came invalid"
        ):
            text_lines(mark + b"a\nbcd\nx\xe9y\n", "a.txt")


def test_bombs_and_damage() -> None:
    bomb = gzip.compress(bytes(2**22))
    with pytest.raises(DataError, match="wanted at most 1 MiB, came more"):
        unzipped(bomb, "a.gz", 2**20)
    with pytest.raises(DataError, match="wanted at most 4 MiB"):
        unzipped(bomb + bomb, "a.gz", 2**22)
    assert len(unzipped(bomb, "a.gz", 2**22)) == 2**22
    with pytest.raises(DataError, match="end too early"):
        unzipped(bomb[:-9], "a.gz", 2**22)
    with pytest.raises(DataError, match="damaged gzip data"):
        unzipped(bomb + b"more", "a.gz", 2**23)
