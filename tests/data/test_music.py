"""Where music is found, what is shipped, and what is said when it is not to be had."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest

from gatelab.data import MUSIC, load_music
from gatelab.errors import ConfigError, DataError

SPLITS = ("train", "valid", "test")
SMALL = b'{"train": [[[60]]], "valid": [[[60]]], "test": [[[60]]]}'


# The chorales that are shipped


@pytest.fixture(scope="module")
def built_in() -> bytes:
    return resources.files("gatelab.data").joinpath("builtin", "bach_chorales.json.gz").read_bytes()


@pytest.fixture(scope="module")
def chorales(built_in: bytes) -> Any:
    return json.loads(gzip.decompress(built_in))


def test_the_file_is_small_and_reproducible(built_in: bytes) -> None:
    assert len(built_in) < 200_000
    assert built_in[3:8] == bytes(5)  # gzip: no flags (so no file name), no time
    assert hashlib.sha256(built_in).hexdigest() == MUSIC["chorales"].sha256


def test_provenance(chorales: Any) -> None:
    provenance = chorales["provenance"]
    assert "music21 10.5.1" in provenance["source"]
    assert "public domain" in provenance["rights"]
    assert "quarter note" in provenance["grid"]
    assert provenance["made_by"] == "tools/reduce_chorales.py"
    counts = provenance["counts"]
    source = MUSIC["chorales"]
    for index, split in enumerate(SPLITS):
        assert counts["chorales"][split] == len(chorales[split]) == len(chorales["chorales"][split])
        assert counts["chorales"][split] == source.sequences[index]
        assert counts["steps"][split] == sum(map(len, chorales[split])) == source.steps[index]
        assert counts["notes"][split] == source.notes[index]


def test_every_chorale_has_a_name_of_its_own(chorales: Any) -> None:
    entries = [entry for split in SPLITS for entry in chorales["chorales"][split]]
    assert all(entry["name"].startswith("bwv") for entry in entries)
    assert len({entry["name"] for entry in entries}) == len(entries) == 399


def test_the_split_is_about_60_20_20(chorales: Any) -> None:
    share = [len(chorales[split]) / 399 for split in SPLITS]
    assert share == pytest.approx([0.6, 0.2, 0.2], abs=0.02)


def relative(steps: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    """Return steps so that transpositions are equal."""
    lowest = next(step[0] for step in steps if step)
    return tuple(tuple(note - lowest for note in step) for step in steps)


def tune(steps: list[list[int]]) -> tuple[int, ...]:
    """Return the intervals of the highest notes, repeated ones once."""
    top = [step[-1] for step in steps if step]
    return tuple(b - a for a, b in pairwise(top) if a != b)


def marks(steps: list[list[int]]) -> set[Any]:
    """Return what two chorales of different splits may not share, whatever their keys."""
    moves = tune(steps)
    runs = [steps[start : start + 8] for start in range(len(steps) - 7)]
    return (
        {relative(steps), ("opening", moves[:7])}
        | {moves[start : start + 14] for start in range(len(moves) - 13)}
        | {relative(run) for run in runs if all(run)}
    )


def test_no_split_leaks_into_another_even_transposed(chorales: Any) -> None:
    found = {split: set().union(*map(marks, chorales[split])) for split in SPLITS}
    tunes = {split: {entry["tune"] for entry in chorales["chorales"][split]} for split in SPLITS}
    for first, second in (("train", "valid"), ("train", "test"), ("valid", "test")):
        assert not found[first] & found[second]
        assert not tunes[first] & tunes[second]


def test_a_transposed_chorale_would_be_seen_as_a_leak(chorales: Any) -> None:
    steps = chorales["train"][0]
    assert marks([[note + 3 for note in step] for step in steps]) == marks(steps)


def test_no_exact_duplicates(chorales: Any) -> None:
    every = [json.dumps(steps) for split in SPLITS for steps in chorales[split]]
    assert len(set(every)) == len(every)


def test_load_chorales(no_data: Path, chorales: Any) -> None:
    music = load_music("Bach-Chorales")
    assert (music.name, music.title) == ("chorales", "Bach Chorales (music21)")
    assert music.source == "built in: gatelab/data/builtin/bach_chorales.json.gz"
    assert music.digest == MUSIC["chorales"].sha256
    for split in SPLITS:
        for roll, steps in zip(getattr(music, split), chorales[split], strict=True):
            assert [(row.nonzero()[0] + 21).tolist() for row in roll] == steps


# Where the others are found


@pytest.mark.parametrize("name", ["jsb", "nottingham", "muse", "piano"])
def test_load_by_name(name: str, music_folder: Path) -> None:
    music = load_music(name)
    assert (music.name, music.title, music.digest) == (name, MUSIC[name].title, MUSIC[name].sha256)
    assert music.source == str(music_folder / MUSIC[name].files[0])


PLACES = ["data/poly_music", "data", "cache/poly_music"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("file", [0, 1])
def test_every_place_and_format(place: str, file: int, music_folder: Path, no_data: Path) -> None:
    (no_data / place).mkdir(parents=True)
    target = shutil.copy(music_folder / MUSIC["jsb"].files[file], no_data / place)
    assert load_music("jsb").source == str(target)


def test_the_data_folder_comes_before_the_cache(music_folder: Path, no_data: Path) -> None:
    for place in PLACES:
        (no_data / place).mkdir(parents=True, exist_ok=True)
        shutil.copy(music_folder / "JSB_Chorales.mat", no_data / place)
    assert load_music("jsb").source == str(no_data / PLACES[0] / "JSB_Chorales.mat")


@pytest.mark.parametrize("file", ["mine.json", "mine.json.gz", "MINE.JSON"])
def test_load_by_path(file: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.write_bytes(gzip.compress(SMALL) if file.endswith("gz") else SMALL)
    for asked in (str(path), path):
        music = load_music(asked)
        assert (music.name, music.title, music.source) == (file, file, str(path))
        assert music.digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert len(music.train) == len(music.valid) == len(music.test) == 1
        assert music.train[0].shape == (1, 88)


def test_a_file_of_another_set_under_a_known_name(no_data: Path) -> None:
    (no_data / "data").mkdir()
    (no_data / "data" / "jsb_chorales.json").write_bytes(SMALL)
    with pytest.raises(DataError, match=r"is not JSB Chorales: train: wanted .*\(229, 13807, 53824\), came"):
        load_music("jsb")


def test_unknown_name() -> None:
    with pytest.raises(ConfigError, match="did you mean nottingham"):
        load_music("notingham")


@pytest.mark.parametrize("asked", ["absent.json", "folder.mat", "nul\0.json"])
def test_unreadable_paths(asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.mat").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        load_music(asked)


def test_a_picture_called_mat(tmp_path: Path) -> None:
    path = tmp_path / "picture.mat"
    path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(200))
    with pytest.raises(DataError, match=r"picture\.mat: wanted music .* came a JPEG picture"):
        load_music(str(path))


def test_bounds_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatelab.data.tree.FILE_LIMIT", 10)
    path = tmp_path / "mine.json"
    path.write_bytes(SMALL)
    with pytest.raises(DataError, match="wanted at most"):
        load_music(path)


# Downloads, without network


class FakeHome:
    """Stands for ``pooch.retrieve``: serves the bytes it was given, and checks them as pooch does."""

    def __init__(self, data: bytes | Exception) -> None:
        self.data = data
        self.urls: list[str] = []

    def __call__(self, url: str, known_hash: str, fname: str, path: Path) -> str:
        self.urls.append(url)
        if isinstance(self.data, Exception):
            raise self.data
        if known_hash != f"sha256:{hashlib.sha256(self.data).hexdigest()}":
            raise ValueError(f"SHA256 hash of downloaded file ({fname}) does not match the known hash")
        path.mkdir(parents=True, exist_ok=True)
        (path / fname).write_bytes(self.data)
        return str(path / fname)


def test_downloads_once(music_folder: Path, no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = FakeHome((music_folder / "JSB_Chorales.mat").read_bytes())
    monkeypatch.setattr(pooch, "retrieve", home)
    first, second = load_music("jsb"), load_music("jsb")
    assert first.source == second.source == str(no_data / "cache" / "poly_music" / "JSB_Chorales.mat")
    assert np.array_equal(first.test[0], second.test[0])
    assert home.urls == [MUSIC["jsb"].url]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"something else", "ValueError: SHA256 hash of downloaded file"),
        (ConnectionError("no route\nto host"), "ConnectionError: no route to host"),
        (PermissionError(13, "Permission denied"), "PermissionError: "),
    ],
)
def test_a_failed_download_says_what_to_put_where(
    data: bytes | Exception, reason: str, no_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooch, "retrieve", FakeHome(data))
    with pytest.raises(DataError) as caught:
        load_music("piano")
    text = str(caught.value)
    assert reason in text
    assert "\n" not in text
    for word in (
        "Piano_midi.mat or piano_midi.json.gz or piano_midi.json",
        "GATELAB_DATA",
        MUSIC["piano"].url,
    ):
        assert word in text
    assert str(no_data / "data" / "poly_music") in text
    assert not (no_data / "cache").exists()
