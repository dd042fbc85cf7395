"""Tunes with labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatelab.data import load_music
from gatelab.data.midi.folder import Piece
from gatelab.data.midi.rolls import MidiRoll
from gatelab.data.midi.tunes import kind, load_tunes, metre
from gatelab.data.midi.write import write_midi
from gatelab.errors import ConfigError, DataError


def piece(name: str, metres: tuple[tuple[float, int, int], ...] = (), beats: float = 12.0) -> Piece:
    return Piece(name, MidiRoll(np.ones((1, 88), np.uint8), 0, 0, 0, 0, metres, beats))


def test_the_metre_that_holds_longest() -> None:
    assert metre(piece("a", ((0.0, 6, 8),))) == "6/8"
    assert metre(piece("a", ((0.0, 3, 4), (3.0, 2, 4), (5.0, 3, 4), (8.0, 2, 4)))) == "3/4"
    assert metre(piece("a", ((0.0, 3, 4), (3.0, 2, 4)))) == "2/4"
    assert metre(piece("a")) == "4/4"
    assert metre(piece("a", ((8.0, 6, 8),))) == "4/4", "what stands before the first is in 4/4"
    assert metre(piece("a", ((0.0, 2, 2), (0.0, 6, 8)))) == "6/8", "of two at one place the later counts"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("MIDI/jigs12.mid", "jigs"),
        ("MIDI/reelsa-c7.mid", "reels"),
        ("MIDI/reelsu-z20.mid", "reels"),
        ("hpps3.mid", "hornpipes"),
        ("slip10.mid", "slip jigs"),
        ("XMAS1.MID", "carols"),
        ("waltzes4.mid", "waltzes"),
        ("12.mid", "12"),
    ],
)
def test_kinds(name: str, wanted: str) -> None:
    assert kind(piece(name)) == wanted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw = np.random.default_rng(3)
    for number in range(24):
        sign = [(4, 4), (4, 4), (6, 8), (6, 8), (9, 8)][number % 5] if number < 22 else (3, 4)
        tune = [[int(note)] for note in draw.integers(50, 80, 12)]
        (tmp_path / f"tune{number}.mid").write_bytes(write_midi(tune, metre=sign))
    return tmp_path


def test_rare_classes_are_one_or_left_out(folder: Path) -> None:
    tunes = load_tunes(folder, least=6)
    assert tunes.classes == ("4/4", "6/8", "other")
    assert dict(tunes.rare) == {"9/8": 4, "3/4": 2}
    assert "6 tunes of 2 rare classes put together as other" in tunes.source
    assert sum(map(len, (tunes.train, tunes.valid, tunes.test))) == 24
    fewer = load_tunes(folder, least=6, rare="left out")
    assert fewer.classes == ("4/4", "6/8")
    assert sum(map(len, (fewer.train, fewer.valid, fewer.test))) == 18
    assert "6 tunes of 2 rare classes left out" in fewer.source
    assert load_tunes(folder, least=2).classes == ("4/4", "6/8", "9/8", "3/4")
    assert tunes.digest == fewer.digest


def test_splits_are_those_of_the_music(folder: Path) -> None:
    tunes, music = load_tunes(folder, least=2), load_music(folder)
    for split in ("train", "valid", "test"):
        rolls = [tune.roll.tobytes() for tune in getattr(tunes, split)]
        assert rolls == [roll.tobytes() for roll in getattr(music, split)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "key"}, "label: wanted 'metre' or 'kind', came 'key'"),
        ({"least": 0}, "least: wanted 1 tune or more"),
        ({"rare": "drop"}, "rare: wanted 'other' or 'left out'"),
    ],
)
def test_impossible_options(folder: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_tunes(folder, **options)


def test_one_class_is_no_task(folder: Path) -> None:
    with pytest.raises(DataError, match="wanted two classes of 100 tunes or more, came 4/4 10, 6/8 8, 9/8 4"):
        load_tunes(folder, least=100, rare="left out")
    with pytest.raises(DataError, match="wanted two classes of 2 tunes or more, came tune 24"):
        load_tunes(folder, "kind", least=2)


def test_the_nottingham_collection(music_folder: Path) -> None:
    path = music_folder / "nottingham_midi_jukedeck.zip"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {music_folder}")
    metres = load_tunes(path)
    assert metres.classes == ("4/4", "6/8", "3/4", "2/4", "other")
    assert dict(metres.rare) == {"9/8": 14, "2/2": 7, "3/2": 3, "6/4": 2}
    kinds = load_tunes(path, "kind", rare="left out")
    assert kinds.classes == ("reels", "jigs", "hornpipes", "waltzes", "ashover", "morris")
    assert dict(kinds.rare) == {"playford": 15, "carols": 13, "slip jigs": 11}
    for tunes in (metres, kinds):
        for part in (tunes.train, tunes.valid, tunes.test):
            assert {tune.label for tune in part} == set(range(len(tunes.classes)))
