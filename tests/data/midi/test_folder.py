"""Folders and archives of MIDI files, and the set of music that comes of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from gatelab.data import load_music
from gatelab.data.midi import folder as midi_folder
from gatelab.data.midi.folder import read_pieces
from gatelab.data.midi.rolls import PLAIN
from gatelab.data.midi.write import write_midi
from gatelab.data.music import load_midi
from gatelab.data.tree import Tree
from gatelab.errors import ConfigError, DataError
from midi_bytes import midi, off, on


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three splits, with a damaged file in it."""
    place = tmp_path / "songs"
    for number, name in enumerate(["train/a.mid", "train/b.MIDI", "valid/c.mid", "test/d.mid"]):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(write_midi([[60], [62 + number], [90]]))
    (place / "train" / "read me.txt").write_text("no music")
    return place


def damage(folder: Path) -> None:
    (folder / "train" / "aa.mid").write_bytes(b"\xff\xd8\xff a picture")


def test_a_folder_and_an_archive_read_alike(folder: Path) -> None:
    packed = folder.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder))
    one, other = load_music(str(folder)), load_music(packed)
    assert one.digest == other.digest == Tree(folder).digest(Tree(folder).names(".mid", ".midi"))
    assert (one.name, one.title, other.name, other.title) == ("songs", "songs", "songs.zip", "songs")
    assert one.source == f"{folder}: 4 MIDI files (4 notes lost on the grid)"
    for split, count in (("train", 2), ("valid", 1), ("test", 1)):
        rolls, others = getattr(one, split), getattr(other, split)
        assert [roll.tobytes() for roll in rolls] == [roll.tobytes() for roll in others]
        assert len(rolls) == count


def test_the_grid_is_chosen(folder: Path) -> None:
    assert [len(roll) for roll in load_midi(folder).train] == [2, 2]
    assert [(row.nonzero()[0] + 21).tolist() for row in load_midi(folder, PLAIN).train[0]] == [
        [60],
        [62],
        [90],
    ]


def test_a_damaged_file_is_an_error_or_counted(folder: Path) -> None:
    damage(folder)
    with pytest.raises(DataError, match=r"train/aa\.mid: wanted a MIDI file, came a JPEG picture"):
        load_midi(folder)
    music = load_midi(folder, PLAIN, skip_damaged=True)
    assert music.source.endswith(": 4 MIDI files (1 files damaged)")
    assert len(music.train) == 2
    assert "JPEG" in read_pieces(Tree(folder), skip_damaged=True).damaged[0]
    whole = music.digest
    (folder / "train" / "aa.mid").write_bytes(b"\xff\xd8\xff another")
    assert load_midi(folder, PLAIN, skip_damaged=True).digest != whole


def test_copies_across_splits_are_moved(folder: Path) -> None:
    (folder / "test" / "copy.mid").write_bytes((folder / "train" / "a.mid").read_bytes())
    music = load_midi(folder, PLAIN)
    assert [len(part) for part in (music.train, music.valid, music.test)] == [3, 1, 1]
    assert music.source.endswith("(1 exact copies moved to the split of their originals)")


def test_says_all_that_is_left_out(folder: Path) -> None:
    drums = [(0, on(36, 9)), (0, on(60)), (4, off(36, 9)), (0, off(60)), (0, on(5)), (4, off(5))]
    (folder / "train" / "z.mid").write_bytes(midi(drums))
    assert load_midi(folder, PLAIN).source.endswith("(1 notes beyond the piano; 1 notes on drums)")


def test_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"cannot be read as music: wanted MIDI files \(\.mid, \.midi\), came none"
    ):
        load_music(tmp_path)
    with pytest.raises(DataError, match="try the path of a folder or a zip archive"):
        load_music(tmp_path / "absent.zip")
    (tmp_path / "a.mid").write_bytes(b"no music")
    with pytest.raises(DataError, match="all 1 MIDI files are damaged, the first"):
        load_midi(tmp_path, skip_damaged=True)
    (tmp_path / "a.json").write_bytes(write_midi([[60]]))
    with pytest.raises(DataError, match="came one MIDI file; try a folder"):
        load_music(tmp_path / "a.json")
    with pytest.raises(ConfigError):
        load_music("songs")


def test_bounds_all_steps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_folder, "FOLDER_STEPS", 7)
    with pytest.raises(DataError, match="wanted at most 7 time steps, came more"):
        read_pieces(Tree(folder))


# Real archives


def archive_of(folder: Path, file: str) -> Path:
    if not (folder / file).is_file():
        pytest.skip(f"no {file} in {folder}")
    return folder / file


def test_piano_midi_is_the_published_set_but_for_two_pieces(music_folder: Path) -> None:
    music = load_music(archive_of(music_folder, "Piano-midi.de.zip"))
    published = load_music(music_folder / "Piano_midi.mat")
    other = []
    for split in ("train", "valid", "test"):
        rolls = {roll.tobytes() for roll in getattr(published, split)}
        assert len(getattr(music, split)) == len(rolls)
        other.append(sum(roll.tobytes() not in rolls for roll in getattr(music, split)))
    assert other == [2, 0, 0]
    assert "21 notes beyond the piano" in music.source


def test_the_nottingham_collection(music_folder: Path) -> None:
    music = load_music(archive_of(music_folder, "nottingham_midi_jukedeck.zip"))
    rolls = [[roll.tobytes() for roll in part] for part in (music.train, music.valid, music.test)]
    assert [len(part) for part in rolls] == [724, 155, 155]
    assert not set(rolls[0]) & set(rolls[1]) | set(rolls[0]) & set(rolls[2]) | set(rolls[1]) & set(rolls[2])
