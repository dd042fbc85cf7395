"""The benchmark of readers: a process of its own each, and what it says of a file that is not there."""

import re

import pytest

from gatelab.bench import readers
from gatelab.errors import DataError


def test_a_reading_is_timed(tmp_path, monkeypatch):
    place = tmp_path / "warpeace"
    place.mkdir()
    (place / "warpeace_input.txt").write_bytes(b"it was a dark and stormy night\n" * 40)
    monkeypatch.setattr(readers, "TEXT", 5000)
    (found,) = readers.measure(tmp_path, ["bytes"], rounds=1)
    assert found.count == 31 * 40 * 5
    assert found.megabytes == pytest.approx(found.count / 1e6)
    assert found.peak > 10
    columns, (row,) = readers.table([found])
    assert len(columns) == len(row)
    assert re.fullmatch(r"6,200 symbols", row[2])


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(DataError, match="wanted this file to read"):
        readers.measure(tmp_path, ["MIDI"])
